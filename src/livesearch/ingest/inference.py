"""What each field is for, told from a sample, with the reason in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from livesearch.domain import Document, Field, FieldType, Role
from livesearch.errors import SourceError
from livesearch.ingest.keys import choose_key
from livesearch.ingest.popularity import choose_popularity
from livesearch.ingest.profiles import Profile, profile_fields
from livesearch.ingest.roles import Verdict, judge
from livesearch.ingest.titles import choose_titles

# What a word found in the field adds to a score, relative to a long text.
KEY_WEIGHT = 5.0
TITLE_WEIGHT = 10.0
SECOND_TITLE_WEIGHT = 8.0
SHORT_WEIGHT = 3.0  # facets and short texts
LONG_WEIGHT = 1.0
_SHORT_WORDS = 12  # mean words in a row, at most, of a short text
_LEAST_FITTING = 0.5  # of the values, when a person asks for a numeric role
_NO_ROLES: Mapping[str, Role] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Inference:
    """The fields of a source.

    Attributes:
        fields: In the source's order, each with the reason for its role.
        key_field: The field that tells rows apart; None where a hash of the content has to.
        popularity_field: The numeric field that breaks ties; None where there is none.
    """

    fields: tuple[Field, ...]
    key_field: str | None
    popularity_field: str | None


def infer(sample: Sequence[Document], *, roles: Mapping[str, Role] = _NO_ROLES, key: str | None = None) -> Inference:
    """Infer the fields of a source from some of its rows.

    Args:
        sample: Documents as ``Source.rows`` gives them, at most about 2,000: all are looked at several times.
        roles: Roles a person chose; they are kept.
        key: The key a person chose.

    Raises:
        KeyUndecidedError: Several fields could be the key, and neither a name nor the caller decides.
        SourceError: ``roles`` or ``key`` names a field that the sample lacks, or asks for a role its values cannot
            have.
    """
    profiles = profile_fields(sample)
    key, key_reason = _key(profiles, roles, key)
    titles = choose_titles([profile for profile in profiles if profile.name != key and profile.name not in roles])
    if any(role is Role.TITLE for role in roles.values()):  # a person's title comes before inferred ones
        titles = {name: replace(title, is_first=False) for name, title in titles.items() if not title.is_guess}
    fields = []
    for profile in profiles:
        if profile.name in roles and not (profile.name == key and roles[profile.name] is Role.KEY):
            fields.append(_chosen(profile, roles[profile.name]))
        elif profile.name == key:
            fields.append(_field(profile, Verdict(Role.KEY, FieldType.TEXT, key_reason)))
        elif profile.name in titles:
            title = titles[profile.name]
            field = _field(profile, Verdict(Role.TITLE, FieldType.TEXT, title.reason))
            fields.append(field if title.is_first else replace(field, weight=SECOND_TITLE_WEIGHT))
        else:
            fields.append(_field(profile, judge(profile)))
    ordered = tuple(fields)
    return Inference(ordered, key, choose_popularity(ordered))


def _key(profiles: Sequence[Profile], roles: Mapping[str, Role], key: str | None) -> tuple[str | None, str]:
    names = [profile.name for profile in profiles]
    chosen = [name for name, role in roles.items() if role is Role.KEY] + ([key] if key is not None else [])
    for name in [*roles, *chosen]:
        if name not in names:
            raise SourceError(f"There is no field “{name}”. The fields are: {', '.join(names) or 'none'}.")
    if len(set(chosen)) > 1:
        raise SourceError(f"Only one field can be the key, but {' and '.join(dict.fromkeys(chosen))} were named.")
    if chosen:
        return chosen[0], "chosen as the key"
    found = choose_key([profile for profile in profiles if profile.name not in roles])
    return found or (None, "")


def _chosen(profile: Profile, role: Role) -> Field:
    """The field with the role that a person gave it, its type made to fit."""
    kind = profile.type
    if role in {Role.TITLE, Role.TEXT, Role.KEY}:
        kind = FieldType.TEXT  # so that "007" stays as it is
    elif role is Role.DATE or (role is Role.SORT and kind not in {FieldType.NUMBER, FieldType.DATE}):
        kind = FieldType.DATE if role is Role.DATE else FieldType.NUMBER
        share = profile.fit_share(kind)
        if profile.values and share < _LEAST_FITTING:
            raise SourceError(
                f"“{profile.name}” cannot have the role {role}: only {share:.0%} of its sampled values "
                f"read as a {kind}. The first one is “{profile.texts[0][:40]}”."
            )
    elif role is Role.URL:
        kind = FieldType.URL
    return _field(profile, Verdict(role, kind, "chosen by you"))


def _field(profile: Profile, verdict: Verdict) -> Field:
    weight = weight_of_role(verdict.role)
    if verdict.role is Role.TEXT and profile.words_per_row <= _SHORT_WORDS:
        weight = SHORT_WEIGHT
    return Field(profile.name, verdict.type, verdict.role, weight, profile.is_list, verdict.reason)


def weight_of_role(role: Role) -> float:
    """What a word found in a field of that role adds to a score, where nothing more is known of the field."""
    return {Role.KEY: KEY_WEIGHT, Role.TITLE: TITLE_WEIGHT, Role.FACET: SHORT_WEIGHT}.get(role, LONG_WEIGHT)

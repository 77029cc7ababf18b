"""Which field tells rows apart."""

from collections.abc import Sequence

from livesearch.domain import FieldType
from livesearch.errors import KeyUndecidedError
from livesearch.ingest.profiles import Profile

# Names that mean "the key" by themselves, most telling first.
_KEY_NAMES = ("id", "_id", "key", "pk", "uuid", "guid", "identifier", "slug")
# Last words that speak for a key when only one unique field has such a name.
_KEY_WORDS = frozenset(
    {
        "id", "key", "uuid", "guid", "slug", "identifier", "code", "sku", "asin", "isbn", "isbn13", "ean", "gtin",
        "upc", "doi", "issn", "ref", "reference", "number", "no", "nr", "num", "handle", "login", "username",
        "email", "path", "filename", "url", "uri", "permalink",
    }
)  # fmt: skip
_TITLE_WORDS = frozenset({"title", "name", "label", "headline", "subject", "caption"})
_ROW_NUMBER_NAMES = frozenset({"column_1", "index", "unnamed: 0", "row", "rownum", "row_number", "rowid"})
_LONGEST_KEY = 200  # characters
_MOST_SPACED = 0.05
# A key by name may repeat in a few rows of a long sample: real exports do that, and the last such row wins.
_NAMED_DISTINCT = 0.99
_ROWS_FOR_REPEATS = 100


def is_row_number(profile: Profile) -> bool:
    """Whether a field only counts the rows, as spreadsheets and data frames write them."""
    return profile.name.lower() in _ROW_NUMBER_NAMES and profile.type is FieldType.NUMBER and _is_unique(profile)


def choose_key(profiles: Sequence[Profile]) -> tuple[str, str] | None:
    """Choose the key among a sample's fields.

    Returns:
        The field's name and the reason; None where no field can be the key.

    Raises:
        KeyUndecidedError: Several could, and no name decides.
    """
    by_name = {profile.name.lower(): profile for profile in reversed(profiles)}
    for name in _KEY_NAMES:
        named = by_name.get(name)
        if named is not None and (reason := _reason_by_name(named)):
            return named.name, reason
    unique = [
        profile for profile in profiles if _is_unique(profile) and _is_short(profile) and not is_row_number(profile)
    ]
    telling = [profile for profile in unique if profile.words and profile.words[-1] in _KEY_WORDS]
    if len(telling) == 1:
        return telling[0].name, f"{_unique_in(telling[0])}, and its name reads like a key"
    likely = [profile for profile in unique if _looks_like_identifier(profile)]
    candidates = telling + [profile for profile in likely if profile not in telling]
    if len(candidates) > 1:
        raise KeyUndecidedError([profile.name for profile in candidates])
    if candidates:
        return candidates[0].name, f"{_unique_in(candidates[0])}, and no other field looks like a key"
    return None


def _reason_by_name(profile: Profile) -> str | None:
    if not profile.is_complete or profile.is_list or not _is_short(profile):
        return None
    if _is_unique(profile):
        return f"{_unique_in(profile)}, named {profile.name}"
    repeated = len(profile.values) - profile.distinct_count
    if profile.row_count >= _ROWS_FOR_REPEATS and profile.distinct_share >= _NAMED_DISTINCT:
        return (
            f"named {profile.name}; {repeated} of {profile.row_count:,} sampled rows repeat a value, the last one wins"
        )
    return None


def _is_unique(profile: Profile) -> bool:
    return (
        profile.is_complete
        and not profile.is_list
        and profile.row_count > 0
        and profile.distinct_count == profile.row_count
        and not any(isinstance(value, float) for value in profile.values)
    )


def _is_short(profile: Profile) -> bool:
    return profile.longest <= _LONGEST_KEY


def _looks_like_identifier(profile: Profile) -> bool:
    return (
        profile.row_count > 1
        and profile.type is FieldType.TEXT
        and profile.spaced_share <= _MOST_SPACED
        and not _TITLE_WORDS.intersection(profile.words)
    )


def _unique_in(profile: Profile) -> str:
    return f"unique in all {profile.row_count:,} sampled rows"

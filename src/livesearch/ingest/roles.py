"""What a field that is neither key nor title is for."""

import re
from dataclasses import dataclass

from livesearch.domain import FieldType, Role
from livesearch.ingest.keys import is_row_number
from livesearch.ingest.profiles import Profile

# Digits under such a name are a label: nobody sorts by them, and leading zeros matter.
_CODE_WORDS = frozenset(
    {
        "isbn", "isbn10", "isbn13", "issn", "ean", "ean13", "upc", "gtin", "asin", "sku", "mpn", "barcode", "serial",
        "code", "phone", "telephone", "tel", "mobile", "fax", "zip", "zipcode", "postal", "postcode", "plz", "siren",
        "siret", "vat", "iban", "bic", "ssn", "imdb", "doi", "account", "part", "model", "version", "catalog",
        "catalogue",
    }
)  # fmt: skip
_ID_WORDS = frozenset({"id", "ids", "uuid", "guid", "pk", "fk", "key", "hash", "md5", "sha1", "sha256", "checksum"})
# Names of groups: their values may be many and still are chosen from.
_GROUP_WORDS = frozenset(
    {
        "author", "authors", "publisher", "publishers", "maintainer", "owner", "brand", "manufacturer", "maker",
        "developer", "category", "categories", "genre", "genres", "tag", "tags", "keyword", "keywords", "type",
        "kind", "status", "state", "country", "countries", "region", "city", "language", "languages", "platform",
        "department", "section", "series", "artist", "director", "license", "licence", "color", "colour", "subject",
        "subjects", "topic", "topics", "vendor", "supplier", "actors", "cast", "studio", "label", "team", "group",
    }
)  # fmt: skip
# Names of what is particular to a row although it may repeat.
_PARTICULAR_WORDS = frozenset(
    {
        "version",
        "depends",
        "dependencies",
        "requires",
        "description",
        "notes",
        "comment",
        "comments",
        "text",
        "source",
        "edition",
    }
)
_MOST_FACET_VALUES = 2_000
_MANY_VALUES = 50  # few enough to choose from in any table
_FACET_DISTINCT = 0.2
_GROUP_DISTINCT = 0.6
_FACET_LETTERS = 60
_FACET_WORDS = 6.0
_FACET_REPEATED = 0.5
_GROUP_REPEATED = 0.3
_ROWS_TO_CALL_CONSTANT = 10
_LEADING_ZERO = re.compile(r"0\d+")
_SPREADSHEET_CODE = re.compile(r"\d(?:\.\d+)?[eE]\+?(?:9|1\d)")
_LONG_DIGITS = re.compile(r"\d{8,}")
_HASH = re.compile(r"[0-9a-fA-F]{32,}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DATE_WORDS = frozenset({"date", "day", "time", "timestamp", "created", "updated", "modified", "at", "on"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """A role, the type that goes with it, and why."""

    role: Role
    type: FieldType
    reason: str


def judge(profile: Profile) -> Verdict:
    """Tell the role of a field from its name and values. Each rule gives way to the next when it has nothing to say."""
    if not profile.values:
        return Verdict(Role.TEXT, FieldType.TEXT, f"empty in all {profile.row_count:,} sampled rows")
    for rule in (_constant, _damaged_code, _numeric_code, _identifier, _by_type):
        verdict = rule(profile)
        if verdict is not None:
            return verdict
    return _text_or_facet(profile)


def _constant(profile: Profile) -> Verdict | None:
    if profile.distinct_count > 1 or not profile.is_complete or profile.row_count < _ROWS_TO_CALL_CONSTANT:
        return None
    return Verdict(Role.HIDDEN, profile.type, f"“{profile.texts[0][:40]}” in all {profile.row_count:,} sampled rows")


def _damaged_code(profile: Profile) -> Verdict | None:
    if not profile.is_text_only or profile.share(_SPREADSHEET_CODE.match) <= 0.5:  # noqa: PLR2004
        return None
    return Verdict(
        Role.HIDDEN,
        FieldType.TEXT,
        f"codes damaged by a spreadsheet, like {profile.texts[0][:24]}: their digits are lost",
    )


def _numeric_code(profile: Profile) -> Verdict | None:  # noqa: PLR0911  # one return for each rule
    if profile.type is not FieldType.NUMBER:
        return None
    if is_row_number(profile):
        return Verdict(Role.HIDDEN, FieldType.NUMBER, "counts the rows")
    words = set(profile.words)
    if words & _ID_WORDS and profile.words[-1] in _ID_WORDS:
        return Verdict(Role.HIDDEN, profile.type, "numbers that name something, by its name; not the key")
    if words & _CODE_WORDS:
        return Verdict(Role.TEXT, FieldType.TEXT, "numbers that are codes, by its name")
    if profile.share(_LEADING_ZERO.fullmatch) > 0.01:  # noqa: PLR2004  # one in a hundred is no slip
        return Verdict(Role.TEXT, FieldType.TEXT, "numbers with leading zeros are codes")
    if profile.is_text_only and not words & _DATE_WORDS and _is_uniform(profile):
        return Verdict(
            Role.TEXT, FieldType.TEXT, f"numbers of {profile.longest} digits each, seldom repeated, are codes"
        )
    return None


def _is_uniform(profile: Profile) -> bool:
    lengths = {len(text) for text in profile.texts}
    return len(lengths) == 1 and profile.distinct_share > 0.5 and profile.share(_LONG_DIGITS.fullmatch) == 1.0  # noqa: PLR2004


def _identifier(profile: Profile) -> Verdict | None:
    if profile.type is FieldType.TEXT and profile.share(_HASH.fullmatch) > 0.9:  # noqa: PLR2004
        return Verdict(Role.HIDDEN, FieldType.TEXT, "identifiers for machines; not the key")
    return None


def _by_type(profile: Profile) -> Verdict | None:
    if profile.type is FieldType.NUMBER:
        return Verdict(Role.SORT, FieldType.NUMBER, "numbers")
    if profile.type is FieldType.DATE:
        return Verdict(Role.DATE, FieldType.DATE, "dates")
    if profile.type is FieldType.URL:
        return Verdict(Role.URL, FieldType.URL, "web addresses")
    if profile.type is FieldType.BOOLEAN:
        return Verdict(Role.FACET, FieldType.BOOLEAN, "true or false")
    return None


def _text_or_facet(profile: Profile) -> Verdict:
    distinct = f"{profile.distinct_count:,} distinct values in {profile.row_count:,} sampled rows"
    if _is_facet(profile):
        return Verdict(Role.FACET, FieldType.TEXT, distinct)
    if profile.words_per_row > 12:  # noqa: PLR2004
        return Verdict(Role.TEXT, FieldType.TEXT, f"long text, {profile.words_per_row:.0f} words on average")
    return Verdict(Role.TEXT, FieldType.TEXT, f"text; {distinct}")


def _is_facet(profile: Profile) -> bool:
    words = set(profile.words)
    is_group = bool(words & _GROUP_WORDS)
    if profile.distinct_count > _MOST_FACET_VALUES or profile.letters_per_value > _FACET_LETTERS:
        return False
    if words & (_PARTICULAR_WORDS | _CODE_WORDS) and profile.distinct_count > _MANY_VALUES:
        return False
    if profile.words_per_value > _FACET_WORDS:
        return False
    share = _GROUP_DISTINCT if is_group else _FACET_DISTINCT
    repeated = _GROUP_REPEATED if is_group else _FACET_REPEATED
    if profile.repeated_share < repeated:
        return False
    return profile.distinct_count <= max(_MANY_VALUES, share * len(profile.values))

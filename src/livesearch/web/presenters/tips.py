"""The query language in a few examples, with the collection's own fields and values."""

from livesearch.domain import ResultPage
from livesearch.search.query import can_be_named
from livesearch.web.contexts import SearchTip, SearchTips

_GENERAL = (
    SearchTip("two words", "both, in any order"),
    SearchTip('"two words"', "side by side, in this order"),
    SearchTip("-word", "not this word"),
    SearchTip("this OR that", "one or the other"),
)
# Characters; a longer value makes no good example.
_VALUE_LENGTH = 20
# More names are a list to read, not a hint.
_FIELD_COUNT = 24


def present_tips(page: ResultPage) -> SearchTips:
    """What one can type in a collection's search box."""
    fields = tuple(field.name for field in page.collection.fields if can_be_named(field))
    return SearchTips((*_GENERAL, *_facet_tip(page), *_range_tip(page)), fields[:_FIELD_COUNT])


def present_general_tips() -> SearchTips:
    """What one can type in any search box."""
    return SearchTips(_GENERAL, ())


def _facet_tip(page: ResultPage) -> tuple[SearchTip, ...]:
    for facet in page.facets:
        values = [value.value for value in facet.values if '"' not in value.value and len(value.value) <= _VALUE_LENGTH]
        if values and can_be_named(facet.field):
            # One word makes the plainest example.
            value = next((value for value in values if len(value.split()) == 1), f'"{values[0]}"')
            meaning = f"{facet.field.label} is {value}"
            return (SearchTip(f"{facet.field.name}:{value}", meaning),)
    return ()


def _range_tip(page: ResultPage) -> tuple[SearchTip, ...]:
    for facet in page.ranges:
        if facet.minimum and facet.maximum and can_be_named(facet.field):
            name, (low, high) = facet.field.name, _narrowed(facet.minimum, facet.maximum)
            return (
                SearchTip(f"{name}:{low}..{high}", f"{facet.field.label} from {low} to {high}"),
                SearchTip(f"{name}:>={low}", f"{facet.field.label} {low} or more"),
            )
    return ()


def _narrowed(minimum: str, maximum: str) -> tuple[str, str]:
    """A part of a range of whole numbers, as nobody would ask for all of it; other ranges as they are."""
    if not (minimum.isdecimal() and maximum.isdecimal()):
        return minimum, maximum
    low, high = int(minimum), int(maximum)
    quarter = (high - low) // 4
    return str(low + quarter), str(low + 2 * quarter)

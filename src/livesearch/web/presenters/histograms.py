"""Histograms as drawings: bars over a range, those of the chosen part told apart."""

from collections.abc import Iterable
from functools import lru_cache

from livesearch.domain import Bin, Collection, Field, RangeFacet, SearchQuery
from livesearch.ingest import number_of
from livesearch.services.ranges import range_limits
from livesearch.web.contexts import Histogram

# Units of the drawing, which is stretched to the width there is: a bar with its gap, the gap, and the highest bar.
_STEP, _GAP, _HEIGHT = 10, 2, 40
# The lowest bar that can still be seen.
_LEAST = 2


def present_histogram(facet: RangeFacet, query: SearchQuery, collection: Collection) -> Histogram | None:
    """The bars of a range; None where there is nothing to compare."""
    bins = facet.histogram
    if len(bins) < 2:  # noqa: PLR2004  # one bar says nothing
        return None
    highest = max(bin_.count for bin_ in bins) or 1
    bars = [
        _draw(position, round(_HEIGHT * bin_.count / highest), bin_.count > 0) for position, bin_ in enumerate(bins)
    ]
    is_narrowed = facet.field.name in query.ranges
    chosen = [_is_chosen(bin_, facet.field, query, collection) for bin_ in bins] if is_narrowed else [False] * len(bins)
    return Histogram(
        width=_STEP * len(bins) - _GAP,
        height=_HEIGHT,
        bars=_join(bar for bar, is_chosen in zip(bars, chosen, strict=True) if not is_chosen),
        chosen_bars=_join(bar for bar, is_chosen in zip(bars, chosen, strict=True) if is_chosen),
    )


# Bars have few places and heights.
@lru_cache(maxsize=4096)
def _draw(position: int, height: int, is_there: bool) -> str:
    """A bar as the path of its outline; empty for no documents."""
    if not is_there:
        return ""
    height = max(_LEAST, height)
    return f"M{position * _STEP} {_HEIGHT}v-{height}h{_STEP - _GAP}v{height}z"


def _join(bars: Iterable[str]) -> str:
    return "".join(bars)


def _is_chosen(bin_: Bin, field: Field, query: SearchQuery, collection: Collection) -> bool:
    """Whether documents of a bin can be in the range that was chosen."""
    low, high = range_limits(collection, query, field.name)
    begin, end = (number_of(text, field.type) for text in (bin_.minimum, bin_.maximum))
    if begin is None or end is None:
        return False
    return (low is None or end > low) and (high is None or begin <= high)

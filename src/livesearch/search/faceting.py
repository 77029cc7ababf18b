"""Facet counts: how many documents each value would leave."""

from collections.abc import Iterable, Mapping, Sequence
from heapq import nsmallest

from pyroaring import BitMap

from livesearch.domain import Facet, FacetValue, Field
from livesearch.search.analysis import fold

FacetPostings = Sequence[tuple[str, BitMap]]


def leave_out(match: BitMap, allowed: Mapping[str, BitMap], field: str | None = None) -> BitMap:
    """The matches that all filters but one field's own leave: disjunctive counts are taken over these."""
    found = match
    for name, bitmap in allowed.items():
        if name != field:
            found = found & bitmap
    return found


def count_values(
    field: Field,
    postings: FacetPostings,
    base: BitMap,
    *,
    selected: Iterable[str] = (),
    limit: int = 10,
    contains: str = "",
) -> Facet:
    """Count a field's values over the documents in ``base``.

    Args:
        postings: Every value of the field with its documents.
        selected: Chosen values; they are kept even where their count is 0.
        limit: Values to give, besides chosen ones.
        contains: Give only values that hold this text, case and diacritics aside.
    """
    chosen = set(selected)
    counts = {value: base.intersection_cardinality(documents) for value, documents in postings} if base else {}
    present = {value: count for value, count in counts.items() if count}
    needle = fold(contains.strip())
    # By count, then by name: the order must not depend on how the store gave them.
    best = nsmallest(
        limit,
        (
            (-count, value)
            for value, count in present.items()
            if value not in chosen and (not needle or needle in fold(value))
        ),
    )
    kept = sorted(chosen, key=lambda value: (-counts.get(value, 0), value))
    return Facet(
        field,
        tuple(FacetValue(value, counts.get(value, 0), is_selected=True) for value in kept)
        + tuple(FacetValue(value, -count) for count, value in best),
        len(present),
    )

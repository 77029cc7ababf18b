"""Phrases, and words in one field: what postings do not tell is looked up in the documents themselves."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pyroaring import BitMap
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import Collection, SearchQuery
from livesearch.search.checking import Checker
from livesearch.search.cursors import MOST_SHOWN, decode_cursor
from livesearch.search.faceting import leave_out
from livesearch.search.matching import Match
from livesearch.search.ordering import ColumnOrder, Order
from livesearch.search.query import ParsedQuery
from livesearch.services.columns import Columns
from livesearch.services.history import Past
from livesearch.store.documents import load_documents

# Documents that are looked through, some 20 ms of work. Where they give less than the page that is asked for and some
# to spare, more are, as long as they take no more than so many seconds. Past them the count is a lower bound.
_FEWEST, _MOST, _MOST_SECONDS = 1_000, 20_000, 0.4
_TO_SPARE = 200
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Course:
    """In which order documents are looked through, and how far.

    Attributes:
        order: Of those that the words fit equally well; where a field is sorted by, of all.
        allowed: By field, what its filter or range leaves: those first.
        wanted_count: So many are enough; None looks at everything.
    """

    order: Order
    is_sorted: bool
    allowed: Mapping[str, BitMap]
    wanted_count: int | None

    @classmethod
    def of(cls, columns: Columns, query: SearchQuery, allowed: Mapping[str, BitMap], *, is_whole: bool) -> "Course":
        """The course to the page that is asked for and somewhat further, or through everything."""
        cursor = decode_cursor(query)
        shown_count = cursor.shown if cursor else (query.page - 1) * query.page_size
        if cursor and cursor.shown >= MOST_SHOWN:  # it does not tell how many more
            shown_count = _MOST
        wanted_count = None if is_whole else shown_count + query.page_size + _TO_SPARE
        return cls(order_of(columns, query), bool(query.sort), allowed, wanted_count)

    def filtered(self, documents: BitMap) -> BitMap:
        """What the filters leave of some documents."""
        return leave_out(documents, self.allowed) if self.allowed else documents

    def parts(self, found: Match, unsure: BitMap) -> Iterator[Sequence[int]]:
        """What to look at, a part at a time: as it would be shown, then what filters leave out."""
        first = self.filtered(unsure)
        for some in (first, unsure - first):
            for group in (found.all,) if self.is_sorted else found.tiers:
                numbers = self.order.best(group & some, len(some) if self.wanted_count is None else _MOST)
                yield from (numbers[at : at + _AT_ONCE] for at in range(0, len(numbers), _AT_ONCE))

    def has_enough(self, kept: BitMap) -> bool:
        """Whether the documents that were kept fill the page that is asked for, and some to spare."""
        return self.wanted_count is not None and len(self.filtered(kept)) >= self.wanted_count


@dataclass(frozen=True, slots=True)
class Checked:
    """What was kept.

    Attributes:
        is_exact: Whether everything was looked at.
    """

    found: Match
    is_exact: bool
    notices: tuple[str, ...] = ()


async def check(
    conn: AsyncConnection,
    collection: Collection,
    query: ParsedQuery,
    found: Match,
    unsure: BitMap,
    course: Course,
    *,
    past: Past | None,
) -> Checked:
    """Keep the documents that hold phrases, and words in the field they were asked for in.

    Args:
        unsure: Those of the found ones that must be looked at.
    """
    checker = Checker(query, collection)
    kept, looked_count, is_enough = found.all - unsure, 0, False
    # Where some are sure, those that are not stand between them: none of them may be left out.
    may_stop_early, deadline = not kept, time.monotonic() + _MOST_SECONDS
    for some in course.parts(found, unsure):
        if course.wanted_count is not None and looked_count >= _FEWEST:
            is_enough = may_stop_early and course.has_enough(kept)
            if is_enough or looked_count >= _MOST or time.monotonic() > deadline:
                break
        documents = await load_documents(conn, collection, some)
        documents = past.documents(some, documents) if past else documents
        kept |= BitMap(number for number, (_, document) in documents.items() if checker.holds(document))
        looked_count += len(some)
    is_exact = looked_count >= len(unsure)
    notice = f"Only {looked_count:,} of the documents that hold these words were looked through."
    return Checked(found.within(kept), is_exact, () if is_exact or is_enough else (notice,))


def order_of(columns: Columns, query: SearchQuery) -> Order:
    """The order of documents that are not scored: the chosen field's, or static rank."""
    if not query.sort:
        return columns.rank
    return ColumnOrder(columns.numbers[query.sort.removeprefix("-")], is_descending=query.sort.startswith("-"))

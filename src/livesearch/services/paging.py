"""From the documents a query finds to one page of them, best first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice

from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import Document, ScorePart
from livesearch.search.candidates import candidate_count, candidates
from livesearch.search.curations import arrange
from livesearch.search.cursors import START, Cursor, Part, decode_cursor, next_of
from livesearch.search.ordering import remaining, remaining_after
from livesearch.search.ranking import Scorer, is_prose
from livesearch.search.readings import Reading
from livesearch.services.finding import Found
from livesearch.services.sights import inward
from livesearch.store.documents import decode, load_bodies

# Bytes of documents that are read to be scored: some 5 ms of work. Rows longer than 10 kB have fewer candidates.
_READ_SIZE = 1_000_000


@dataclass(frozen=True, slots=True)
class Ranked:
    """The candidates of a search in the order of their scores.

    Attributes:
        numbers: Best first.
        scores: By number.
        documents: Key and document by number.
    """

    numbers: Sequence[int] = ()
    scores: Mapping[int, float] = field(default_factory=dict)
    documents: Mapping[int, tuple[str, Document]] = field(default_factory=dict)
    scorer: Scorer | None = None

    def explain(self, number: int, found: Found) -> tuple[ScorePart, ...]:
        """The summands of a candidate's score; none for documents that were not scored."""
        if self.scorer is None or number not in self.documents:
            return ()
        return self.scorer.explain(self.documents[number][1], found.columns.rank.score_of(number))


NOT_RANKED = Ranked()


async def rank(conn: AsyncConnection, found: Found) -> Ranked:
    """Score the candidates of a search."""
    narrowed, order = found.narrowed, found.columns.rank
    limit = candidate_count(found.parsed, is_relaxed=bool(found.most_held))
    if found.most_held:
        numbers = list(islice((number for number in found.most_held if number in narrowed.all), limit))
    else:
        numbers = candidates(narrowed, order, limit=limit)
    scorer = found.scorer()
    layout = scorer.layout
    readings: dict[int, Reading] = {}
    documents: dict[int, tuple[str, Document]] = {}
    size, bodies = 0, await load_bodies(conn, found.collection.id, numbers)
    for number in numbers:
        if number not in bodies:  # another program has deleted it, and it could not be indexed
            continue
        key, body = bodies[number]
        size += len(body)
        if documents and size > _READ_SIZE:
            break
        readings[number] = found.readings.read(layout, key, body, partial(decode, body, key, found.collection))
        documents[number] = key, readings[number].document
    static = order.scores_of([*readings])
    scores = {number: scorer.score(readings[number], worth) for number, worth in zip(readings, static, strict=True)}

    ranked = sorted(scores, key=scores.__getitem__, reverse=True)
    # Other forms of a word are as good as the word in a question, and in titles.
    literal = None if is_prose(found.parsed) else narrowed.literal
    for first in (literal, found.all_held, found.as_typed):
        if first:
            # Python's sort is stable: equal scores keep the order of tier and static rank, all others theirs.
            ranked.sort(key=first.__contains__, reverse=True)
    return Ranked(ranked, scores, documents, scorer)


def page_of(found: Found, ranked: Ranked) -> tuple[list[int], Cursor | None]:
    """The numbers of one page, and where it ended; None when nothing follows."""
    query, cursor = found.query, inward(decode_cursor(found.query), found.sight)
    offset = cursor.shown if cursor else (query.page - 1) * query.page_size
    pinned = () if query.sort else _within(found.pinned, len(found.narrowed.all))
    before = sum(place <= offset for place, _ in pinned)
    here = [(place - offset, number) for place, number in pinned[before:] if place <= offset + query.page_size]
    room, passed = query.page_size - len(here), offset - before
    # One more than there is room for, which tells whether a page follows.
    places = _places(found, ranked, cursor, passed, room + 1)
    numbers = list(arrange([place.number for place in places[:room]], here))
    if len(places) <= room and before + len(here) == len(pinned):
        return numbers, None
    # A page of nothing but pinned documents ends where the page before it did.
    ends = places[:room] or ([cursor] if cursor else _places(found, ranked, None, passed - 1, 1) if passed else [START])
    return numbers, replace(ends[-1], shown=offset + len(numbers))


def _within(pinned: Sequence[tuple[int, int]], total: int) -> list[tuple[int, int]]:
    """Pinned places, those past the end moved there."""
    first = total - len(pinned) + 1
    return [(min(place, first + at), number) for at, (place, number) in enumerate(pinned)]


def _places(found: Found, ranked: Ranked, cursor: Cursor | None, offset: int, count: int) -> list[Cursor]:
    """Some documents from a place on, with where each of them stands."""
    narrowed, order = found.narrowed, found.order
    if found.query.sort:
        numbers = (
            order.after(narrowed.all, cursor.number, cursor.score, count)
            if cursor
            else order.best(narrowed.all, count, offset=offset)
        )
        return [Cursor(Part.SORTED, number, order.score_of(number)) for number in numbers]
    if cursor and cursor.part is Part.REST:
        rest = remaining_after(narrowed.tiers, order, ranked.numbers, cursor, limit=count)
        return [Cursor(Part.REST, number, order.score_of(number), tier) for tier, number in rest]
    start = next_of(ranked.numbers, ranked.scores, cursor) if cursor else offset
    scored = ranked.numbers[start : start + count]
    places = [Cursor(Part.SCORED, number, ranked.scores[number]) for number in scored]
    passed = max(0, start - len(ranked.numbers))
    rest = remaining(narrowed.tiers, order, ranked.numbers, offset=passed, limit=count - len(scored))
    return places + [Cursor(Part.REST, number, order.score_of(number), tier) for tier, number in rest]

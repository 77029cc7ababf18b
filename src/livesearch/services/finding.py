"""From a query to the documents it finds, in one snapshot of the store.

Words are looked for as they were typed, then in other forms and as synonyms. Where that finds too little, words that
were probably meant are looked for as well; where still nothing holds all the words, those documents are found that hold
the most of them.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pyroaring import BitMap
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import ANYBODY, NUMERIC_ROLES, Collection, Role, SearchQuery, Viewer
from livesearch.search import keys
from livesearch.search.curations import CurationsOfQuery
from livesearch.search.expansion import SHORT_COUNT, Correction, corrected, expand, propose, rewritten, with_forms
from livesearch.search.faceting import leave_out
from livesearch.search.matching import Match, Postings, filter_documents, match, needs, satisfying, unsure_of
from livesearch.search.ordering import Order
from livesearch.search.query import Alternative, Clause, Kind, ParsedQuery, parse_query
from livesearch.search.ranking import Scorer, Statistics
from livesearch.search.readings import ReadingMemo
from livesearch.search.relaxing import most_held
from livesearch.search.synonyms import folded_words
from livesearch.search.vocabulary import Vocabulary
from livesearch.services.checking import Course, check, order_of
from livesearch.services.columns import ColumnCache, Columns
from livesearch.services.conditions import meet_conditions, read_conditions, reversed_notice
from livesearch.services.facets import load_columns
from livesearch.services.history import Past
from livesearch.services.ranges import range_limits, require_field
from livesearch.services.sights import Sight, SightCache
from livesearch.services.tuning import TuningCache
from livesearch.services.vocabularies import VocabularyCache
from livesearch.store.collections import list_collections
from livesearch.store.documents import find_stored
from livesearch.store.postings import chunks_of, load_unions

# With fewer documents than this, words may have been meant otherwise than they were typed, and those documents are
# found, too, that hold the most of them.
_ENOUGH = 5
# A document that holds a word in its title speaks for it as much as so many others.
_TITLED = 5
# Corrections of one word that are looked for.
_WAY_COUNT = 3


@dataclass(slots=True)
class Found:
    """A query matched against one snapshot.

    Attributes:
        parsed: What was looked for, corrections included.
        match: What satisfies the text, filters aside.
        allowed: By field, what its filter or range leaves.
        frequencies: By clause, the documents that satisfy it.
        is_exact: Whether everything was looked at.
        most_held: Where few documents hold all the words, those that do, and those that hold the most of them.
        all_held: Those of them that hold all the words.
        as_typed: Where other documents hold what was probably meant, those that hold the words as typed.
        conditions: What ``field:value`` in the text leaves; None without any.
        hidden: What an owner has hidden for this query.
        pinned: What an owner has pinned for this query: places from 1, and numbers.
        sight: What there is at all for who asks; None where that is everything.
        vocabulary: The words that were looked up; None where none were.
        readings: Of documents that were scored before.
    """

    collection: Collection
    query: SearchQuery
    parsed: ParsedQuery
    match: Match
    allowed: Mapping[str, BitMap]
    columns: Columns
    readings: ReadingMemo
    frequencies: tuple[int, ...] = ()
    corrected_query: str | None = None
    is_exact: bool = True
    most_held: tuple[int, ...] = ()
    all_held: BitMap = field(default_factory=BitMap)
    as_typed: BitMap = field(default_factory=BitMap)
    conditions: BitMap | None = None
    hidden: BitMap = field(default_factory=BitMap)
    pinned: tuple[tuple[int, int], ...] = ()
    notices: tuple[str, ...] = ()
    sight: Sight | None = None
    vocabulary: Vocabulary | None = None
    _narrowed: Match | None = field(default=None, init=False)

    @property
    def narrowed(self) -> Match:
        """What satisfies the text and all filters."""
        if self._narrowed is None:
            self._narrowed = self.match.within(leave_out(self.match.all, self.allowed)) if self.allowed else self.match
        return self._narrowed

    @property
    def is_ranked(self) -> bool:
        """Whether documents are scored: where words are looked for, and no field to sort by is chosen."""
        return bool(self.parsed.clauses) and not self.query.sort

    @property
    def order(self) -> Order:
        """The order of documents that are not scored: the chosen field's, or static rank."""
        return order_of(self.columns, self.query)

    @property
    def statistics(self) -> Statistics:
        """What scores are relative to."""
        count = self.collection.document_count
        return Statistics(count, self.collection.token_count / max(count, 1), self.frequencies)

    def scorer(self) -> Scorer:
        """What scores the documents that are found."""
        return Scorer(self.parsed, self.collection, self.statistics, with_parts=not self.most_held)


class Finder:
    """Finds documents. Its caches hold on to nothing that is no longer true."""

    def __init__(self) -> None:
        self.columns = ColumnCache()
        self.vocabularies = VocabularyCache()
        self._tuning = TuningCache()
        self._sights = SightCache()
        self._readings = ReadingMemo()

    async def warm(self, conn: AsyncConnection) -> None:
        """Read what searches will need, as far as it is kept: at a million rows that takes a second or two."""
        await self.vocabularies.warm(conn)
        for collection in await list_collections(conn):
            await load_columns(self.columns, conn, collection, SearchQuery(), with_facets=True, now=time.time())

    async def close(self) -> None:
        """Stop what is under way."""
        await self.vocabularies.close()

    async def find(
        self,
        conn: AsyncConnection,
        collection: Collection,
        query: SearchQuery,
        viewer: Viewer = ANYBODY,
        *,
        past: Past | None = None,
        is_strict: bool = False,
    ) -> Found:
        """Match a query; what the viewer may not see is not there.

        Args:
            past: To match it against the documents as they were.
            is_strict: Find what holds the words, in other forms and as synonyms too, and nothing that was perhaps meant
                or holds the most of them; and look at everything, however long that takes.

        Raises:
            InvalidInputError: A filter, range or sort names a field that cannot do it, or a range end is not a number
                or date.
        """
        parsed = parse_query(query.text, collection)
        sight = await self._sights.get(conn, collection, viewer, with_words=bool(parsed.clauses), past=past)
        columns = await self._columns(conn, collection, query, parsed)
        if past is not None:
            columns = past.columns(columns, collection)
            collection = replace(collection, document_count=len(columns.everything))
        tuning = await self._tuning.get(conn, collection)
        vocabulary = None
        if parsed.clauses and not query.is_verbatim:
            vocabulary = sight.words if sight else None
            vocabulary = vocabulary or await self.vocabularies.get(conn, collection)
            parsed = expand(parsed, vocabulary, tuning.synonyms)
        collection = sight.of(collection) if sight else collection
        visible = sight.documents if sight else None
        search = _Search(
            conn, collection, query.text, parsed, everything=columns.everything, past=past, visible=visible
        )
        await search.load((*parsed.clauses, *parsed.excluded), query.filters)
        allowed = filter_documents(query.filters, search.postings)
        reversed_ranges: list[str] = []
        for name, range_ in query.ranges.items():
            limits = range_limits(collection, query, name)
            allowed[name] = columns.numbers[name].between(*limits)
            reversed_ranges += reversed_notice(f"{name} from {range_.minimum} to {range_.maximum}", limits)
        meanings, notices = read_conditions(parsed.conditions, columns, sight.documents if sight else None)
        await search.load((), {name: values for meaning in meanings for name, values in meaning.filters.items()})
        conditions = meet_conditions(meanings, columns, search.postings)
        await search.match(conditions, vocabulary, Course.of(columns, query, allowed, is_whole=is_strict))
        found = Found(
            collection,
            query,
            search.query,
            search.found,
            allowed,
            columns,
            self._readings,
            frequencies=tuple(len(satisfying(clause, search.postings)) for clause in search.query.clauses),
            corrected_query=search.corrected_query,
            is_exact=search.is_exact,
            most_held=search.most_held,
            all_held=search.all_held,
            as_typed=search.as_typed,
            conditions=conditions,
            notices=(*parsed.notices, *notices, *reversed_ranges, *search.notices),
            sight=sight,
            vocabulary=vocabulary,
        )
        # What a text excludes it is not about; and what it names a field for must have that.
        curations = None if parsed.excluded or parsed.conditions else tuning.curations.get(folded_words(query.text))
        return await _curated(conn, found, curations) if curations else found

    async def _columns(
        self, conn: AsyncConnection, collection: Collection, query: SearchQuery, parsed: ParsedQuery
    ) -> Columns:
        sort_name = query.sort.removeprefix("-")
        for name in query.filters:
            require_field(collection, name, {Role.FACET}, "a facet")
        for name in query.ranges:
            range_limits(collection, query, name)
        if query.sort:
            require_field(collection, sort_name, NUMERIC_ROLES, "a number or a date")
        named = [condition.field for condition in parsed.conditions]
        return await self.columns.load(
            conn,
            collection,
            facets=[found.name for found in named if found.role is Role.FACET],
            orders={*query.ranges, *(found.name for found in named if found.role in NUMERIC_ROLES), sort_name} - {""},
            now=time.time(),
        )


class _Search:
    """One text on its way: what it looks for, the postings read so far, and what they say.

    Attributes:
        query: What is looked for; corrections are added as they turn out to be needed.
        found: What satisfies it.
    """

    def __init__(
        self,
        conn: AsyncConnection,
        collection: Collection,
        text: str,
        query: ParsedQuery,
        *,
        everything: BitMap,
        past: Past | None,
        visible: BitMap | None,
    ) -> None:
        # Of all documents the columns know: there is nothing to read.
        self._by_key = {keys.ALL: everything if visible is None else everything & visible}
        self._by_range: dict[tuple[str, str], BitMap] = {}
        self._asked: set[object] = {keys.ALL}
        self.query = query
        self.postings = Postings(self._by_key, self._by_range)
        self.found = Match(BitMap(), ())
        self.corrected_query: str | None = None
        self.is_exact = True
        self.notices: tuple[str, ...] = ()
        self.most_held: tuple[int, ...] = ()
        self.all_held = BitMap()
        self.as_typed = BitMap()
        self._conn = conn
        self._collection = collection
        self._text = text
        self._chunks = chunks_of(collection.next_number)
        self._past = past
        self._visible = visible

    async def load(self, clauses: Iterable[Clause], filters: Mapping[str, Iterable[str]] | None = None) -> None:
        """Read the postings that are missing."""
        wanted = needs(clauses, filters, has_titles=self._collection.title_field is not None)
        missing, ranges = wanted.keys - self._asked, list(wanted.ranges - self._asked)
        if not missing and not ranges:
            return
        found, unions = await load_unions(self._conn, self._collection.id, missing, ranges, self._chunks)
        by_range = dict(zip(ranges, unions, strict=True))
        if self._past:
            found = self._past.postings.of(missing, found)
            by_range = {part: self._past.postings.of_any(part, union) for part, union in by_range.items()}
        if self._visible is not None:
            # Here and nowhere else: whatever is found, counted or compared is made from these.
            found = {key: documents & self._visible for key, documents in found.items()}
            by_range = {part: documents & self._visible for part, documents in by_range.items()}
        self._by_key |= found
        self._by_range |= by_range
        self._asked |= wanted.keys | wanted.ranges

    async def match(self, conditions: BitMap | None, vocabulary: Vocabulary | None, course: Course) -> None:
        """Match what is asked for, then, unless strictly, what was probably meant and what holds the most of it."""
        self.found = self._matched(conditions)
        if vocabulary is not None and len(self.found.all) < _ENOUGH and course.wanted_count is not None:
            await self._match_corrected(conditions, vocabulary)
            if len(self.found.all) < _ENOUGH and len(self.query.clauses) > 1:
                self._match_most(conditions)
        if self.query.must_be_checked:
            unsure = unsure_of(self.query, self.found, self.postings)
            checked = await check(self._conn, self._collection, self.query, self.found, unsure, course, past=self._past)
            self.found, self.is_exact, self.notices = checked.found, checked.is_exact, checked.notices

    async def _match_corrected(self, conditions: BitMap | None, vocabulary: Vocabulary) -> None:
        typed = self.query
        if not await self._correct(vocabulary):
            return
        better = self._matched(conditions)
        if len(better.all) > len(self.found.all):
            self.found, self.corrected_query = better, self._corrected_text(better)
            *close, corrected_only = better.tiers
            self.as_typed = BitMap.union(*close) if corrected_only else BitMap()
        elif self.found.all:
            self.query = typed

    def _matched(self, conditions: BitMap | None) -> Match:
        found = match(self.query, self.postings)
        return found if conditions is None else found.within(conditions)

    async def _correct(self, vocabulary: Vocabulary) -> bool:
        """Add what was probably meant to the query; say whether there is anything."""
        clauses, proposals = self.query.clauses, []
        for at, clause in enumerate(clauses):
            frequency = len(satisfying(clause, self.postings))
            if frequency < _ENOUGH:
                proposal = propose(self.query, vocabulary, at, frequency=frequency)
                proposals += [proposal] if proposal else []
        if not proposals:
            return False
        wider = corrected(self.query, proposals)
        await self.load(wider.clauses)
        kept = [
            replace(proposal, ways=ways) for proposal in proposals if (ways := self._likely(proposal, wider.clauses))
        ]
        self.query = corrected(
            self.query, [replace(proposal, ways=with_forms(proposal.ways, vocabulary)) for proposal in kept]
        )
        await self.load(self.query.clauses)
        return bool(kept)

    def _likely(self, proposal: Correction, wider: Sequence[Clause]) -> tuple[Alternative, ...]:
        """The ways that go with the other words, nearest first, then those that most documents hold."""
        context: BitMap | None = None
        for at, clause in enumerate(wider):
            if at != proposal.clause:
                held = satisfying(clause, self.postings)
                context = held if context is None else context & held
        is_short = len(wider) <= SHORT_COUNT
        counted = []
        for place, way in enumerate(proposal.ways):
            held = self.postings.with_all(way.terms)
            titled = self.postings.with_all(way.terms, in_title=True)
            together, titled = (held & context, titled & context) if context else (held, titled)
            # Of prose, a word that nobody wrote is left out, unless another goes with all the other words.
            if held and (is_short or (context and together)):
                counted.append((not together, way.distance, -len(together) - _TITLED * len(titled), place, way))
        # Only the nearest: what is two edits away was hardly meant where one edit gives a word.
        return tuple(way for *rank, _, _, way in sorted(counted)[:_WAY_COUNT] if rank == list(min(counted)[:2]))

    def _corrected_text(self, found: Match) -> str | None:
        """The text with what was searched in place of the words that find nothing."""
        chosen = []
        for clause in self.query.clauses:
            ways = [way for way in clause.alternatives if way.kind is Kind.CORRECTED]
            typed = satisfying(replace(clause, alternatives=(clause.typed,)), self.postings) & found.all
            if ways and len(typed) < _ENOUGH:
                best = next((way for way in ways if self.postings.with_all(way.terms) & found.all), ways[0])
                chosen.append((clause, best))
        return rewritten(self._text, chosen).strip() if chosen else None

    def _match_most(self, conditions: BitMap | None) -> None:
        clauses = self.query.clauses
        held = [satisfying(clause, self.postings) for clause in clauses]
        titled = [
            BitMap.union(BitMap(), *(self.postings.with_all(way.terms, in_title=True) for way in clause.alternatives))
            for clause in clauses
        ]
        statistics = Statistics(self._collection.document_count, 1.0, tuple(map(len, held)))
        everything = match(replace(self.query, clauses=()), self.postings).all
        everything = everything if conditions is None else everything & conditions
        rarities = [statistics.rarity(at) for at in range(len(clauses))]
        holding = most_held(held, titled, rarities, everything)
        whole = self.found
        groups = tuple(group - whole.all for group in holding.groups)
        self.found = Match(BitMap.union(whole.all, *groups), (*whole.tiers, *groups))
        # Those that hold all the words come first, however well others fit.
        self.all_held = whole.all
        self.most_held = tuple(dict.fromkeys((*whole.all, *holding.best)))
        if holding.best:
            self.corrected_query = self._corrected_text(self.found)


async def _curated(conn: AsyncConnection, found: Found, curations: CurationsOfQuery) -> Found:
    """Leave out what an owner has hidden for the query, and find what is pinned to it, where filters leave it."""
    named = {*curations.hidden, *(key for _, key in curations.pinned)}
    numbers = {key: number for key, (number, _) in (await find_stored(conn, found.collection.id, named)).items()}
    hidden = BitMap(numbers[key] for key in curations.hidden if key in numbers)
    allowed = leave_out(found.sight.documents if found.sight else found.columns.everything, found.allowed)
    pinned = tuple(
        (place, numbers[key]) for place, key in curations.pinned if key in numbers and numbers[key] in allowed
    )
    fixed = BitMap(number for _, number in pinned)
    shown = Match((found.match.all - hidden) | fixed, tuple(tier - hidden - fixed for tier in found.match.tiers))
    return replace(found, match=replace(shown, literal=found.match.literal), hidden=hidden, pinned=pinned)

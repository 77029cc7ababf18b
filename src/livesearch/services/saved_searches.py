"""Saved searches: what somebody comes back to, and how much of it is new.

What a search finds is here exactly what its words, filters and ranges say: in other forms and as synonyms too, as on
its page, but nothing that was perhaps meant, nothing that holds only most of the words, and all of it is looked at. So
the number of new documents is a difference of two sets, and does not depend on what else there is.
"""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from pyroaring import BitMap
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import Collection, DigestRhythm, ResultPage, SavedSearch, SavedSearchState, SearchQuery, User
from livesearch.errors import ConflictError, InvalidInputError, LivesearchError, NotFoundError
from livesearch.services.change_tokens import ChangeTokens, Tokens
from livesearch.services.finding import Found
from livesearch.services.opening import open_collection
from livesearch.services.policy import Actor
from livesearch.services.search import SearchService
from livesearch.services.transactions import Transactions
from livesearch.store import saved_searches as store

SEARCH_LIMIT = 50
NAME_LENGTH = 100
# New documents that are shown at once.
_SHOWN_COUNT = 100
# Documents of a search that a mail names.
_TITLE_COUNT = 5
# 192 random bits.
_TOKEN_BYTES = 24
# Searches whose counts are kept, in memory: some hundred bytes each.
_KEPT_COUNT = 10_000


@dataclass(frozen=True, slots=True)
class _Counted:
    """A count, and what it was true of."""

    state: tuple[object, ...]
    total: int
    new_count: int


@dataclass(frozen=True, slots=True)
class Untold:
    """What somebody does not know yet of a saved search.

    Attributes:
        numbers: Of the documents.
        titles: Of the newest of them.
    """

    saved: SavedSearch
    numbers: BitMap
    titles: tuple[str, ...]


class SavedSearchService:
    """Saves searches and tells what is new in them.

    Args:
        clock: Tells Unix seconds, UTC.
    """

    def __init__(
        self,
        transactions: Transactions,
        search: SearchService,
        change_tokens: ChangeTokens,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._transactions = transactions
        self._search = search
        self._change_tokens = change_tokens
        self._clock = clock
        self._counted: OrderedDict[int, _Counted] = OrderedDict()

    async def save(self, user: User, collection: str, query: SearchQuery, name: str = "") -> SavedSearch:
        """Save a search; what it finds now has been seen. Of corrected words, those that were searched are saved.

        Args:
            name: What its owner calls it; empty for its words.

        Raises:
            CollectionNotFoundError: No collection has the name.
            InvalidInputError: As for ``SearchService.search``, or the name is too long.
            ConflictError: The user has 50 already.
        """
        name = checked_name(name)
        async with open_collection(self._transactions, collection) as (conn, opened):
            query = await self._meant(conn, opened, query, user)
            found = await self._find(conn, opened, query, user)
        async with self._transactions.write() as conn:
            if await store.count_saved_searches(conn, user.id) >= SEARCH_LIMIT:
                raise ConflictError(
                    f"You have {SEARCH_LIMIT} saved searches, which is as many as there can be. Delete one."
                )
            added = await store.add_saved_search(
                conn,
                user.id,
                opened,
                name=name or _name_of(query, opened),
                query=query,
                seen=found.narrowed.all,
                now=self._clock(),
            )
            return await _require(conn, user, added)

    async def list_of(self, user: User) -> Sequence[SavedSearch]:
        """A user's saved searches, in the order in which they were saved."""
        async with self._transactions.read() as conn:
            return await store.list_saved_searches(conn, user.id)

    async def overview(self, user: User) -> tuple[SavedSearchState, ...]:
        """A user's saved searches with how much is new in each; those with news first, then as they were saved."""
        tokens = await self._change_tokens.read()
        states = [await self._state(saved, user, tokens) for saved in await self.list_of(user)]
        return tuple(sorted(states, key=lambda state: not state.new_count))

    async def _state(self, saved: SavedSearch, user: User, tokens: Tokens) -> SavedSearchState:
        known, token = self._counted.get(saved.id), tokens.get(saved.collection)
        state = _state_of(saved, user, token.id, token.version) if token is not None and token.is_settled else None
        if known is not None and known.state == state:
            self._counted.move_to_end(saved.id)
            return SavedSearchState(saved, known.total, known.new_count)
        try:
            return await self._count(saved, user)
        except LivesearchError as error:
            # One search that cannot be answered, for its field is gone or it takes too long, is no reason to show none.
            return SavedSearchState(saved, fault=str(error))

    async def _count(self, saved: SavedSearch, user: User) -> SavedSearchState:
        async with open_collection(self._transactions, saved.collection) as (conn, opened):
            documents = (await self._find(conn, opened, saved.query, user)).narrowed.all
            seen = (await store.load_sets(conn, [saved.id], "seen")).get(saved.id, documents)
        new_count = len(documents) - documents.intersection_cardinality(seen)
        state = _state_of(saved, user, opened.id, opened.version)
        self._keep(saved.id, _Counted(state, len(documents), new_count))
        return SavedSearchState(saved, len(documents), new_count)

    def _keep(self, search_id: int, counted: _Counted) -> None:
        self._counted[search_id] = counted
        self._counted.move_to_end(search_id)
        while len(self._counted) > _KEPT_COUNT:
            self._counted.popitem(last=False)

    async def mark_seen(self, user: User, search_id: int | None = None) -> None:
        """Take what a search finds as seen, or what each of the user's finds. What was new stays marked so.

        Raises:
            NotFoundError: The user has no such search.
            InvalidInputError: A field that it names is gone, or cannot do that any more; where all are meant, such
                searches stay as they are.
        """
        every = await self.list_of(user)
        chosen = [saved for saved in every if search_id in {None, saved.id}]
        if search_id is not None and not chosen:
            raise _is_gone()
        marks = []
        for saved in chosen:
            try:
                async with open_collection(self._transactions, saved.collection) as (conn, opened):
                    found = await self._find(conn, opened, saved.query, user)
                marks.append((saved, found.narrowed.all, opened.version))
            except LivesearchError:
                if search_id is not None:
                    raise
        # One commit for all: each waits for the disk.
        async with self._transactions.write() as conn:
            for saved, documents, version in marks:
                await store.mark_seen(conn, saved, documents, version, now=self._clock())

    async def fresh(self, user: User, search_id: int) -> tuple[SavedSearch, ResultPage]:
        """What was new when a search was last marked as seen and is still found, newest first.

        Returns:
            The search, and a page of at most 100 documents whose total is that of all such.

        Raises:
            NotFoundError: The user has no such search.
            InvalidInputError: As for ``mark_seen``.
        """
        async with self._transactions.read() as conn:
            saved = await _require(conn, user, search_id)
        async with open_collection(self._transactions, saved.collection) as (conn, opened):
            fresh = (await store.load_sets(conn, [saved.id], "fresh")).get(saved.id, BitMap())
            query = replace(saved.query, page_size=_SHOWN_COUNT)
            found = await self._find(conn, opened, query, user)
            shown = found.narrowed.all & fresh
            hits = await self._search.hits_of(conn, found, _newest(shown))
        return saved, ResultPage(query=query, collection=opened, hits=hits, total=len(shown), version=opened.version)

    async def untold(self, user: User, saved: SavedSearch) -> Untold:
        """What a search finds that its owner has neither seen nor been written to about.

        Raises:
            InvalidInputError: As for ``mark_seen``; also QueryTimeoutError.
        """
        async with open_collection(self._transactions, saved.collection) as (conn, opened):
            found = await self._find(conn, opened, saved.query, user)
            numbers = found.narrowed.all
            for name in ("seen", "told"):
                numbers = numbers - (await store.load_sets(conn, [saved.id], name)).get(saved.id, numbers)
            hits = await self._search.hits_of(conn, found, list(_newest(numbers))[:_TITLE_COUNT])
        return Untold(saved, numbers, tuple("".join(segment.text for segment in hit.title) for hit in hits))

    async def change(self, user: User, search_id: int, *, name: str = "", digest: DigestRhythm | None = None) -> None:
        """Call a search otherwise, or have its owner written to otherwise.

        Args:
            name: Empty leaves it as it is.
            digest: None leaves it as it is.

        Raises:
            NotFoundError: The user has no such search.
            InvalidInputError: The name is too long.
        """
        name = checked_name(name)
        async with self._transactions.write() as conn:
            saved = await _require(conn, user, search_id)
            values: dict[str, object] = {"name": name or saved.name}
            if digest is not None and digest is not saved.digest:
                values |= {"digest": digest.value, "stop_token": secrets.token_urlsafe(_TOKEN_BYTES)}
            await store.change_saved_search(conn, user.id, search_id, **values)

    async def delete(self, user: User, search_id: int) -> None:
        """Forget a search.

        Raises:
            NotFoundError: The user has no such search.
        """
        async with self._transactions.write() as conn:
            if not await store.delete_saved_search(conn, user.id, search_id):
                raise _is_gone()

    async def _find(self, conn: AsyncConnection, collection: Collection, query: SearchQuery, user: User) -> Found:
        return await self._search.finder.find(conn, collection, query, Actor(user=user).viewer, is_strict=True)

    async def _meant(
        self, conn: AsyncConnection, collection: Collection, query: SearchQuery, user: User
    ) -> SearchQuery:
        """The search with the words that were searched in place of those that were typed; of it all, no page."""
        found = await self._search.finder.find(conn, collection, query, Actor(user=user).viewer)
        return SearchQuery(
            text=(found.corrected_query or query.text).strip() + (" " if query.text.endswith(" ") else ""),
            filters=query.filters,
            ranges=query.ranges,
            sort=query.sort,
            is_verbatim=query.is_verbatim,
        )


def _state_of(saved: SavedSearch, user: User, collection_id: int, version: int) -> tuple[object, ...]:
    """What a count depends on."""
    return collection_id, version, saved.mark_count, Actor(user=user).viewer


def checked_name(name: str) -> str:
    """A name on one line, without spaces around it.

    Raises:
        InvalidInputError: It is longer than 100 characters.
    """
    name = one_line(name)
    if len(name) > NAME_LENGTH:
        raise InvalidInputError(f"A name has {NAME_LENGTH} characters at most, and this one {len(name)}.")
    return name


def one_line(text: str) -> str:
    """A text as it can be a name, or stand in the head of a mail."""
    return " ".join(text.replace("\0", " ").split())


def _name_of(query: SearchQuery, collection: Collection) -> str:
    values = [value for chosen in query.filters.values() for value in chosen]
    values += [f"{field} {chosen.minimum or ''}..{chosen.maximum or ''}" for field, chosen in query.ranges.items()]
    return (one_line(", ".join(filter(None, [query.text.strip(), *values]))) or collection.label)[:NAME_LENGTH]


def _newest(numbers: BitMap) -> Iterable[int]:
    """The last documents that came, newest first."""
    return list(reversed(numbers[-_SHOWN_COUNT:])) if numbers else []


def _is_gone() -> NotFoundError:
    return NotFoundError("There is no such saved search any more.")


async def _require(conn: AsyncConnection, user: User, search_id: int) -> SavedSearch:
    found = await store.find_saved_search(conn, user.id, search_id)
    if found is None:
        raise _is_gone()
    return found

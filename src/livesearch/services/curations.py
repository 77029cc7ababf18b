"""Curations: documents pinned to a place, or hidden, for one query."""

from collections.abc import Mapping

from livesearch.domain import ANYBODY, Curation, Viewer
from livesearch.errors import ConflictError, DocumentNotFoundError, InvalidInputError, NotFoundError
from livesearch.search.analysis import written
from livesearch.search.query import parse_query
from livesearch.search.synonyms import WORD_COUNT, folded_words
from livesearch.services.opening import require_collection
from livesearch.services.sights import visible_documents
from livesearch.services.transactions import Transactions
from livesearch.services.tuning import changing
from livesearch.store import curations as store
from livesearch.store.documents import find_document, find_stored

# The last place one can pin to: nobody reads on so far for a document that was meant to stand out.
LAST_PLACE = 100
# Of one query, and of a collection: all of a collection are kept in memory.
QUERY_CURATION_COUNT, CURATION_COUNT = 200, 10_000


class CurationService:
    """Lists and changes what is pinned and hidden."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def list_all(self, name: str, viewer: Viewer = ANYBODY) -> tuple[Curation, ...]:
        """All curations of a collection, by query, then by place; hidden documents last.

        Those of documents that the viewer may not see are left out.

        Raises:
            CollectionNotFoundError: No collection has the name.
        """
        async with self._transactions.read() as conn:
            collection = await require_collection(conn, name)
            found = await store.load_curations(conn, collection.id)
            visible = await visible_documents(conn, collection, viewer)
            if visible is None:
                return found
            stored = await find_stored(conn, collection.id, {curation.document_key for curation in found})
            shown = {key for key, (number, _) in stored.items() if number in visible}
            return tuple(curation for curation in found if curation.document_key in shown)

    async def pin(self, name: str, query: str, key: str, *, position: int | None = None) -> Curation:
        """Pin a document to a place in the results of a query; one that is pinned or hidden already is moved.

        Args:
            query: As a person types it; case, accents and punctuation do not matter.
            position: From 1 to 100; by default the first place that no other document is pinned to.

        Raises:
            CollectionNotFoundError: No collection has the name.
            DocumentNotFoundError: No document has the key.
            InvalidInputError: The query has no word or more than 12, the place is none, or there are too many
                curations.
            ConflictError: Another document is pinned to the place.
        """
        if position is not None and not 1 <= position <= LAST_PLACE:
            raise InvalidInputError(f"{position} is no place: pin to one from 1 to {LAST_PLACE}.")
        return await self._put(name, query, key, position=position, is_pinned=True)

    async def hide(self, name: str, query: str, key: str) -> Curation:
        """Leave a document out of the results of a query; one that is pinned there is hidden instead.

        Raises:
            CollectionNotFoundError: No collection has the name.
            DocumentNotFoundError: No document has the key.
            InvalidInputError: The query has no word or more than 12, excludes something or names a field, or there are
                too many curations.
        """
        return await self._put(name, query, key, position=None, is_pinned=False)

    async def remove(self, name: str, curation_id: int) -> Curation:
        """Let a query rank a document as any other again.

        Raises:
            CollectionNotFoundError: No collection has the name.
            NotFoundError: The collection has no such curation.
        """
        async with changing(self._transactions, name) as (conn, collection):
            found = await store.find_curation(conn, collection.id, curation_id)
            if found is None:
                raise NotFoundError(f"There is no curation {curation_id} in “{name}”.")
            await store.delete_curation(conn, found.id)
            return found

    async def unpin(self, name: str, query: str, key: str) -> Curation:
        """As ``remove``, by query and key; the document need not be there any more.

        Raises:
            CollectionNotFoundError: No collection has the name.
            NotFoundError: The document is neither pinned nor hidden for the query.
        """
        folded = folded_words(query)
        async with changing(self._transactions, name) as (conn, collection):
            there = await store.curations_of(conn, collection.id, folded)
            found = next((curation for curation in there if curation.document_key == key), None)
            if found is None:
                raise NotFoundError(f"“{key}” is neither pinned nor hidden for “{folded}” in “{name}”.")
            await store.delete_curation(conn, found.id)
            return found

    async def _put(self, name: str, query: str, key: str, *, position: int | None, is_pinned: bool) -> Curation:
        folded = _checked(query)
        async with changing(self._transactions, name) as (conn, collection):
            parsed = parse_query(query, collection)
            if parsed.excluded or parsed.conditions:
                raise InvalidInputError(
                    f"“{query[:80]}” cannot be curated: leave out -words and field:value, only the words count."
                )
            if await find_document(conn, collection, key) is None:
                raise DocumentNotFoundError(name, key)
            there = await store.curations_of(conn, collection.id, folded)
            others = {c.position: c.document_key for c in there if c.position and c.document_key != key}
            if is_pinned:
                position = _free_place(folded, others, position)
            found = next((curation for curation in there if curation.document_key == key), None)
            if found:
                await store.move_curation(conn, found.id, position)
                return Curation(found.id, folded, key, position)
            if len(there) >= QUERY_CURATION_COUNT:
                raise InvalidInputError(f"“{folded}” has {len(there)} curations, and no query takes more. Remove some.")
            if await store.count_curations(conn, collection.id) >= CURATION_COUNT:
                raise InvalidInputError(f"“{name}” has {CURATION_COUNT:,} curations, its limit. Remove some.")
            made = Curation(0, folded, key, position)
            return Curation(await store.add_curation(conn, collection.id, made), folded, key, position)


def _checked(query: str) -> str:
    folded = folded_words(query)
    if not folded or written(folded).count(" ") >= WORD_COUNT:
        raise InvalidInputError(f"“{query[:80]}” cannot be curated: a query has 1 to {WORD_COUNT} words.")
    return folded


def _free_place(query: str, others: Mapping[int, str], wanted: int | None) -> int:
    """The place that is wanted, or the first that is free."""
    place = wanted or next(place for place in range(1, LAST_PLACE + 2) if place not in others)
    if place > LAST_PLACE:
        raise InvalidInputError(f"Every place up to {LAST_PLACE} of “{query}” is taken. Unpin a document first.")
    if place in others:
        raise ConflictError(
            f"“{others[place]}” is pinned to place {place} of “{query}”. Unpin it first, or choose another place."
        )
    return place

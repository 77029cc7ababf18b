"""Shortlists: what somebody keeps in mind, with what it stands for, and the link that shows it to others."""

import secrets
from collections.abc import Iterable, Sequence

from livesearch.domain import ANYBODY, Place, SharedShortlist, ShortlistedDocument, ShortlistEntry, User, Viewer
from livesearch.errors import CollectionNotFoundError, NotFoundError
from livesearch.search.visibility import may_see
from livesearch.services.documents import DocumentService
from livesearch.services.opening import open_collection
from livesearch.services.shortlisting import Change, Entries, merging
from livesearch.services.transactions import Transactions
from livesearch.store import shortlists as store
from livesearch.store.documents import find_stored, load_documents

# 192 random bits.
_TOKEN_BYTES = 24


class ShortlistService:
    """Keeps what signed-in users keep in mind, and shows what anybody does."""

    def __init__(self, transactions: Transactions, documents: DocumentService) -> None:
        self._transactions = transactions
        self._documents = documents

    async def require_document(self, place: Place, viewer: Viewer = ANYBODY) -> None:
        """See whether there is such a document for a viewer.

        Raises:
            DocumentNotFoundError: There is none; also CollectionNotFoundError.
        """
        await self._documents.get(place.collection, place.key, viewer=viewer)

    async def entries_of(self, user: User) -> Entries:
        """What a user keeps, in their order."""
        async with self._transactions.read() as conn:
            return await store.load_shortlist(conn, user.id)

    async def change(self, user: User, change: Change) -> Entries:
        """Change what a user keeps. Changes that come at once are made one after the other: none is lost.

        Raises:
            ConflictError: As the change has it; so are InvalidInputError and NotFoundError.
        """
        async with self._transactions.write() as conn:
            before = await store.lock_shortlist(conn, user.id)
            after = change(before)
            if after != before:
                await store.save_shortlist(conn, user.id, after)
        return after

    async def merge(self, user: User, brought: Sequence[ShortlistEntry]) -> None:
        """Keep what a visitor kept who turned out to be this user."""
        if brought:
            await self.change(user, merging(brought))

    async def show(
        self, entries: Iterable[ShortlistEntry], viewer: Viewer = ANYBODY
    ) -> tuple[ShortlistedDocument, ...]:
        """The documents of entries, in their order; what is gone, or hidden, is there without its document."""
        wanted = list(entries)
        by_collection: dict[str, list[ShortlistEntry]] = {}
        for entry in wanted:
            by_collection.setdefault(entry.place.collection, []).append(entry)
        found: dict[Place, ShortlistedDocument] = {}
        for name, some in by_collection.items():
            found |= await self._documents_of(name, some, viewer)
        return tuple(found.get(entry.place, ShortlistedDocument(entry)) for entry in wanted)

    async def _documents_of(
        self, name: str, entries: Iterable[ShortlistEntry], viewer: Viewer
    ) -> dict[Place, ShortlistedDocument]:
        by_key = {entry.place.key: entry for entry in entries}
        try:
            async with open_collection(self._transactions, name) as (conn, collection):
                numbers = [number for number, _ in (await find_stored(conn, collection.id, by_key)).values()]
                documents = await load_documents(conn, collection, [number for number in numbers if number >= 0])
        except CollectionNotFoundError:
            return {}
        return {
            by_key[key].place: ShortlistedDocument(by_key[key], collection, document)
            for key, document in documents.values()
            if key in by_key and may_see(collection.settings.visibility, viewer, document)
        }

    async def share_token(self, user: User) -> str | None:
        """The secret of the link to a user's list, if there is one."""
        async with self._transactions.read() as conn:
            return await store.find_share_token(conn, user.id)

    async def share(self, user: User) -> None:
        """Make a link that shows a user's list to whoever has it, in place of any older one."""
        await self._set_token(user, secrets.token_urlsafe(_TOKEN_BYTES))

    async def unshare(self, user: User) -> None:
        """End the link to a user's list."""
        await self._set_token(user, None)

    async def _set_token(self, user: User, token: str | None) -> None:
        async with self._transactions.write() as conn:
            await store.lock_shortlist(conn, user.id)
            await store.set_share_token(conn, user.id, token)

    async def shared(self, token: str) -> SharedShortlist:
        """The list behind a link.

        Raises:
            NotFoundError: There is no such link, it has ended, or its owner may not sign in any more.
        """
        async with self._transactions.read() as conn:
            found = None if "\0" in token else await store.find_shared(conn, token)
        if found is None:
            raise NotFoundError("This link shows nothing any more. Ask whoever sent it for another.")
        return found

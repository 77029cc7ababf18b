"""Shortlists of users, on both stores."""

import asyncio

import pytest

from livesearch.domain import Place, Role, ShortlistEntry, User, UserRole
from livesearch.errors import DocumentNotFoundError, NotFoundError
from livesearch.services import Services
from livesearch.services.shortlisting import adding, clearing, merging
from tests.services.conftest import LoadRows

pytestmark = pytest.mark.asyncio(loop_scope="session")

A, B = (ShortlistEntry(Place("games", key)) for key in "ab")


async def _user(services: Services, name: str) -> User:
    known = {user.name: user for user in await services.accounts.list_all()}
    return known.get(name) or await services.accounts.add(name, "correct horse", role=UserRole.VIEWER)


async def test_adds_at_once_are_all_kept(store: Services) -> None:
    user = await _user(store, "parallel")
    await store.shortlists.change(user, clearing())
    places = [Place("games", str(number)) for number in range(8)]

    await asyncio.gather(*(store.shortlists.change(user, adding(place, limit=500)) for place in places))

    assert {entry.place for entry in await store.shortlists.entries_of(user)} == set(places)


async def test_list_is_ones_own_and_goes_with_its_user(store: Services) -> None:
    ann, bob = await _user(store, "ann"), await _user(store, "bob")
    await store.shortlists.change(ann, merging([A, ShortlistEntry(B.place, "a note\0")]))

    assert await store.shortlists.entries_of(bob) == ()
    assert await store.shortlists.entries_of(ann) == (A, ShortlistEntry(B.place, "a note\0"))
    await store.accounts.delete("ann")
    assert await store.shortlists.entries_of(ann) == ()


async def test_shown_documents_are_in_order_and_those_that_are_gone_are_said_to_be(
    store: Services, load_rows: LoadRows
) -> None:
    rows = [{"id": str(number), "title": f"Row {number}"} for number in range(4)]
    name = await load_rows(store, rows, {"title": Role.TITLE})
    await store.documents.delete(name, "2")
    entries = [ShortlistEntry(Place(name, key)) for key in "3210"] + [ShortlistEntry(Place("nonsense", "1"))]

    shown = await store.shortlists.show(entries)

    assert [(one.entry.place.key, one.document.get("title")) for one in shown] == [
        ("3", "Row 3"),
        ("2", None),
        ("1", "Row 1"),
        ("0", "Row 0"),
        ("1", None),
    ]
    assert [one.collection is None for one in shown] == [False, True, False, False, True]


async def test_only_documents_that_are_there_are_taken(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, [{"id": "1", "title": "Row"}], {"title": Role.TITLE})

    await store.shortlists.require_document(Place(name, "1"))
    with pytest.raises(DocumentNotFoundError):
        await store.shortlists.require_document(Place(name, "2"))


async def test_link_shows_the_list_until_it_is_ended(store: Services) -> None:
    user = await _user(store, "sharer")
    await store.shortlists.change(user, adding(A.place, limit=500))
    await store.shortlists.share(user)
    first = await store.shortlists.share_token(user)
    assert first is not None

    assert (await store.shortlists.shared(first)).entries == (A,)
    await store.shortlists.share(user)
    second = await store.shortlists.share_token(user)
    assert second is not None
    for token in (first, "nonsense", "\0"):
        with pytest.raises(NotFoundError):
            await store.shortlists.shared(token)
    await store.accounts.set_active("sharer", is_active=False)
    with pytest.raises(NotFoundError):
        await store.shortlists.shared(second)
    await store.accounts.set_active("sharer", is_active=True)
    await store.shortlists.unshare(user)
    with pytest.raises(NotFoundError):
        await store.shortlists.shared(second)
    assert await store.shortlists.share_token(user) is None

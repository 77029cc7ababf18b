"""The audit trail of documents, and taking back the last change; on both stores."""

import pytest

from livesearch.domain import (
    OPERATOR,
    Role,
    SearchQuery,
    UserRole,
    Viewer,
    VisibilityRule,
    VisibleTo,
)
from livesearch.errors import ConflictError, DocumentNotFoundError, NotFoundError
from livesearch.services import Services
from livesearch.services.imports import ImportOptions
from tests.conftest import WriteRows
from tests.services.conftest import LoadRows

pytestmark = pytest.mark.asyncio(loop_scope="session")

_ROLES = {"title": Role.TITLE, "year": Role.SORT, "owner": Role.HIDDEN}
_ROWS: list[dict[str, object]] = [
    {"id": "a", "title": "Zelda", "year": 1987, "owner": "ann"},
    {"id": "b", "title": "Mario", "year": 1985, "owner": "bob"},
]


async def _found(store: Services, name: str, text: str) -> set[str]:
    return {hit.key for hit in (await store.search.search(name, SearchQuery(text), viewer=OPERATOR)).hits}


async def test_every_change_is_written_down(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, _ROWS, _ROLES)

    made = await store.documents.put(name, "c", {"title": "Metroid"}, who="Ann")
    same = await store.documents.put(name, "c", {"title": "Metroid"}, who="Ann")
    changed = await store.documents.put(name, "c", {"title": "Metroid II"}, who="Bob")
    deleted = await store.documents.delete(name, "c", who="Ann")

    trail = await store.editing.history(name, "c")
    assert [(c.id, c.who, c.before, c.after) for c in trail] == [
        (deleted.change_id, "Ann", {"id": "c", "title": "Metroid II"}, None),
        (changed.change_id, "Bob", {"id": "c", "title": "Metroid"}, {"id": "c", "title": "Metroid II"}),
        (made.change_id, "Ann", None, {"id": "c", "title": "Metroid"}),
    ]
    assert same.change_id is None
    assert trail[0].at >= trail[1].at >= trail[2].at > 1_700_000_000
    assert await store.editing.history(name, "a") == ()


async def test_documents_put_together_are_written_down_each(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, _ROWS, _ROLES)

    written = await store.documents.put_many(name, [("a", _ROWS[0]), ("x", {"title": "X"}), ("b", {"title": "Y"})])

    assert [one.change_id is None for one in written] == [True, False, False]
    for key, one in zip("xb", written[1:], strict=True):
        assert [change.id for change in await store.editing.history(name, key)] == [one.change_id]


async def test_change_is_undone_and_done_again(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, _ROWS, _ROLES)
    written = await store.documents.put(name, "a", {"title": "Ganon"})
    assert written.change_id

    undone = await store.editing.undo(name, written.change_id, who="Ann")

    assert (undone.key, undone.after) == ("a", _ROWS[0])
    assert (await store.documents.get(name, "a"))[1] == _ROWS[0]
    assert (await _found(store, name, "zelda"), await _found(store, name, "ganon")) == ({"a"}, set())
    assert (await store.editing.undo(name, undone.change_id)).after == {"id": "a", "title": "Ganon"}
    assert await _found(store, name, "ganon") == {"a"}
    assert [change.who for change in await store.editing.history(name, "a")] == ["", "Ann", ""]


async def test_new_and_deleted_documents_are_undone(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, _ROWS, _ROLES)
    made = await store.documents.put(name, "c", {"title": "Metroid"})
    deleted = await store.documents.delete(name, "b")
    assert made.change_id

    await store.editing.undo(name, made.change_id)
    await store.editing.undo(name, deleted.change_id)

    assert (await _found(store, name, "metroid"), await _found(store, name, "mario")) == (set(), {"b"})
    assert (await store.documents.get(name, "b"))[1] == _ROWS[1]
    with pytest.raises(DocumentNotFoundError):
        await store.documents.get(name, "c")


async def test_undo_overwrites_nothing(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, _ROWS, _ROLES)
    first = await store.documents.put(name, "a", {"title": "Ganon"})
    await store.documents.put(name, "a", {"title": "Link"})
    made = await store.documents.put(name, "c", {"title": "Metroid"})
    await store.documents.delete(name, "c")
    assert first.change_id
    assert made.change_id

    for change_id in (first.change_id, made.change_id):
        with pytest.raises(ConflictError, match="was changed again meanwhile"):
            await store.editing.undo(name, change_id)
    for nobodys in (0, -1, 2**31 - 1, 2**70):
        with pytest.raises(NotFoundError, match="There is no change"):
            await store.editing.undo(name, nobodys)

    assert await _found(store, name, "link") == {"a"}


async def test_trail_shows_nothing_of_what_was_hidden(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, _ROWS, _ROLES)
    await store.visibility.change(name, VisibilityRule(VisibleTo.OWNER, None, "owner"))
    given = await store.documents.put(name, "b", {"title": "Mario", "owner": "ann"}, viewer=OPERATOR)
    await store.documents.put(name, "b", {"title": "Mario 2", "owner": "ann"}, viewer=OPERATOR)
    ann = Viewer("ann", UserRole.EDITOR)
    assert given.change_id

    trail = await store.editing.history(name, "b", viewer=ann)

    assert [change.before for change in trail] == [{"id": "b", "title": "Mario", "owner": "ann"}]
    assert len(await store.editing.history(name, "b", viewer=OPERATOR)) == 2
    with pytest.raises(NotFoundError):
        await store.editing.undo(name, given.change_id, viewer=ann)


async def test_trail_stays_when_the_collection_is_replaced(
    store: Services, load_rows: LoadRows, write_rows: WriteRows
) -> None:
    name = await load_rows(store, _ROWS, _ROLES)
    await store.documents.put(name, "a", {"title": "Ganon"}, who="Ann")

    await store.imports.run(write_rows(name, _ROWS), ImportOptions(key="id", roles=_ROLES, replace=True))

    assert [change.who for change in await store.editing.history(name, "a")] == ["Ann"]

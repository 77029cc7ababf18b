"""Collections and documents."""

import pytest

from livesearch.errors import CollectionNotFoundError, DocumentNotFoundError
from livesearch.services import Services
from livesearch.services.imports import ImportOptions
from livesearch.store.collections import stored_bytes
from tests.conftest import WriteRows


async def test_drop_removes_all_that_belongs_to_a_collection(services: Services, write_rows: WriteRows) -> None:
    rows: list[dict[str, object]] = [{"id": str(n), "title": f"Title {n}", "n": n} for n in range(20)]
    await services.imports.run(write_rows("kept", rows), ImportOptions(key="id"))
    await services.imports.run(write_rows("gone", rows), ImportOptions(key="id"))
    gone = await services.collections.get("gone")

    await services.collections.drop("gone")

    assert [collection.name for collection in await services.collections.list_all()] == ["kept"]
    with pytest.raises(CollectionNotFoundError):
        await services.collections.drop("gone")
    async with services.transactions.read() as conn:
        assert await stored_bytes(conn, gone.id) == (0, 0)
    kept = await services.collections.size("kept")
    assert kept.documents > 0
    assert kept.index > 0


async def test_documents_are_found_by_key_as_the_source_had_them(services: Services, write_rows: WriteRows) -> None:
    row: dict[str, object] = {"id": "a/b c?", "title": "Zürich", "list": ["x", "y"], "n": 1.5, "flag": True}
    await services.imports.run(write_rows("rows", [row, {**row, "id": "other"}]), ImportOptions(key="id"))

    collection, document = await services.documents.get("rows", "a/b c?")

    assert collection.name == "rows"
    assert document == row
    with pytest.raises(DocumentNotFoundError, match="There is no document “absent” in “rows”"):
        await services.documents.get("rows", "absent")


async def test_integrity_names_a_posting_that_is_wrong(services: Services, write_rows: WriteRows) -> None:
    await services.imports.run(
        write_rows("rows", [{"id": str(n), "title": f"Title {n}"} for n in range(5)]), ImportOptions(key="id")
    )
    assert await services.integrity.check() == []

    async with services.transactions.write() as conn:
        await conn.exec_driver_sql("DELETE FROM postings WHERE key = 'wtitle'")

    assert await services.integrity.check() == ["rows: 1 postings differ from the documents, as of 'wtitle'."]

"""Collections and documents."""

import pytest

from livesearch.domain import Role, SearchQuery
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


async def test_a_collection_made_anew_shares_nothing_with_the_one_before(
    services: Services, write_rows: WriteRows
) -> None:
    roles = {"title": Role.TITLE, "kind": Role.FACET, "n": Role.SORT}
    query = SearchQuery(sort="-n")

    for kind, count in (("old", 20), ("new", 60)):
        rows: list[dict[str, object]] = [{"id": f"{kind}{n}", "title": "t", "kind": kind, "n": n} for n in range(count)]
        await services.imports.run(write_rows("rows", rows), ImportOptions(key="id", roles=roles))
        page = await services.search.search("rows", query)
        await services.collections.drop("rows")

    assert page.hits[0].key == "new59"
    assert [value.value for value in page.facets[0].values] == ["new"]


async def test_a_replacement_that_is_being_built_is_nobodys_collection(
    services: Services, write_rows: WriteRows
) -> None:
    source = write_rows("rows", [{"id": str(n), "title": f"Title {n}"} for n in range(5)])
    await services.imports.run(source, ImportOptions(key="id"))
    await services.imports.run(source, ImportOptions(key="id", name="other"))
    async with services.transactions.write() as conn:
        await conn.exec_driver_sql("UPDATE collections SET name = 'rows~new' WHERE name = 'other'")

    with pytest.raises(CollectionNotFoundError):
        await services.search.search("rows~new", SearchQuery())
    await services.collections.drop("rows")

    async with services.transactions.read() as conn:
        assert (await conn.exec_driver_sql("SELECT count(*) FROM documents")).scalar_one() == 0


async def test_no_name_or_key_with_nul_is_found(services: Services, write_rows: WriteRows) -> None:
    roles = {"title": Role.TITLE, "kind": Role.FACET}
    rows: list[dict[str, object]] = [{"id": str(n), "title": "t", "kind": "k"} for n in range(5)]
    await services.imports.run(write_rows("rows", rows), ImportOptions(key="id", roles=roles))

    with pytest.raises(CollectionNotFoundError):
        await services.collections.get("ro\0ws")
    with pytest.raises(DocumentNotFoundError):
        await services.documents.get("rows", "\0")
    assert (await services.search.search("rows", SearchQuery("\0", filters={"kind": ("\0", "k\0")}))).total == 0

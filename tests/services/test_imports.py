"""Imports: what they store, count, reject and refuse, on both stores."""

import asyncio
import errno
import json
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import delete, update

from livesearch.domain import CHUNK_BITS, Collection, FieldType, Role, SearchQuery
from livesearch.errors import ConflictError, InvalidInputError, KeyUndecidedError, SourceError, StoreError
from livesearch.ingest import SAMPLE_COUNT
from livesearch.models import BLOCK_SIZE, collections, doc_values, vocabulary
from livesearch.services import Services, batches
from livesearch.services.imports import ImportOptions, ImportPlan, ImportProgress
from tests.conftest import WriteRows
from tests.indexes import checked_documents

CHUNK_SIZE = 1 << CHUNK_BITS
_WORDS = ["red", "Reed", "green", "blüe", "F-16", "it's", "zelda", "1991", "x" * 70]


def make_rows(count: int, seed: int = 1, first: int = 0) -> list[dict[str, object]]:
    chance = random.Random(seed)  # noqa: S311  # rows, not secrets
    return [
        {
            "id": f"k{first + number}",
            "title": " ".join(chance.choices(_WORDS, k=chance.randint(1, 3))),
            "about": " ".join(chance.choices(_WORDS, k=chance.randint(0, 8))),
            "maker": chance.choice(["Sega", "Nintendo", "Atari"]),
            "tags": chance.sample(["old", "new", "rare"], k=chance.randint(0, 2)),
            "score": chance.randint(0, 50),
            **({"year": chance.randint(1980, 1990)} if chance.random() < 0.9 else {}),
        }
        for number in range(count)
    ]


def read_rejects(source: str) -> list[dict[str, Any]]:  # Any: JSON
    path = Path(f"{source}.rejects.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction for each few rows."""
    monkeypatch.setattr("livesearch.services.imports.ROW_COUNT", 7)
    monkeypatch.setattr(batches, "BYTE_COUNT", 1500)


async def collection_of(services: Services, name: str = "games") -> Collection:
    return await services.collections.get(name)


async def test_import_stores_rows_with_their_index(services: Services, write_rows: WriteRows) -> None:
    rows = make_rows(60)
    plans: list[ImportPlan] = []
    progress: list[ImportProgress] = []
    report = await services.imports.run(write_rows("games", rows), on_plan=plans.append, on_progress=progress.append)

    assert (report.accepted, report.updated, report.unchanged, report.rejected) == (60, 0, 0, 0)
    assert (report.collection, report.key_field, report.rejects_path, report.resumed_at) == ("games", "id", None, 0)
    assert plans[0].is_new
    assert (progress[-1].rows, progress[-1].bytes_read) == (60, progress[-1].bytes_total)
    documents = await checked_documents(services.transactions, "games")
    assert documents["k7"]["title"] == rows[7]["title"]
    assert len(documents) == 60


async def test_import_of_the_same_source_changes_nothing(services: Services, write_rows: WriteRows) -> None:
    source = write_rows("games", make_rows(30))
    await services.imports.run(source)
    before = await collection_of(services)
    report = await services.imports.run(source)

    assert (report.accepted, report.updated, report.unchanged) == (0, 0, 30)
    assert await collection_of(services) == before


async def test_import_of_the_same_rows_from_another_file_changes_nothing(
    services: Services, write_rows: WriteRows
) -> None:
    await services.imports.run(write_rows("games", make_rows(30)))
    before = await collection_of(services)
    report = await services.imports.run(write_rows("other", make_rows(30)[::-1]), ImportOptions(name="games"))

    assert (report.accepted, report.updated, report.unchanged) == (0, 0, 30)
    assert await collection_of(services) == before


async def test_import_updates_changed_rows(services: Services, write_rows: WriteRows) -> None:
    rows = make_rows(30)
    await services.imports.run(write_rows("games", rows))
    rows[3] = {"id": "k3", "title": "Metroid", "maker": "Nintendo", "year": 1986}
    report = await services.imports.run(write_rows("games", [*rows, *make_rows(2, first=30)]))

    assert (report.accepted, report.updated, report.unchanged) == (2, 1, 29)
    documents = await checked_documents(services.transactions, "games")
    assert documents["k3"] == rows[3]


async def test_of_rows_with_one_key_the_last_wins(services: Services, write_rows: WriteRows) -> None:
    rows = [*make_rows(20), *make_rows(10, seed=2), *make_rows(5, seed=3)]
    report = await services.imports.run(write_rows("games", rows), ImportOptions(key="id"))

    assert (report.accepted, report.updated) == (20, 15)
    documents = await checked_documents(services.transactions, "games")
    assert documents["k2"]["title"] == rows[32]["title"]
    assert documents["k7"]["title"] == rows[27]["title"]


async def test_rows_with_one_key_are_imported_again(services: Services, write_rows: WriteRows) -> None:
    rows = [*make_rows(20), *make_rows(10, seed=2)]
    await services.imports.run(write_rows("games", rows), ImportOptions(key="id"))
    # Of each key the last row is what is stored, and the first one is not.
    report = await services.imports.run(write_rows("other", rows), ImportOptions(name="games"))

    assert (report.accepted, report.updated, report.unchanged) == (0, 20, 10)
    documents = await checked_documents(services.transactions, "games")
    assert documents["k2"]["title"] == rows[22]["title"]


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_imports_add_up_across_batches_and_chunks(services: Services, write_rows: WriteRows, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # rows, not secrets
    expected: dict[object, dict[str, object]] = {}
    for turn in range(4):
        rows = chance.choices(make_rows(40, seed=10 * seed + turn, first=10 * turn), k=60)
        expected |= {row["id"]: row for row in rows}
        await services.imports.run(write_rows("games", rows), ImportOptions(key="id"))
        if turn == 0:  # the next rows stand on both sides of a border
            async with services.transactions.write() as conn:
                await conn.execute(update(collections).values(next_number=CHUNK_SIZE - 10))
        documents = await checked_documents(services.transactions, "games")

        assert documents.keys() == expected.keys()
        assert all(documents[str(key)]["title"] == row["title"] for key, row in expected.items())


async def test_rejects_are_written_with_line_and_reason(services: Services, tmp_path: Path) -> None:
    source = tmp_path / "games.jsonl"
    good = '{"id": "a", "title": "A", "kind": "x"}\n{"id": "b", "title": "B", "kind": "x"}\n'
    bad = '{"title": "no key"}\n{broken\n' + json.dumps({"id": "c", "title": "C", "kind": "y" * 600}) + "\n"
    source.write_text(good + bad)
    options = ImportOptions(key="id", roles={"kind": Role.FACET})
    report = await services.imports.run(str(source), options)
    lines = read_rejects(str(source))

    assert (report.accepted, report.rejected, report.rejects_path) == (2, 3, f"{source}.rejects.jsonl")
    assert sorted(line["line"] for line in lines) == [3, 4, 5]
    reasons = {line["line"]: line["reason"] for line in lines}
    assert reasons[3] == "The key field “id” has no value."
    assert reasons[5] == (
        "The facet “kind” has a value of 600 characters; 512 at most."
        " Import with --role kind=text to search it as text."
    )
    assert [line["row"] for line in lines if line["line"] == 4] == ["{broken"]

    source.write_text(good)
    again = await services.imports.run(str(source), options)
    assert (again.rejected, again.rejects_path) == (0, None)
    assert read_rejects(str(source)) == []


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (["a", "b"], "The key field “id” has no single value."),
        ("  ", "The key field “id” has no value."),
        ("k" * 600, "The key has 600 characters; 512 at most."),
    ],
)
async def test_a_row_without_a_usable_key_is_rejected(
    services: Services, write_rows: WriteRows, value: object, reason: str
) -> None:
    source = write_rows("games", [{"id": "a", "title": "A"}, {"id": value, "title": "B"}])
    report = await services.imports.run(source, ImportOptions(key="id"))

    assert (report.accepted, report.rejected) == (1, 1)
    assert [line["reason"] for line in read_rejects(source)] == [reason]


async def test_rows_without_a_key_field_are_told_apart_by_their_content(
    services: Services, write_rows: WriteRows
) -> None:
    rows: list[dict[str, object]] = [{"text": "one two"}, {"text": "three four"}, {"text": "one two"}]
    report = await services.imports.run(write_rows("notes", rows))

    assert report.key_field is None
    assert (report.accepted, report.unchanged) == (2, 1)
    assert len(await checked_documents(services.transactions, "notes")) == 2


async def test_replace_removes_what_the_source_does_not_have(services: Services, write_rows: WriteRows) -> None:
    await services.imports.run(write_rows("games", make_rows(30)))
    before = await collection_of(services)
    source, options = write_rows("games", make_rows(10, seed=5, first=25)), ImportOptions(replace=True)
    report = await services.imports.run(source, options)
    replaced = await collection_of(services)

    assert report.accepted == 10
    assert replaced.version > before.version
    assert sorted(await checked_documents(services.transactions, "games")) == [f"k{n}" for n in range(25, 35)]
    assert [c.name for c in await services.collections.list_all()] == ["games"]
    again = await services.imports.run(source, options)
    assert (again.accepted, again.unchanged) == (0, 10)
    assert await collection_of(services) == replaced


async def test_dry_run_counts_and_stores_nothing(services: Services, write_rows: WriteRows) -> None:
    options = ImportOptions(dry_run=True)
    report = await services.imports.run(write_rows("games", make_rows(30)), options)

    assert (report.accepted, report.is_dry_run, len(report.fields)) == (30, True, 7)
    assert await services.collections.list_all() == ()

    await services.imports.run(write_rows("games", make_rows(30)))
    before = await collection_of(services)
    rows = [*make_rows(20), *make_rows(10, seed=2, first=20), *make_rows(5, first=30), {"title": "no key"}]
    report = await services.imports.run(write_rows("more", rows), ImportOptions(name="games", dry_run=True))
    assert (report.accepted, report.updated, report.unchanged, report.rejected) == (5, 10, 20, 1)
    assert report.rejects_path is None
    assert await collection_of(services) == before


async def test_new_fields_come_after_those_there_are(services: Services, write_rows: WriteRows) -> None:
    await services.imports.run(write_rows("games", make_rows(30)))
    names = [field.name for field in (await collection_of(services)).fields]
    rows = [{"plays": n, "code": f"c-{n}", **row} for n, row in enumerate(make_rows(5, first=30))]
    await services.imports.run(write_rows("more", rows), ImportOptions(name="games"))
    collection = await collection_of(services)

    assert [field.name for field in collection.fields] == [*names, "plays", "code"]
    assert [field.role for field in collection.fields].count(Role.KEY) == 1
    plays = collection.field("plays")
    assert plays
    assert plays.type is FieldType.NUMBER
    assert len(await checked_documents(services.transactions, "games")) == 35


async def test_an_import_does_not_change_fields(services: Services, write_rows: WriteRows) -> None:
    await services.imports.run(write_rows("games", make_rows(30)))
    source = write_rows("more", make_rows(5))

    with pytest.raises(InvalidInputError, match=r"“maker” is facet.*--replace"):
        await services.imports.run(source, ImportOptions(name="games", roles={"maker": Role.TEXT}))
    with pytest.raises(InvalidInputError, match="the key is “id”"):
        await services.imports.run(source, ImportOptions(name="games", key="title"))
    with pytest.raises(SourceError, match="“id”, which this source does not have"):
        await services.imports.run(write_rows("other", [{"name": "x"}]), ImportOptions(name="games"))
    await services.imports.run(source, ImportOptions(name="games", key="id", roles={"maker": Role.FACET}))


async def test_an_undecided_key_is_asked_for(services: Services, write_rows: WriteRows) -> None:
    rows: list[dict[str, object]] = [{"code": f"c{n}", "sku": f"s{n}", "about": "some words"} for n in range(20)]

    with pytest.raises(KeyUndecidedError):
        await services.imports.run(write_rows("games", rows))
    assert await services.collections.list_all() == ()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("games.csv", "id,title\n", "has no rows"),
        ("games.jsonl", "\n\n", "has no rows"),
        ("games.jsonl", "{broken\n[]\n", "no row that can be taken. Line 1 is the first"),
    ],
)
async def test_a_source_without_rows_is_refused(
    services: Services, tmp_path: Path, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content)

    with pytest.raises(SourceError, match=message):
        await services.imports.run(str(tmp_path / name))
    assert await services.collections.list_all() == ()


async def test_a_name_that_cannot_be_one_is_refused(services: Services, write_rows: WriteRows) -> None:
    with pytest.raises(InvalidInputError, match="“Ga mes” cannot be the name"):
        await services.imports.run(write_rows("games", make_rows(1)), ImportOptions(name="Ga mes"))


class InterruptionError(Exception):
    """Raised where a test ends an import."""


def after(rows: int) -> Callable[[ImportProgress], None]:
    """End the import when so many rows are read."""

    def interrupt(progress: ImportProgress) -> None:
        if progress.rows >= rows:
            raise InterruptionError

    return interrupt


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("is_replacement", [False, True])
async def test_an_interrupted_import_goes_on(
    services: Services, write_rows: WriteRows, *, is_replacement: bool
) -> None:
    rows = make_rows(60)
    rows[2] = {"title": "no key"}
    rows[50] = {"title": "no key"}
    source, options = write_rows("games", rows), ImportOptions(replace=is_replacement, key="id")
    for reached in (20, 40):
        with pytest.raises(InterruptionError):
            await services.imports.run(source, options, on_progress=after(reached))
    report = await services.imports.run(source, options)

    assert 0 < report.resumed_at < 60
    assert (report.accepted, report.rejected, report.row_count) == (58, 2, 60)
    assert len(await checked_documents(services.transactions, "games")) == 58
    assert [line["line"] for line in read_rejects(source)] == [3, 51]
    assert (await services.imports.run(source, options)).unchanged == 58


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_an_import_goes_on_beside_another_writer(
    services: Services, write_rows: WriteRows, tmp_path: Path
) -> None:
    await services.imports.run(write_rows("games", make_rows(5)))
    # What another process puts between the reading of a batch and its writing: a new document, one that the import
    # has as well, and a foreign row.
    between = [("k3", "Changed meanwhile"), ("k7", "New meanwhile"), ("k99", "Not imported")]

    def write_between(_: ImportProgress) -> None:
        while between:
            key, title = between.pop()
            with sqlite3.connect(tmp_path / "store.db") as other:
                statement = "INSERT INTO documents (collection_id, key, body) VALUES (1, ?, ?)"
                other.execute(statement, (key, json.dumps({"title": title})))
            other.close()

    rows = make_rows(10)
    report = await services.imports.run(
        write_rows("more", rows), ImportOptions(name="games"), on_progress=write_between
    )

    assert (report.accepted, report.updated, report.unchanged) == (4, 1, 5)
    documents = await checked_documents(services.transactions, "games")
    assert documents["k7"]["title"] == rows[7]["title"]
    assert (documents["k3"]["title"], documents["k99"]["title"]) == ("Changed meanwhile", "Not imported")


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM collections",
        "UPDATE collections SET fields = replace(fields, 'facet', 'text'), version = version + 1",
    ],
)
async def test_an_import_ends_when_its_collection_is_another(
    services: Services, write_rows: WriteRows, tmp_path: Path, statement: str
) -> None:
    await services.imports.run(write_rows("games", make_rows(5)))

    def write_between(_: ImportProgress) -> None:
        with sqlite3.connect(tmp_path / "store.db") as other:
            other.execute("PRAGMA foreign_keys=ON")
            other.execute(statement)
        other.close()

    with pytest.raises(ConflictError, match="Another writer has changed “games” meanwhile"):
        await services.imports.run(
            write_rows("more", make_rows(9)), ImportOptions(name="games"), on_progress=write_between
        )


@pytest.fixture
def own_children() -> Callable[[], list[psutil.Process]]:
    """Gives the processes that were begun since: other tests may have left some, such as a browser's driver."""
    before = psutil.Process().children()
    return lambda: [child for child in psutil.Process().children() if child not in before]


async def test_a_large_import_is_indexed_in_another_process(
    services: Services, write_rows: WriteRows, own_children: Callable[[], list[psutil.Process]]
) -> None:
    rows = [*make_rows(SAMPLE_COUNT + 500), *make_rows(100, seed=2)]
    children: list[int] = []
    report = await services.imports.run(
        write_rows("games", rows), on_progress=lambda _: children.append(len(own_children()))
    )

    assert (report.accepted, report.updated) == (SAMPLE_COUNT + 500, 100)
    assert set(children) == {1}
    assert own_children() == []
    assert len(await checked_documents(services.transactions, "games")) == SAMPLE_COUNT + 500


async def test_the_end_of_the_other_process_is_told(
    services: Services, write_rows: WriteRows, own_children: Callable[[], list[psutil.Process]]
) -> None:
    source = write_rows("games", make_rows(SAMPLE_COUNT + 500))

    def kill(_: ImportProgress) -> None:
        for child in own_children():
            child.kill()

    with pytest.raises(StoreError, match="has ended with status -9"):
        await services.imports.run(source, on_progress=kill)
    assert (await services.imports.run(source)).accepted == SAMPLE_COUNT + 500


async def test_a_cancelled_import_leaves_no_process(
    services: Services, write_rows: WriteRows, own_children: Callable[[], list[psutil.Process]]
) -> None:
    source = write_rows("games", make_rows(SAMPLE_COUNT + 500))
    begun = asyncio.Event()
    task = asyncio.create_task(services.imports.run(source, on_progress=lambda _: begun.set()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert own_children() == []
    assert (await services.imports.run(source)).accepted == SAMPLE_COUNT + 500


async def test_fields_that_come_late_are_kept_and_stay_unsearched(
    services: Services, write_rows: WriteRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livesearch.ingest.sampling.SAMPLE_COUNT", 20)
    rows = make_rows(30)
    rows[25]["remark"] = "unheardof"
    source = write_rows("games", rows)

    report = await services.imports.run(source)
    later = await services.imports.run(write_rows("later", [rows[25] | {"id": "new"}]), ImportOptions(name="games"))

    field = (await collection_of(services)).field("remark")
    assert report.late_fields == ("remark",)
    assert field
    assert (field.role, field.reason) == (Role.HIDDEN, "first seen on line 26, after the rows that were sampled")
    assert (await services.documents.get("games", "k25"))[1]["remark"] == "unheardof"
    assert (await services.search.search("games", SearchQuery("unheardof"))).total == 0
    assert later.late_fields == ()
    assert await services.integrity.check() == []


async def test_a_source_on_a_read_only_disk_is_imported(
    services: Services, write_rows: WriteRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_rows("games", make_rows(5))

    def refuse(path: Path, *, missing_ok: bool = False) -> None:  # noqa: ARG001  # as it is called
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "unlink", refuse)

    assert (await services.imports.run(source)).accepted == 5


_NUL_SOURCES = {
    "rows.csv": b"id,kind\na,x\nb,y\0z\n",
    "rows.json": b'[{"id": "a", "kind": "x"}, {"id": "b", "kind": ["y\\u0000z", "x"]}]',
    "nested.json": b'[{"id": "a", "kind": "x"}, {"id": "b", "more": {"deep": [{"er": "y\\u0000z"}]}}]',
    "rows.jsonl": b'{"id": "a", "kind": "x"}\n{"id": "b\\u0000", "kind": "y"}\n',
    "names.jsonl": b'{"id": "a", "kind": "x"}\n{"id": "b", "ki\\u0000nd": "y"}\n',
    "names.json": b'[{"id": "a", "kind": "x"}, {"id": "b", "more": {"ki\\u0000nd": "y"}}]',
}


@pytest.mark.parametrize("name", [*_NUL_SOURCES, "rows.db"])
async def test_no_nul_reaches_the_store(services: Services, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if path.suffix == ".db":
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE rows (id TEXT, kind TEXT)")
            connection.executemany("INSERT INTO rows VALUES (?, ?)", [("a", "x"), ("b", "y\0z")])
        connection.close()
    else:
        path.write_bytes(_NUL_SOURCES[name])

    report = await services.imports.run(str(path), ImportOptions(name="rows", key="id", roles={"kind": Role.FACET}))

    assert (report.accepted, report.rejected) == (1, 1)
    assert await checked_documents(services.transactions, "rows") == {"a": {"id": "a", "kind": "x"}}


async def test_names_and_values_without_controls_are_stored(services: Services, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"id": "a", "k\\u001find": "x\\u001b[31m"}\n')

    await services.imports.run(str(path), ImportOptions(key="id", roles={"kind": Role.FACET}))

    assert await checked_documents(services.transactions, "rows") == {"a": {"id": "a", "kind": "x[31m"}}


async def test_the_longest_name_and_value_make_a_facet(services: Services, write_rows: WriteRows) -> None:
    # Random letters of four bytes: PostgreSQL makes keys shorter where they repeat.
    chance = random.Random(1)  # noqa: S311  # rows, not secrets
    short, long, value = (
        "".join(chr(chance.randrange(0x20000, 0x2A000)) for _ in range(count)) for count in (158, 200, 512)
    )
    source = write_rows(
        "rows", [{"id": "a", short: value}, {"id": "b", long: value[:470]}, {"id": "c", long: value[:471]}]
    )

    report = await services.imports.run(source, ImportOptions(key="id", roles={short: Role.FACET, long: Role.FACET}))

    assert (report.accepted, report.rejected) == (2, 1)
    assert "has a value of 471 characters; 470 at most" in read_rejects(source)[0]["reason"]
    assert (await checked_documents(services.transactions, "rows")).keys() == {"a", "b"}


async def test_a_vocabulary_that_is_not_the_documents_is_found(services: Services, write_rows: WriteRows) -> None:
    await services.imports.run(write_rows("games", make_rows(30)))
    async with services.transactions.write() as conn:
        await conn.execute(update(vocabulary).where(vocabulary.c.term == "red").values(frequency=0))
        await conn.execute(update(collections).values(token_count=1))
    faults = await services.integrity.check()

    assert len(faults) == 2
    assert faults[0].startswith("games: counts 1 words of documents, holds ")
    assert faults[1] == "games: 1 words of the vocabulary differ from the documents, as of 'red'."


async def test_numbers_that_are_not_the_documents_are_found(services: Services, write_rows: WriteRows) -> None:
    await services.imports.run(write_rows("games", make_rows(30)), ImportOptions(roles={"score": Role.SORT}))
    assert await services.integrity.check() == []

    for damaged in (bytes(BLOCK_SIZE * 8), b"short"):
        async with services.transactions.write() as conn:
            await conn.execute(update(doc_values).where(doc_values.c.field == "score").values(numbers=damaged))

        assert await services.integrity.check() == ["games: the numbers of “score” differ from the documents."]

    async with services.transactions.write() as conn:
        await conn.execute(delete(doc_values).where(doc_values.c.field == "score"))
    assert await services.integrity.check() == ["games: the numbers of “score” differ from the documents."]

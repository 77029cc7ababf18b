"""Rows written by other programs through plain SQL: found by the very next look, whatever they hold, on both stores."""

import asyncio
import sqlite3
import time
from contextlib import closing
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from livesearch.config import Settings
from livesearch.db import Database
from livesearch.domain import Document, Role, SearchQuery
from livesearch.errors import ConflictError, StoreUnavailableError
from livesearch.services import Services, build_services, opening
from livesearch.services.foreign import index_noted
from livesearch.services.imports import ImportOptions
from tests.conftest import WriteRows
from tests.indexes import checked_documents
from tests.services.foreign_program import COLLECTION, ForeignProgram

ROWS: list[dict[str, object]] = [
    {"id": "mario", "title": "Mario Kart", "about": "Race", "maker": "Nintendo", "year": 1992},
    {"id": "sonic", "title": "Sonic", "about": "Run", "maker": "Sega", "year": 1991},
    {"id": "zelda", "title": "Zelda", "about": "Save", "maker": "Nintendo", "year": 1986},
]
ROLES = {"title": Role.TITLE, "about": Role.TEXT, "maker": Role.FACET, "year": Role.SORT}


@pytest.fixture
async def games(services: Services, write_rows: WriteRows) -> Services:
    """Services over a store that holds three games."""
    await services.imports.run(write_rows("games", ROWS), ImportOptions(key="id", roles=ROLES))
    return services


@pytest.fixture
def program(store_url: str) -> ForeignProgram:
    """Another program, at the same store."""
    return ForeignProgram(store_url)


async def found(services: Services, text: str = "", **options: Any) -> list[str]:  # Any: what a query takes
    page = await services.search.search("games", SearchQuery(text, **options))
    assert page.total == len(page.hits)
    return sorted(hit.key for hit in page.hits)


async def stored(services: Services) -> dict[str, Document]:
    await services.collections.get("games")  # what is waiting is indexed by this
    return await checked_documents(services.transactions, "games")


async def test_an_inserted_row_is_found(games: Services, program: ForeignProgram) -> None:
    await program.insert("metroid", {"title": "Metroid", "maker": "Nintendo", "year": "1986"})

    assert await found(games, "metr") == ["metroid"]
    assert await found(games, filters={"maker": ("Nintendo",)}) == ["mario", "metroid", "zelda"]
    assert (await stored(games))["metroid"] == {"id": "metroid", "title": "Metroid", "maker": "Nintendo", "year": 1986}


async def test_a_changed_row_is_found_by_what_it_now_says(games: Services, program: ForeignProgram) -> None:
    await program.update("sonic", {"id": "sonic", "title": "Sonic", "about": "Run slowly", "year": 2020})
    await program.update("sonic", {"id": "sonic", "title": "Sonic", "about": "Run backwards", "year": 2021})

    assert (await found(games, "run"), await found(games, "slowly")) == (["sonic"], [])
    page = await games.search.search("games", SearchQuery("backwards"))
    assert [(facet.minimum, facet.maximum) for facet in page.ranges] == [("1986", "2021")]
    await stored(games)


async def test_a_deleted_row_is_found_no_more(games: Services, program: ForeignProgram) -> None:
    await program.delete("mario")

    assert (await found(games, "kart"), await found(games)) == ([], ["sonic", "zelda"])
    assert (await games.collections.list_all())[0].document_count == 2
    await stored(games)


async def test_every_way_to_look_finds_foreign_rows(games: Services, program: ForeignProgram) -> None:
    await program.insert("a", {"title": "Adventure"})
    suggested = await games.suggestions.suggest("games", "advent")
    await program.insert("b", {"title": "Boulder Dash"})
    listed = await games.collections.list_all()
    await program.insert("c", {"title": "Centipede"})
    _, document = await games.documents.get("games", "c")
    await program.insert("d", {"title": "Defender"})
    pages = await games.search.search_all("defender")
    await program.insert("e", {"title": "Elite", "maker": "Acornsoft"})
    makers = await games.search.facet_values("games", SearchQuery(), "maker")

    assert [suggestion.key for suggestion in suggested if suggestion.key] == ["a"]
    assert listed[0].document_count == 5
    assert document["title"] == "Centipede"
    assert pages[0].total == 1
    assert "Acornsoft" in [value.value for value in makers.values]


async def test_writes_and_foreign_writes_follow_each_other(games: Services, program: ForeignProgram) -> None:
    await program.update("mario", {"title": "Mario Kart 2"})
    await games.documents.put("games", "mario", {"title": "Mario Kart 3"})
    await program.insert("doom", {"title": "Doom"})
    await games.documents.put("games", "quake", {"title": "Quake"})
    await program.update("quake", {"title": "Quake II"})
    await games.documents.delete("games", "quake")
    await program.delete("sonic")
    await games.documents.put("games", "sonic", ROWS[1])

    assert {key: document["title"] for key, document in (await stored(games)).items()} == {
        "doom": "Doom",
        "mario": "Mario Kart 3",
        "sonic": "Sonic",
        "zelda": "Zelda",
    }


async def test_inserting_a_key_that_is_there_changes_its_document(games: Services, program: ForeignProgram) -> None:
    before = await games.collections.get("games")
    await program.insert("sonic", {"title": "Sonic 2"})
    await program.insert("sonic", {"title": "Sonic 3"})

    assert await found(games, "sonic") == ["sonic"]
    assert (await stored(games))["sonic"] == {"id": "sonic", "title": "Sonic 3"}
    assert (await games.collections.get("games")).next_number == before.next_number


async def test_of_new_rows_with_one_key_the_last_stays(games: Services, program: ForeignProgram) -> None:
    await program.insert("doom", {"title": "Doom"})
    await program.insert("doom", {"title": "Doom II"})

    assert await found(games, "doom") == ["doom"]
    assert (await stored(games))["doom"]["title"] == "Doom II"


async def test_a_changed_key_is_the_document_s_new_key(games: Services, program: ForeignProgram) -> None:
    await program.execute("UPDATE documents SET key = 'link' WHERE key = 'zelda'")

    assert await found(games, "zelda") == ["link"]
    assert await found(games, "link") == ["link"]
    _, document = await games.documents.get("games", "link")
    assert (document["id"], document["title"]) == ("link", "Zelda")
    await stored(games)


async def test_a_key_changed_to_one_that_is_there_takes_its_place(games: Services, program: ForeignProgram) -> None:
    await program.execute("UPDATE documents SET key = 'sonic' WHERE key = 'zelda'")

    assert await found(games) == ["mario", "sonic"]
    assert (await stored(games))["sonic"]["title"] == "Zelda"


@pytest.mark.parametrize("number", [0, 2, 3, -1, -7, 70_000_000_000])
async def test_numbers_given_by_other_programs_mean_nothing(
    games: Services, program: ForeignProgram, number: int
) -> None:
    statement = f"INSERT INTO documents (collection_id, number, key, body) VALUES ({COLLECTION}, $1, $2, $3)"  # noqa: S608
    is_free = number not in {0, 2}
    key, body = "doom", b'{"title": "Doom"}'
    if not is_free:  # SQLite refuses a number that is taken; REPLACE takes it
        statement = statement.replace("INSERT", "INSERT OR REPLACE") if program.is_sqlite else statement
    await program.execute(statement, number, key, body)

    assert await found(games, "doom") == ["doom"]
    assert (await games.collections.get("games")).next_number == 4
    assert len(await stored(games)) == (4 if is_free or not program.is_sqlite else 3)


async def test_a_changed_number_is_ours_to_give(games: Services, program: ForeignProgram) -> None:
    await program.execute("UPDATE documents SET number = number + 1000000 WHERE key = 'sonic'")

    assert await found(games, "sonic") == ["sonic"]
    assert (await games.collections.get("games")).next_number == 4
    assert len(await stored(games)) == 3


async def test_a_row_moved_to_another_collection_is_found_there(
    games: Services, program: ForeignProgram, write_rows: WriteRows
) -> None:
    await games.imports.run(write_rows("toys", [{"id": "ball", "title": "Ball"}, {"id": "kite", "title": "Kite"}]))
    await program.execute(
        "UPDATE documents SET collection_id = (SELECT id FROM collections WHERE name = 'toys'), number = -1"
        " WHERE key = 'sonic'"
    )

    assert await found(games) == ["mario", "zelda"]
    assert (await games.search.search("toys", SearchQuery("sonic"))).total == 1
    await stored(games)
    await checked_documents(games.transactions, "toys")


BROKEN = [
    (b"not JSON", "The column body holds no JSON"),
    (b'{"title": "cut', "The column body holds no JSON"),
    (b'["Sonic"]', "The column body holds JSON, but not an object"),
    (b'{"title": "\xff"}', "The column body holds no JSON"),
    (b"", "The column body holds no JSON"),
    (b'{"title": "A", "maker": "%s"}' % (b"x" * 600), "The facet “maker” has a value of 600 characters"),
    (b'{"title": "A", "about": %s}' % (b"[" * 900 + b"]" * 900), "nested"),
    (b'{"title": "A", " x": 1}', "The name ' x' cannot be a field's"),
    (b'{"title": "A", "%s": 1}' % (b"n" * 2000), "The field name"),
]


@pytest.mark.parametrize(("body", "reason"), BROKEN)
async def test_a_row_that_is_no_document_is_put_aside(
    games: Services, program: ForeignProgram, body: bytes, reason: str
) -> None:
    with capture_logs() as lines:
        await program.insert("doom", body)
        await program.update("sonic", body)
        assert await found(games) == ["mario", "zelda"]
        assert (await games.collections.get("games")).has_foreign_changes is False

    told = {line["key"]: line for line in lines if line["event"] == "foreign row not indexed"}
    assert told.keys() == {"doom", "sonic"}
    assert reason in told["doom"]["reason"]
    assert told["sonic"]["collection"] == "games"
    assert await games.integrity.check() == []


async def test_a_row_put_aside_is_found_when_it_is_mended(games: Services, program: ForeignProgram) -> None:
    await program.insert("doom", b"{")
    await program.update("sonic", b"{")
    assert await found(games) == ["mario", "zelda"]
    await program.update("doom", {"title": "Doom"})
    await program.update("sonic", {"title": "Sonic"})

    assert await found(games) == ["doom", "mario", "sonic", "zelda"]
    await stored(games)


@pytest.mark.parametrize(
    ("key", "document", "expected"),
    [
        ("", {"id": "doom", "title": "Doom"}, "doom"),
        ("doom", {"id": "quake", "title": "Doom"}, "doom"),
        ("doom", {"id": None, "title": "Doom"}, "doom"),
        ("1993", {"id": 1993, "title": "Doom"}, "1993"),
    ],
)
async def test_the_column_key_stands_over_the_body(
    games: Services, program: ForeignProgram, key: str, document: Document, expected: str
) -> None:
    await program.insert(key, document)

    assert await found(games, "doom") == [expected]
    _, held = await games.documents.get("games", expected)
    assert str(held["id"]) == expected
    await stored(games)


@pytest.mark.parametrize("key", ["", " ", "k" * 600])
async def test_a_row_without_a_key_of_use_is_put_aside(games: Services, program: ForeignProgram, key: str) -> None:
    with capture_logs() as lines:
        await program.insert(key, {"title": "Doom"})
        assert await found(games) == ["mario", "sonic", "zelda"]

    assert [line["event"] for line in lines] == ["foreign row not indexed"]


async def test_fields_that_no_import_brought_are_kept_and_not_searched(
    games: Services, program: ForeignProgram
) -> None:
    await program.insert("doom", {"title": "Doom", "shareware": "yes"})

    assert (await found(games, "shareware"), await found(games, "yes")) == ([], [])
    collection, document = await games.documents.get("games", "doom")
    field = collection.field("shareware")
    assert document["shareware"] == "yes"
    assert field
    assert (field.role, field.reason) == (Role.HIDDEN, "first seen in a row that another program wrote")
    await stored(games)


async def test_rows_told_apart_by_content_take_any_key(
    services: Services, write_rows: WriteRows, program: ForeignProgram
) -> None:
    await services.imports.run(write_rows("games", [{"title": "Doom"}, {"title": "Doom II"}, {"title": "Doom"}]))
    await program.insert("", {"title": "Quake"})
    await program.insert("mine", {"title": "Unreal"})

    assert len(await found(services, "quake")) == 1
    assert await found(services, "unreal") == ["mine"]
    assert len(await stored(services)) == 4


async def test_many_foreign_rows_are_indexed_in_several_transactions(
    games: Services, program: ForeignProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "ROW_COUNT", 7)
    bodies = ", ".join(f"({COLLECTION}, 'n{number}', $1)" for number in range(50))
    await program.execute(f"INSERT INTO documents (collection_id, key, body) VALUES {bodies}", b'{"title": "Pong"}')  # noqa: S608
    await program.execute("DELETE FROM documents WHERE key IN ('n7', 'sonic')")

    assert (await games.search.search("games", SearchQuery("pong"))).total == 49
    assert len(await stored(games)) == 51


@pytest.mark.parametrize("store_url", ["postgres"], indirect=True)
async def test_truncated_documents_are_found_no_more(games: Services, program: ForeignProgram) -> None:
    assert await found(games) == ["mario", "sonic", "zelda"]
    await program.insert("doom", {"title": "Doom"})
    await program.execute("TRUNCATE documents")
    assert await found(games) == []
    await program.insert("sonic", {"title": "Sonic 2"})

    assert (await found(games), await found(games, "sonic")) == (["sonic"], ["sonic"])
    assert list(await stored(games)) == ["sonic"]


async def test_dropping_a_collection_notes_nothing(games: Services, program: ForeignProgram) -> None:
    await program.insert("doom", {"title": "Doom"})
    await games.collections.drop("games")

    assert await program.fetch("SELECT count(*) FROM foreign_changes") == [(0,)]
    assert await program.fetch("SELECT count(*) FROM documents") == [(0,)]


async def test_our_own_writes_note_nothing(games: Services, program: ForeignProgram, write_rows: WriteRows) -> None:
    await games.documents.put("games", "doom", {"title": "Doom"})
    await games.documents.put("games", "doom", {"title": "Doom II"})
    await games.documents.delete("games", "sonic")
    await games.imports.run(write_rows("games", [{**row, "about": "New"} for row in ROWS]))

    assert await program.fetch("SELECT count(*) FROM foreign_changes") == [(0,)]


async def test_two_processes_index_foreign_rows_once(games: Services, program: ForeignProgram, store_url: str) -> None:
    database = Database(Settings(store_url=store_url))
    other = build_services(database.settings, database)
    for turn in range(5):
        for number in range(4):
            await program.insert(f"n{turn}{number}", {"title": f"pong{turn}"})
        pages = await asyncio.gather(
            *(one.search.search("games", SearchQuery(f"pong{turn}")) for one in (games, other) * 3)
        )
        assert [page.total for page in pages] == [4] * 6
    await database.close()

    assert (await games.collections.get("games")).next_number == 23
    assert len(await stored(games)) == 23


async def test_a_search_goes_on_when_foreign_rows_cannot_be_indexed(
    games: Services, program: ForeignProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> bool:
        raise StoreUnavailableError("The store does not answer: it is locked.")

    monkeypatch.setattr(opening, "index_noted", fail)
    await program.insert("doom", {"title": "Doom"})
    await program.delete("mario")
    await program.update("zelda", b"{")
    with capture_logs() as lines:
        page = await games.search.search("games", SearchQuery())
        page_of_words = await games.search.search("games", SearchQuery("kart"))
        assert (await games.search.search("games", SearchQuery("doom"))).total == 0

    assert ([hit.key for hit in page.hits], page.total) == (["sonic", "zelda"], 3)  # as the index has it
    assert page_of_words.hits == ()
    assert [line["event"] for line in lines] == ["foreign rows wait"]  # once: there is a pause before the next try


@pytest.mark.parametrize("store_url", ["postgres"], indirect=True)
async def test_a_row_that_is_just_written_again_is_waited_for_by_nobody(
    games: Services, program: ForeignProgram, store_url: str
) -> None:
    other = await asyncpg.connect(store_url.replace("postgresql+asyncpg", "postgresql"))
    try:
        await program.update("sonic", {"title": "Sonic 2"})
        await program.insert("doom", {"title": "Doom"})
        async with other.transaction():
            await other.execute("UPDATE documents SET body = $1 WHERE key = 'sonic'", b'{"title": "Sonic III"}')
            assert await found(games, "doom") == ["doom"]
            assert await games.integrity.check() == [
                "games: rows of another program could not be indexed yet; the log says why. Check again later."
            ]
        games.transactions.foreign_pauses.clear()
        assert await found(games, "iii") == ["sonic"]
    finally:
        await other.close()

    await stored(games)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_a_search_does_not_wait_long_for_another_writer(
    games: Services, program: ForeignProgram, store_url: str
) -> None:
    await program.insert("doom", {"title": "Doom"})
    with closing(sqlite3.connect(store_url.partition(":///")[2], isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        started = time.monotonic()
        assert await found(games, "zelda") == ["zelda"]
        assert 0.9 < time.monotonic() - started < 4
        assert await found(games, "doom") == []
        other.execute("ROLLBACK")
    games.transactions.foreign_pauses.clear()

    assert await found(games, "doom") == ["doom"]


async def test_the_one_row_that_the_store_refuses_is_put_aside(
    games: Services, program: ForeignProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail_on_poison(conn: Any, collection: Any, limit: int) -> bool:  # Any: handed on
        rows = await conn.exec_driver_sql("SELECT key FROM foreign_changes ORDER BY id")
        if "poison" in list(rows.scalars())[:limit]:
            raise ConflictError("The change does not fit what is stored.")
        return await index_noted(conn, collection, limit)

    monkeypatch.setattr(opening, "index_noted", fail_on_poison)
    for key in ("a", "b", "poison", "c", "d"):
        await program.insert(key, {"title": "Pong"})
    with capture_logs() as lines:
        assert await found(games, "pong") == ["a", "b", "c", "d"]

    assert [line["key"] for line in lines if line["event"] == "foreign row not indexed"] == ["poison"]
    await stored(games)

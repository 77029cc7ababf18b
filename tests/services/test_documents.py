"""Documents, one at a time: what is written is found, and the index says what the documents say, on both stores."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import update

from livesearch.domain import Document, Role, SearchQuery
from livesearch.errors import CollectionNotFoundError, ConflictError, DocumentNotFoundError, InvalidInputError
from livesearch.models import collections
from livesearch.services import Services
from livesearch.services.documents import Outcome
from livesearch.services.imports import ImportOptions
from livesearch.services.writing import CHUNK_SIZE
from tests.conftest import WriteRows
from tests.indexes import checked_documents

ROWS: list[dict[str, object]] = [
    {"id": "mario", "title": "Mario Kart", "about": "Race against friends", "maker": "Nintendo", "year": 1992},
    {"id": "sonic", "title": "Sonic", "about": "Run fast", "maker": "Sega", "year": 1991},
    {"id": "zelda", "title": "Zelda", "about": "Save the princess", "maker": "Nintendo", "year": 1986},
]
ROLES = {"title": Role.TITLE, "about": Role.TEXT, "maker": Role.FACET, "year": Role.SORT}


@pytest.fixture
async def games(services: Services, write_rows: WriteRows) -> Services:
    """Services over a store that holds three games."""
    await services.imports.run(write_rows("games", ROWS), ImportOptions(key="id", roles=ROLES))
    return services


async def found(services: Services, text: str = "", **options: Any) -> list[str]:  # Any: what a query takes
    page = await services.search.search("games", SearchQuery(text, **options))
    assert page.total == len(page.hits)
    return sorted(hit.key for hit in page.hits)


async def stored(services: Services) -> dict[str, Document]:
    return await checked_documents(services.transactions, "games")


async def test_put_creates_a_document_that_the_next_search_finds(games: Services) -> None:
    metroid = {"title": "Metroid", "about": "Alone in space", "maker": "Nintendo", "year": 1986}
    written = await games.documents.put("games", "metroid", metroid)

    assert (written.key, written.outcome) == ("metroid", Outcome.CREATED)
    assert written.version == (await games.collections.get("games")).version
    assert await found(games, "spac") == ["metroid"]
    assert await found(games, filters={"maker": ("Nintendo",)}) == ["mario", "metroid", "zelda"]
    assert (await stored(games))["metroid"] == {"id": "metroid", **metroid}


async def test_put_changes_a_document_and_its_index(games: Services) -> None:
    written = await games.documents.put("games", None, {**ROWS[1], "about": "Run slowly", "maker": "Sega of Japan"})

    assert (written.key, written.outcome) == ("sonic", Outcome.UPDATED)
    assert (await found(games, "fast"), await found(games, "slowly")) == ([], ["sonic"])
    page = await games.search.search("games", SearchQuery(sort="year"))
    assert [hit.key for hit in page.hits] == ["zelda", "sonic", "mario"]
    assert [value.value for facet in page.facets for value in facet.values] == ["Nintendo", "Sega of Japan"]
    assert (await stored(games))["sonic"]["about"] == "Run slowly"


async def test_put_moves_a_document_in_the_order_of_a_number(games: Services) -> None:
    await games.search.search("games", SearchQuery(sort="year"))  # numbers are in memory now
    await games.documents.put("games", "mario", {**ROWS[0], "year": 1980})
    await games.documents.put("games", "zelda", {"title": "Zelda"})
    page = await games.search.search("games", SearchQuery(sort="year"))

    assert [hit.key for hit in page.hits] == ["mario", "sonic", "zelda"]
    await stored(games)


async def test_put_of_what_is_stored_changes_nothing(games: Services) -> None:
    before = await games.collections.get("games")
    written = await games.documents.put("games", "mario", ROWS[0])

    assert (written.outcome, written.version) == (Outcome.UNCHANGED, before.version)
    assert await games.collections.get("games") == before


async def test_put_types_values_as_an_import_does(games: Services) -> None:
    await games.documents.put("games", "tetris", {"title": " Tetris\r\n", "maker": ["", "Atari"], "year": "1984"})

    document = (await stored(games))["tetris"]
    assert document == {"id": "tetris", "title": " Tetris\n", "maker": ["Atari"], "year": 1984}
    assert await found(games, filters={"maker": ("Atari",)}) == ["tetris"]


@pytest.mark.parametrize(
    ("key", "document", "reason"),
    [
        ("a", {"title": "A", "colour": "red"}, "no field “colour”. Its fields: about, id, maker, title, year"),
        ("a", {"id": "b", "title": "A"}, "The key is “a”, but “id” says “b”"),
        (None, {"title": "A"}, "The key field “id” has no value"),
        (None, {"id": ["a", "b"]}, "The key field “id” has no single value"),
        ("k" * 513, {"title": "A"}, "The key has 513 characters; 512 at most"),
        ("a\0b", {"title": "A"}, "The key is “a\0b”, but “id” would be “ab”"),
        ("a", {"maker": "x" * 513}, "The facet “maker” has a value of 513 characters"),
    ],
)
async def test_put_refuses_what_an_import_would_reject(
    games: Services, key: str | None, document: Document, reason: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        await games.documents.put("games", key, document)

    assert reason in str(refused.value)
    assert len(await stored(games)) == 3


async def test_put_compares_with_the_expected_digest(games: Services) -> None:
    digest = (await games.documents.load("games", "sonic")).digest
    await games.documents.put("games", "sonic", {"title": "Sonic 2"}, expected_digest=digest)

    with pytest.raises(ConflictError, match="was changed by somebody else"):
        await games.documents.put("games", "sonic", {"title": "Sonic 3"}, expected_digest=digest)
    with pytest.raises(ConflictError, match="There is a document “sonic” in “games” already"):
        await games.documents.put("games", "sonic", {"title": "Sonic 3"}, expected_digest=b"")
    with pytest.raises(ConflictError, match="is gone"):
        await games.documents.put("games", "tails", {"title": "Tails"}, expected_digest=digest)
    assert await games.documents.get("games", "sonic") == (
        await games.collections.get("games"),
        {"id": "sonic", "title": "Sonic 2"},
    )


async def test_put_many_stores_all_of_them(games: Services) -> None:
    documents: Sequence[tuple[str | None, Document]] = [
        ("doom", {"title": "Doom", "year": 1993}),
        (None, ROWS[0]),
        ("doom", {"title": "Doom II", "year": 1994}),
        ("zelda", {"title": "Zelda II"}),
    ]
    written = await games.documents.put_many("games", documents)

    outcomes = [(one.key, one.outcome.value) for one in written]
    assert outcomes == [("doom", "created"), ("mario", "unchanged"), ("doom", "updated"), ("zelda", "updated")]
    documents_now = await stored(games)
    assert {key: document["title"] for key, document in documents_now.items()} == {
        "doom": "Doom II",
        "mario": "Mario Kart",
        "sonic": "Sonic",
        "zelda": "Zelda II",
    }


async def test_put_many_stores_nothing_when_one_cannot_be_taken(games: Services) -> None:
    with pytest.raises(InvalidInputError, match="Document 2 of 2: The key field “id” has no value"):
        await games.documents.put_many("games", [("doom", {"title": "Doom"}), (None, {"title": "Quake"})])

    assert await found(games, "doom") == []


async def test_put_many_is_bounded(games: Services) -> None:
    with pytest.raises(InvalidInputError, match="1,001 documents are too many at once; 1,000 at most"):
        await games.documents.put_many("games", [(None, ROWS[0])] * 1001)


async def test_delete_removes_a_document_from_everything(games: Services) -> None:
    await games.documents.delete("games", "mario")

    assert (await found(games, "kart"), await found(games)) == ([], ["sonic", "zelda"])
    assert (await games.collections.get("games")).document_count == 2
    with pytest.raises(DocumentNotFoundError):
        await games.documents.get("games", "mario")
    page = await games.search.search("games", SearchQuery())
    assert [(facet.minimum, facet.maximum) for facet in page.ranges] == [("1986", "1991")]
    await stored(games)


async def test_delete_compares_with_the_expected_digest(games: Services) -> None:
    with pytest.raises(ConflictError, match="was changed by somebody else"):
        await games.documents.delete("games", "mario", expected_digest=b"another")

    mario = await games.documents.load("games", "mario")
    await games.documents.delete("games", "mario", expected_digest=mario.digest)
    assert await found(games) == ["sonic", "zelda"]


async def test_what_is_not_there_cannot_be_written(games: Services) -> None:
    with pytest.raises(DocumentNotFoundError):
        await games.documents.delete("games", "tetris")
    with pytest.raises(CollectionNotFoundError):
        await games.documents.delete("toys", "mario")
    with pytest.raises(CollectionNotFoundError):
        await games.documents.put("toys", "mario", ROWS[0])
    with pytest.raises(CollectionNotFoundError):
        await games.documents.put("games~new", "mario", ROWS[0])


async def test_numbers_of_deleted_documents_are_not_given_again(games: Services) -> None:
    before = (await games.collections.get("games")).next_number
    await games.documents.delete("games", "zelda")
    await games.documents.put("games", "zelda", ROWS[2])

    assert (await games.collections.get("games")).next_number == before + 1
    assert len(await stored(games)) == 3


async def test_a_new_document_begins_a_chunk_when_the_last_one_is_full(games: Services) -> None:
    async with games.transactions.write() as conn:
        await conn.execute(update(collections).values(next_number=30_000))
    await games.documents.put("games", "sonic", {"title": "Sonic 2"})
    before = await games.collections.get("games")
    for number in range(3):
        await games.documents.put("games", f"new{number}", {"title": "Doom", "year": 1993})

    assert before.next_number == 30_000  # a change takes no number
    assert (await games.collections.get("games")).next_number == CHUNK_SIZE + 3
    assert await found(games, "doom") == ["new0", "new1", "new2"]
    assert len(await stored(games)) == 6


async def test_a_document_told_apart_by_content_keeps_its_key(services: Services, write_rows: WriteRows) -> None:
    await services.imports.run(write_rows("games", [{"title": "Doom"}, {"title": "Doom II"}, {"title": "Doom"}]))
    assert (await services.collections.get("games")).key_field is None
    made = await services.documents.put("games", None, {"title": "Quake"})
    changed = await services.documents.put("games", made.key, {"title": "Quake II"})
    again = await services.documents.put("games", None, {"title": "Doom"})

    assert (made.outcome, changed.outcome, again.outcome) == (Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED)
    assert changed.key == made.key == made.digest.hex()
    assert await found(services, "quake") == [made.key]
    await stored(services)

"""Postings in rows: what changes do to them, on both stores."""

from collections.abc import AsyncIterator, Iterable

import pytest
from pyroaring import BitMap
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import CHUNK_BITS, PostingChange
from livesearch.services import Services
from livesearch.store.bitmaps import low_bits
from livesearch.store.collections import create_collection
from livesearch.store.postings import (
    add_last,
    apply_changes,
    chunks_of,
    load_chunk_postings,
    load_postings,
    load_range,
    load_unions,
)

EVERY = ("", "\U0010ffff")


def change(key: str, added: Iterable[int] = (), removed: Iterable[int] = ()) -> PostingChange:
    return PostingChange(key, low_bits(BitMap(added)), low_bits(BitMap(removed)))


@pytest.fixture
async def conn(services: Services) -> AsyncIterator[AsyncConnection]:
    async with services.transactions.write() as connection:
        await create_collection(connection, "games", fields=(), key_field=None, popularity_field=None, source=None)
        yield connection


def test_chunks_of_are_those_that_hold_numbers() -> None:
    size = 1 << CHUNK_BITS

    assert [list(chunks_of(n)) for n in (0, 1, size, size + 1)] == [[0], [0], [0], [0, 1]]


async def test_apply_changes_merges_with_what_is_there(conn: AsyncConnection) -> None:
    await apply_changes(conn, 1, 0, [change("pa", [1, 2]), change("wa", [1, 2, 3])])
    await apply_changes(conn, 1, 0, [change("pa", [9]), change("wa", [7], [2]), change("wb", [5])])

    assert await load_range(conn, 1, EVERY, [0]) == {
        "pa": BitMap([1, 2, 9]),
        "wa": BitMap([1, 3, 7]),
        "wb": BitMap([5]),
    }


async def test_apply_changes_removes_what_becomes_empty(conn: AsyncConnection) -> None:
    await apply_changes(conn, 1, 0, [change("wa", [1]), change("wb", [1])])
    await apply_changes(conn, 1, 0, [change("wa", removed=[1]), change("wc", removed=[1])])

    assert await load_range(conn, 1, EVERY, [0]) == {"wb": BitMap([1])}


async def test_apply_changes_leaves_other_chunks_alone(conn: AsyncConnection) -> None:
    high = 1 << CHUNK_BITS
    await apply_changes(conn, 1, 0, [change("wa", [1])])
    await apply_changes(conn, 1, 1, [change("wa", [high])], is_new=True)

    assert await load_postings(conn, 1, ["wa", "wb"], [0, 1]) == {"wa": BitMap([1, high])}
    assert await load_postings(conn, 1, ["wa"], [1]) == {"wa": BitMap([high])}


async def test_apply_changes_writes_more_rows_than_one_statement_takes(conn: AsyncConnection) -> None:
    changes = [change(f"w{n:05}", [n]) for n in range(2500)]
    await apply_changes(conn, 1, 0, changes, is_new=True)
    await apply_changes(conn, 1, 0, [change(one.key, [9999]) for one in changes])

    held = await load_range(conn, 1, EVERY, [0])
    assert held == {f"w{n:05}": BitMap([n, 9999]) for n in range(2500)}


async def test_apply_changes_tells_what_becomes_of_tokens_and_vocabulary(conn: AsyncConnection) -> None:
    first = await apply_changes(
        conn,
        1,
        0,
        [
            change(key, [1, 2])
            for key in ("*", "pzel", "tzelda", "wf16", "wred", "wx", "wzelda", f"w{'y' * 33}", "xred")
        ],
    )
    second = await apply_changes(conn, 1, 0, [change("wred", [3], [1]), change("wzelda", [1, 5], [2, 9])])

    assert (first.token_count, dict(first.frequencies)) == (10, {"red": 0, "zelda": 2})
    assert (second.token_count, dict(second.frequencies)) == (0, {"red": 0, "zelda": 0})
    first += second
    assert (first.token_count, dict(first.frequencies)) == (10, {"red": 0, "zelda": 2})


SIZE = 1 << CHUNK_BITS
# Postings of each form that they are written in, and on both sides of where the next one begins.
FORMS = {
    "*": range(1, 62),
    "pa": range(0, 62 * 400, 400),
    "pb": range(0, 63 * 400, 400),
    "pc": range(0, 64 * 9, 9),
    "pd": [*range(0, 700, 7), 30_000],
    "we": range(500),
    "wff": [n for n in range(20_000) if n % 7 not in {0, 3}],
    "wgg": range(0, 4096 * 7, 7),
    "whh": [1, *range(100, 20_000)],
}


@pytest.mark.parametrize("chunk", [0, 1])
async def test_new_documents_number_is_put_where_apply_changes_would(conn: AsyncConnection, chunk: int) -> None:
    first, number = chunk * SIZE, chunk * SIZE + 30_001
    await create_collection(conn, "same", fields=(), key_field=None, popularity_field=None, source=None)
    for collection in (1, 2):
        await apply_changes(
            conn, collection, chunk, [change(key, [first + n for n in held]) for key, held in sorted(FORMS.items())]
        )
    for at in range(70):  # past where plain numbers end
        changes = [change(key, [number + at]) for key in sorted([*FORMS, "wnew", f"w{at}"])]
        deltas = await add_last(conn, 1, number + at, changes), await apply_changes(conn, 2, chunk, changes)

        assert deltas[0] == deltas[1]
    stored = [await load_chunk_postings(conn, collection, chunk) for collection in (1, 2)]

    assert stored[0] == stored[1]
    assert len(stored[0]) == len(FORMS) + 71


async def test_a_union_is_of_all_keys_in_the_range(conn: AsyncConnection) -> None:
    many, high = range(0, 30_000, 3), 1 << CHUNK_BITS
    few = [change("wab", [1, 5]), change("wac", [5, 7]), change("wad", [0])]
    await apply_changes(conn, 1, 0, [change("wa", many), *few, change("wb", [2])])
    await apply_changes(conn, 1, 1, [change("wab", [high + 9]), change("wac", [high + 1, high + 9])])

    held, unions = await load_unions(conn, 1, ["wb", "wz"], [("wa", "wb"), ("wab", "wb"), ("wc", "wd")], [0, 1])
    assert held == {"wb": BitMap([2])}
    assert unions == [
        BitMap(many) | BitMap([1, 5, 7, high + 1, high + 9]),
        BitMap([0, 1, 5, 7, high + 1, high + 9]),
        BitMap(),
    ]
    assert await load_unions(conn, 1, [], [("wab", "wb")], [1]) == ({}, [BitMap([high + 1, high + 9])])


async def test_postings_and_unions_come_together(conn: AsyncConnection) -> None:
    await apply_changes(conn, 1, 0, [change("wa", [1]), change("wab", [2]), change("pa", [3])])

    held, unions = await load_unions(conn, 1, ["wa", "wab", "pa", "no\0such"], [("wa", "wb")], [0, 1])
    assert held == {"wa": BitMap([1]), "wab": BitMap([2]), "pa": BitMap([3])}
    assert unions == [BitMap([1, 2])]

"""Postings in rows: what changes do to them, on both stores."""

from collections.abc import AsyncIterator, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import CHUNK_BITS, PostingChange
from livesearch.services import Services
from livesearch.store.collections import create_collection
from livesearch.store.postings import _merged, apply_changes, chunks_of, load_postings, load_range

EVERY = ("", "\U0010ffff")


def change(key: str, added: Iterable[int] = (), removed: Iterable[int] = ()) -> PostingChange:
    put, taken = BitMap(added), BitMap(removed)
    return PostingChange(key, put.serialize() if put else b"", len(put), taken.serialize() if taken else b"")


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


_numbers = st.one_of(
    st.sets(st.integers(0, 65_535), max_size=40),
    st.integers(1, 5_000).map(lambda count: set(range(0, 3 * count, 3))),
    st.integers(1, 70_000).map(lambda first: {first, first + 1, 65_536}),
)


@given(_numbers, _numbers, _numbers, st.booleans())
def test_merged_is_what_sets_say(before: set[int], added: set[int], removed: set[int], appends: bool) -> None:
    if appends:  # what imports do: all that is new comes after what is there
        added, removed = {number + max(before, default=0) + 1 for number in added}, set()
    removed -= added
    stored = BitMap(before).serialize() if before else None
    count, bitmap = _merged(stored, change("wa", added, removed))
    after = (before | added) - removed

    assert count == len(after)
    assert set(BitMap.deserialize(bitmap) if bitmap else ()) == after

"""Cancelling at every moment of a transaction's life, on both stores: nothing half done, nothing kept, nothing lost."""

import asyncio
import gc
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from livesearch.config import Settings
from livesearch.db import READER_COUNT, Database
from livesearch.services.transactions import Transactions
from tests.faults.aborting import SLOW, backend_count, stray_count, taken_connections

NAMES = ("ann", "bob", "cem", "dee")
# Make each commit on PostgreSQL take 0.2 s.
LINGER = "CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.2); RETURN NULL; END'"
LINGERING = (
    "CREATE CONSTRAINT TRIGGER lingering AFTER INSERT ON move DEFERRABLE INITIALLY DEFERRED"
    " FOR EACH ROW EXECUTE FUNCTION linger()"
)


@pytest.fixture
async def database(store_url: str) -> AsyncIterator[Database]:
    """Four accounts of 100 each, and a list of what was moved."""
    database = Database(Settings(store_url=store_url))
    async with database.write() as connection:
        await connection.execute(text("CREATE TABLE account (name TEXT PRIMARY KEY, balance INTEGER NOT NULL)"))
        await connection.execute(text("CREATE TABLE move (number INTEGER, name TEXT)"))
        await connection.execute(text("INSERT INTO account VALUES (:name, 100)"), [{"name": name} for name in NAMES])
    yield database
    await database.close()


async def run_slow(database: Database) -> None:
    async with database.read() as connection:
        await connection.execute(text(SLOW[database.is_sqlite]))


async def total(database: Database) -> int:
    async with database.read() as connection:
        return int((await connection.execute(text("SELECT sum(balance) FROM account"))).scalar_one())


async def moves(database: Database) -> dict[int, int]:
    """Entries by move; a whole one has two."""
    async with database.read() as connection:
        rows = await connection.execute(text("SELECT number, count(*) FROM move GROUP BY number"))
        return {number: count for number, count in rows}  # noqa: C416  # rows are no pairs


async def move(database: Database, number: int, *names: str) -> None:
    async with database.write() as connection:
        for name, amount in zip(names, (-1, 1), strict=True):
            await connection.execute(
                text("UPDATE account SET balance = balance + :amount WHERE name = :name"),
                {"amount": amount, "name": name},
            )
            await connection.execute(text("INSERT INTO move VALUES (:number, :name)"), {"number": number, "name": name})


async def cancelled(
    work: Coroutine[Any, Any, object], *, after: float, again: bool = False
) -> None:  # Any: as asyncio has it
    """Begin something and cancel it, perhaps twice; it must end as cancelled."""
    task = asyncio.create_task(work)
    await asyncio.sleep(after)
    task.cancel()
    if again:
        await asyncio.sleep(0)
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def assert_whole(database: Database) -> None:
    """Every connection is free, right, and holds nothing open."""
    assert taken_connections(database) == 0
    assert await stray_count(database.settings.store_url) == 0
    assert await asyncio.gather(*(total(database) for _ in range(READER_COUNT))) == [400] * READER_COUNT
    await move(database, 0, "ann", "bob")
    assert await backend_count(database.settings.store_url) <= READER_COUNT * 3 // 2


async def test_cancel_while_connecting_leaves_nothing_behind(database: Database) -> None:
    await database.close()
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    for wait in range(30):
        await cancelled(run_slow(database), after=wait / 1500, again=wait % 3 == 0)
    gc.collect()

    assert complaints == []
    await assert_whole(database)


async def test_cancelling_twice_stops_the_statement(database: Database) -> None:
    for _ in range(10):
        await cancelled(run_slow(database), after=0.03, again=True)

    await assert_whole(database)


async def test_cancelled_statement_keeps_its_connection(database: Database) -> None:
    await database.warm()
    before = await connection_ids(database)
    for _ in range(READER_COUNT):
        await cancelled(run_slow(database), after=0.03)

    assert await connection_ids(database) == before


async def connection_ids(database: Database) -> set[int]:
    """What tells the pooled connections apart."""
    all_here = asyncio.Barrier(READER_COUNT)

    async def look() -> int:
        async with database.read() as connection:
            await all_here.wait()
            raw = (await connection.get_raw_connection()).driver_connection
            return id(raw) if database.is_sqlite else int(raw.get_server_pid())  # type: ignore[union-attr]  # asyncpg's

    return set(await asyncio.gather(*(look() for _ in range(READER_COUNT))))


async def test_cancel_while_committing_commits(database: Database) -> None:
    if not database.is_sqlite:  # a commit that takes its time
        async with database.write() as connection:
            for statement in (LINGER, LINGERING):
                await connection.exec_driver_sql(statement)

    async def write_and_be_cancelled(number: int) -> None:
        task = asyncio.current_task()
        assert task
        async with database.write() as connection:
            await connection.execute(text("INSERT INTO move VALUES (:number, 'ann')"), {"number": number})
            asyncio.get_running_loop().call_later(0 if database.is_sqlite else 0.1, task.cancel)

    for number in range(3):
        with pytest.raises(asyncio.CancelledError):
            await asyncio.create_task(write_and_be_cancelled(number))

    assert await moves(database) == {0: 1, 1: 1, 2: 1}
    assert (taken_connections(database), await stray_count(database.settings.store_url)) == (0, 0)


async def test_cancel_while_waiting_for_a_connection(database: Database) -> None:
    connection_count = READER_COUNT if database.is_sqlite else READER_COUNT * 3 // 2
    holders = [asyncio.create_task(run_slow(database)) for _ in range(connection_count)]
    await asyncio.sleep(0.2)
    waiting = [asyncio.create_task(total(database)) for _ in range(10)]
    await asyncio.sleep(0.05)
    for task in (*waiting[::2], *holders):
        task.cancel()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    await asyncio.gather(*holders, return_exceptions=True)

    assert [result for result in found if not isinstance(result, asyncio.CancelledError)] == [400] * 5
    await assert_whole(database)


async def test_cancel_while_waiting_for_a_turn_gives_it_to_the_next(database: Database) -> None:
    transactions = Transactions(database)
    transactions._is_current = True  # noqa: SLF001  # the accounts stand in for a schema
    turn_count = READER_COUNT - 1
    inside, held = asyncio.Semaphore(0), asyncio.Event()

    async def hold() -> None:
        async with transactions.read():
            inside.release()
            await held.wait()

    async def hold_all(count: int) -> list[asyncio.Task[None]]:
        """Begin so many; return when as many hold a connection as there are turns."""
        tasks = [asyncio.create_task(hold()) for _ in range(count)]
        async with asyncio.timeout(2):
            for _ in range(turn_count):
                await inside.acquire()
        return tasks

    holders = await hold_all(2 * READER_COUNT)
    for task in holders:
        task.cancel()
    await asyncio.gather(*holders, return_exceptions=True)
    holders = await hold_all(turn_count)
    held.set()
    await asyncio.gather(*holders)

    await assert_whole(database)


async def test_storm_of_cancellations_leaves_the_ledger_right(database: Database) -> None:
    chance = random.Random(11)  # noqa: S311  # moments, not secrets
    acknowledged: set[int] = set()
    numbers = iter(range(1, 100_000))
    wrong: list[int] = []

    async def check() -> None:
        if (seen := await total(database)) != 400:
            wrong.append(seen)

    async def write() -> None:
        number = next(numbers)
        await move(database, number, *chance.sample(NAMES, 2))
        acknowledged.add(number)

    kinds: list[Callable[[], Awaitable[None]]] = [check, write, write, lambda: run_slow(database)]
    for _ in range(30):
        tasks = [asyncio.ensure_future(chance.choice(kinds)()) for _ in range(6)]
        spared = asyncio.ensure_future(write())  # however slow the machine is, some are acknowledged
        await asyncio.sleep(chance.random() * 0.05)
        for task in tasks:
            task.cancel()
            if chance.random() < 0.3:
                task.get_loop().call_later(chance.random() * 0.003, task.cancel)
        results = await asyncio.gather(*tasks, spared, return_exceptions=True)
        assert [result for result in results if isinstance(result, Exception)] == []

    found = await moves(database)
    assert wrong == []
    assert len(acknowledged) >= 30
    assert acknowledged <= set(found)
    assert set(found.values()) == {2}
    await assert_whole(database)


async def test_server_that_ignored_the_request_is_asked_again(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(Settings(store_url=postgres_url))
    ask, asked = asyncpg.connection.connect_utils._cancel, []  # noqa: SLF001

    async def ignore_first(**arguments: Any) -> None:  # Any: asyncpg's own
        asked.append(arguments)
        if len(asked) > 1:
            await ask(**arguments)

    monkeypatch.setattr(asyncpg.connection.connect_utils, "_cancel", ignore_first)
    async with asyncio.timeout(1.5):
        await cancelled(run_slow(database), after=0.1)

    assert len(asked) > 1
    assert (taken_connections(database), await stray_count(postgres_url)) == (0, 0)
    await database.close()

"""The database on SQLite: transactions, cancellation, limits, errors. Real files, real threads."""

import asyncio
import gc
import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import exc, text
from sqlalchemy.ext.asyncio import AsyncConnection

import livesearch.db.sqlite
from livesearch.config import Settings
from livesearch.db import READER_COUNT, Database
from livesearch.db.sqlite import MAPPED_COUNT, MAPPED_SIZE, InterruptibleConnection
from livesearch.errors import ConfigError, ConflictError, QueryTimeoutError, StoreError, StoreUnavailableError
from livesearch.store.sqlite import fetch

# Several seconds when nothing stops it.
SLOW = (
    "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 30000000)"
    " SELECT count(*) FROM number"
)


def make_database(path: Path) -> Database:
    return Database(Settings(store_url=f"sqlite+aiosqlite:///{path}"))


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = make_database(tmp_path / "store.db")
    async with database.write() as connection:
        await connection.execute(text("CREATE TABLE account (name TEXT PRIMARY KEY, balance INTEGER NOT NULL)"))
        await connection.execute(
            text("INSERT INTO account VALUES (:name, 100)"), [{"name": name} for name in ("ann", "bob", "cem", "dee")]
        )
    yield database
    await database.close()


async def create_table(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(text("CREATE TABLE t (x)"))


async def balance(database: Database, name: str = "ann") -> int:
    async with database.read() as connection:
        return int(
            (await connection.execute(text("SELECT balance FROM account WHERE name = :n"), {"n": name})).scalar_one()
        )


async def total(database: Database) -> int:
    async with database.read() as connection:
        return int((await connection.execute(text("SELECT sum(balance) FROM account"))).scalar_one())


async def transfer(database: Database, source: str, target: str) -> None:
    change = text("UPDATE account SET balance = balance + :d WHERE name = :n")
    async with database.write() as connection:
        await connection.execute(change, {"d": -1, "n": source})
        await connection.execute(change, {"d": 1, "n": target})


async def run_slow(database: Database) -> None:
    async with database.read() as connection:
        await connection.execute(text(SLOW))


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def idle_reader_count(database: Database) -> int:
    return int(database._reader.sync_engine.pool.checkedin())  # type: ignore[attr-defined]  # noqa: SLF001


async def test_write_commits(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(text("UPDATE account SET balance = 7 WHERE name = 'ann'"))

    assert await balance(database) == 7


async def test_write_rolls_back_on_error(database: Database) -> None:
    async def change_and_fail() -> None:
        async with database.write() as connection:
            await connection.execute(text("UPDATE account SET balance = 7 WHERE name = 'ann'"))
            raise RuntimeError("changed my mind")

    with pytest.raises(RuntimeError, match="changed my mind"):
        await change_and_fail()

    assert await balance(database) == 100


async def test_read_cannot_write(database: Database) -> None:
    with pytest.raises(StoreError, match="readonly"):
        async with database.read() as connection:
            await connection.execute(text("UPDATE account SET balance = 7"))

    assert await total(database) == 400


async def test_read_sees_one_snapshot(database: Database) -> None:
    question = text("SELECT balance FROM account WHERE name = 'ann'")
    async with database.read() as connection:
        before = (await connection.execute(question)).scalar_one()
        await transfer(database, "ann", "bob")
        after = (await connection.execute(question)).scalar_one()

    assert (before, after) == (100, 100)
    assert await balance(database) == 99


async def test_writes_take_turns(database: Database) -> None:
    inside = 0

    async def increment() -> None:
        nonlocal inside
        async with database.write() as connection:
            inside += 1
            seen = (await connection.execute(text("SELECT balance FROM account WHERE name = 'ann'"))).scalar_one()
            assert inside == 1
            await asyncio.sleep(0.001)
            await connection.execute(text("UPDATE account SET balance = :b WHERE name = 'ann'"), {"b": seen + 1})
            inside -= 1

    await asyncio.gather(*(increment() for _ in range(30)))

    assert await balance(database) == 130


async def test_writes_of_two_processes_take_turns(database: Database, tmp_path: Path) -> None:
    other = make_database(tmp_path / "store.db")  # with a lock of its own, as another process has

    async def increment(one: Database) -> None:
        for _ in range(10):
            async with one.write() as connection:
                seen = (await connection.execute(text("SELECT balance FROM account WHERE name = 'ann'"))).scalar_one()
                await connection.execute(text("UPDATE account SET balance = :b WHERE name = 'ann'"), {"b": seen + 1})

    await asyncio.gather(increment(database), increment(other))
    await other.close()

    assert await balance(database) == 120


async def test_integrity_error_is_seen_inside_and_wrapped_outside(database: Database) -> None:
    async def insert_twice() -> None:
        async with database.write() as connection:
            with pytest.raises(exc.IntegrityError):
                await connection.execute(text("INSERT INTO account VALUES ('ann', 1)"))
            await connection.execute(text("INSERT INTO account VALUES ('bob', 1)"))

    with pytest.raises(ConflictError):
        await insert_twice()


async def test_statement_error_is_wrapped_without_its_parameters(database: Database) -> None:
    with pytest.raises(StoreError, match="no such table") as caught:
        async with database.read() as connection:
            await connection.execute(text("SELECT * FROM nowhere WHERE a = :a"), {"a": "hunter2"})

    assert not isinstance(caught.value, StoreUnavailableError)
    assert "hunter2" not in f"{caught.value} {caught.value.__cause__}"


async def test_cancel_interrupts_the_statement_and_keeps_the_connection(database: Database) -> None:
    await database.warm()
    threads = set(threading.enumerate())
    delays = []
    for _ in range(3):
        task = asyncio.create_task(run_slow(database))
        await asyncio.sleep(0.1)
        cancelled_at = time.perf_counter()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        delays.append(time.perf_counter() - cancelled_at)

    assert min(delays) < 0.05
    assert idle_reader_count(database) == READER_COUNT
    assert set(threading.enumerate()) == threads
    assert await asyncio.gather(*(total(database) for _ in range(READER_COUNT))) == [400] * READER_COUNT


async def test_cancelling_twice_leaves_the_connection_idle(database: Database) -> None:
    for _ in range(20):
        task = asyncio.create_task(run_slow(database))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await total(database) == 400


async def test_cancel_storm_leaves_the_ledger_right(database: Database) -> None:
    chance = random.Random(7)  # noqa: S311
    names = ("ann", "bob", "cem", "dee")
    wrong: list[int] = []

    async def check() -> None:
        if (seen := await total(database)) != 400:
            wrong.append(seen)

    def act() -> asyncio.Task[None]:
        kinds: list[Callable[[], Any]] = [
            check,
            lambda: run_slow(database),
            lambda: transfer(database, *chance.sample(names, 2)),
        ]
        return asyncio.create_task(chance.choice(kinds)())

    cancelled_count = 0
    for _ in range(80):
        tasks = [act() for _ in range(6)]
        await asyncio.sleep(chance.random() * 0.01)
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        cancelled_count += sum(isinstance(result, asyncio.CancelledError) for result in results)
        assert [r for r in results if isinstance(r, Exception)] == []

    assert cancelled_count > 150
    assert wrong == []
    assert await asyncio.gather(*(total(database) for _ in range(READER_COUNT))) == [400] * READER_COUNT
    await transfer(database, "ann", "bob")
    assert await total(database) == 400


async def test_cancel_while_opening_leaves_nothing_open(tmp_path: Path) -> None:
    threads = set(threading.enumerate())
    database = make_database(tmp_path / "store.db")
    for wait in range(30):
        task = asyncio.create_task(run_slow(database))
        await asyncio.sleep(wait / 10_000)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await database.close()

    for thread in set(threading.enumerate()) - threads:
        thread.join(timeout=2)
    assert set(threading.enumerate()) - threads == set()


async def test_time_limit_stops_the_statement(database: Database) -> None:
    started = time.perf_counter()
    with pytest.raises(QueryTimeoutError, match="100 ms"):
        async with database.time_limit(100):
            await run_slow(database)

    assert time.perf_counter() - started < 0.5
    assert await total(database) == 400


async def test_time_limit_is_that_of_the_settings(tmp_path: Path) -> None:
    database = Database(Settings(store_url=f"sqlite+aiosqlite:///{tmp_path}/store.db", query_timeout_ms=20))

    with pytest.raises(QueryTimeoutError, match="20 ms"):
        async with database.time_limit():
            await asyncio.sleep(1)


async def test_time_limit_leaves_the_timeouts_of_others_alone(database: Database) -> None:
    with pytest.raises(TimeoutError, match="mine"):
        async with database.time_limit(1000):
            raise TimeoutError("mine")


async def test_busy_pool_is_unavailable_not_endless(database: Database) -> None:
    async with asyncio.TaskGroup() as group:
        holders = [group.create_task(run_slow(database)) for _ in range(READER_COUNT)]
        await asyncio.sleep(0.05)
        with pytest.raises(StoreUnavailableError, match="busy"):
            await total(database)
        for holder in holders:
            holder.cancel()

    assert await total(database) == 400


@pytest.mark.parametrize("content", [None, b"This is no database. " * 500])
async def test_ping_says_what_is_wrong(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "folder" / "store.db"
    if content:
        path.parent.mkdir()
        path.write_bytes(content)
    database = make_database(path)

    with pytest.raises(StoreUnavailableError, match="not a SQLite database" if content else "cannot be opened"):
        await database.ping()
    await database.close()


async def test_ping_passes_when_the_store_answers(database: Database) -> None:
    await database.ping()


async def test_damaged_page_costs_its_connection(database: Database, tmp_path: Path) -> None:
    async with database.write() as connection:
        await connection.execute(text("CREATE TABLE filler (x BLOB)"))
        await connection.execute(text("INSERT INTO filler VALUES (:x)"), [{"x": bytes(3000)} for _ in range(200)])
    await database.close()
    size = (tmp_path / "store.db").stat().st_size
    with (tmp_path / "store.db").open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xff" * (size // 4))
    await database.warm()
    threads = set(threading.enumerate())

    with pytest.raises(StoreUnavailableError, match="damaged"):
        async with database.read() as connection:
            await connection.execute(text("SELECT sum(length(x)) FROM filler"))
    assert len(threads - set(threading.enumerate())) == 1  # a connection is a thread
    assert await total(database) == 400


async def test_close_leaves_neither_threads_nor_log(tmp_path: Path) -> None:
    threads = set(threading.enumerate())
    database = make_database(tmp_path / "store.db")
    await database.warm()
    await create_table(database)
    opened = set(threading.enumerate()) - threads

    await database.close()

    assert len(opened) == READER_COUNT + 1
    assert set(threading.enumerate()) == threads
    assert files(tmp_path) == ["store.db"]


async def test_close_without_use_makes_no_file(tmp_path: Path) -> None:
    await make_database(tmp_path / "store.db").close()

    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("pragma", "reader", "writer"),
    [
        ("journal_mode", "wal", "wal"),
        ("synchronous", 2, 2),  # FULL
        ("busy_timeout", 5000, 5000),
        ("foreign_keys", 1, 1),
        ("trusted_schema", 0, 0),
        ("journal_size_limit", 67108864, 67108864),
        ("query_only", 1, 0),
    ],
)
async def test_pragma_is_set(database: Database, pragma: str, reader: object, writer: object) -> None:
    async with database.read() as connection:
        assert (await connection.exec_driver_sql(f"PRAGMA {pragma}")).scalar_one() == reader
    async with database.write() as connection:
        assert (await connection.exec_driver_sql(f"PRAGMA {pragma}")).scalar_one() == writer


async def mapped_counts(database: Database) -> Counter[int]:
    """Bytes of the file that readers map, all of them lent at once."""
    async with AsyncExitStack() as stack:
        readers = [await stack.enter_async_context(database.read()) for _ in range(READER_COUNT)]
        return Counter([(await one.exec_driver_sql("PRAGMA mmap_size")).scalar_one() for one in readers])


async def test_those_readers_map_the_file_that_are_lent_most(database: Database) -> None:
    await database.warm()
    for _ in range(3):
        async with AsyncExitStack() as stack:
            for _ in range(MAPPED_COUNT):
                connection = await stack.enter_async_context(database.read())
                assert (await connection.exec_driver_sql("PRAGMA mmap_size")).scalar_one() == MAPPED_SIZE

    assert await mapped_counts(database) == {MAPPED_SIZE: MAPPED_COUNT, 0: READER_COUNT - MAPPED_COUNT}


async def test_a_new_reader_maps_the_file_in_place_of_one_that_broke(database: Database) -> None:
    await database.warm()
    async with database.read() as connection:
        await connection.invalidate()
    del connection
    gc.collect()

    assert await mapped_counts(database) == {MAPPED_SIZE: MAPPED_COUNT, 0: READER_COUNT - MAPPED_COUNT}


async def test_file_that_another_program_just_made_is_waited_for(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    other.execute("CREATE TABLE t (x)")
    other.execute("BEGIN IMMEDIATE")
    database = make_database(tmp_path / "store.db")
    pinging = asyncio.create_task(database.ping())
    await asyncio.sleep(0.1)
    other.close()

    await pinging
    await database.close()


async def test_writes_wait_for_their_turn_however_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(livesearch.db.sqlite, "POOL_SECONDS", 0.01)
    database = make_database(tmp_path / "store.db")
    async with database.write():
        waiting = asyncio.create_task(create_table(database))
        await asyncio.sleep(0.1)
        assert not waiting.done()
    await waiting
    await database.close()


async def test_batch_is_one_trip_to_the_thread(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    await total(database)  # opens a reader
    trips = []
    put = InterruptibleConnection._put  # noqa: SLF001

    def spy(self: InterruptibleConnection, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        trips.append(function.__name__)
        return put(self, function, *args, **kwargs)

    monkeypatch.setattr(InterruptibleConnection, "_put", spy)
    rows = [{"n": f"n{number}", "b": number} for number in range(5000)]
    async with database.write() as connection:
        await connection.execute(text("INSERT INTO account VALUES (:n, :b)"), rows)
    async with database.read() as connection:
        count = (await connection.execute(text("SELECT count(*) FROM account"))).scalar_one()

    assert count == 5004
    # The reader's transaction is ended in the thread, too, and nobody waits for that.
    assert trips == ["_run_in_thread", "_commit_in_thread", "_run_in_thread"]


async def driver_of(connection: AsyncConnection) -> InterruptibleConnection:
    driver = (await connection.get_raw_connection()).driver_connection
    assert isinstance(driver, InterruptibleConnection)
    return driver


async def test_nothing_is_left_of_a_commit_that_fails(database: Database) -> None:
    async def owe() -> None:
        async with database.write() as connection:
            await connection.execute(text("INSERT INTO debt VALUES ('nobody')"))

    async with database.write() as connection:
        deferred = "REFERENCES account DEFERRABLE INITIALLY DEFERRED"
        await connection.execute(text(f"CREATE TABLE debt (name TEXT {deferred})"))
    with pytest.raises(ConflictError):
        await owe()
    async with database.write() as connection:
        await connection.execute(text("INSERT INTO account VALUES ('nobody', 0)"))
        count = (await connection.execute(text("SELECT count(*) FROM debt"))).scalar_one()

    assert count == 0


DEPOSIT = "UPDATE account SET balance = balance + ? WHERE name = ?"


async def test_statement_handed_over_runs_before_the_next_one(database: Database) -> None:
    async with database.write() as connection:
        driver = await driver_of(connection)
        driver.hand_over(DEPOSIT, (10, "ann"))
        driver.hand_over("INSERT INTO account VALUES (?, ?)", ("eva", 5))
        seen = (await connection.execute(text("SELECT sum(balance) FROM account"))).scalar_one()
        # The last of a block goes with the commit.
        driver.hand_over(DEPOSIT, (1, "eva"))

    assert seen == 415
    assert await total(database) == 416


async def test_statement_handed_over_is_committed_where_there_is_no_other(database: Database) -> None:
    async with database.write() as connection:
        (await driver_of(connection)).hand_over(DEPOSIT, (10, "ann"))

    assert await total(database) == 410


async def test_statement_handed_over_is_undone_with_its_transaction(database: Database) -> None:
    async def fail_after(*, is_asked: bool) -> None:
        async with database.write() as connection:
            (await driver_of(connection)).hand_over(DEPOSIT, (10, "ann"))
            if is_asked:
                await connection.execute(text("SELECT 1"))
            raise RuntimeError

    for is_asked in (False, True):
        with pytest.raises(RuntimeError):
            await fail_after(is_asked=is_asked)
    await transfer(database, "bob", "cem")

    assert await total(database) == 400


@pytest.mark.parametrize("is_asked", [True, False])
async def test_statement_handed_over_that_fails_undoes_all(database: Database, *, is_asked: bool) -> None:
    async def write() -> None:
        async with database.write() as connection:
            driver = await driver_of(connection)
            driver.hand_over(DEPOSIT, (10, "ann"))
            driver.hand_over("INSERT INTO account VALUES (?, ?)", ("ann", 0))  # there is one
            driver.hand_over(DEPOSIT, (10, "bob"))
            if is_asked:
                await connection.execute(text("SELECT 1"))

    with pytest.raises(ConflictError):
        await write()
    await transfer(database, "bob", "cem")

    assert await total(database) == 400
    assert await balance(database) == 100


@pytest.mark.parametrize("url", ["sqlite+aiosqlite:///:memory:", "sqlite+aiosqlite:///x.db?mode=ro"])
def test_store_that_readers_cannot_share_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="name a file"):
        Database(Settings(store_url=url))


async def test_a_connection_that_is_stopped_while_it_closes_closes() -> None:
    connection = InterruptibleConnection(lambda: sqlite3.connect(":memory:", check_same_thread=False), "BEGIN")
    await connection
    closing = asyncio.create_task(connection.close())
    await asyncio.sleep(0)  # it waits for the thread

    connection.stop()

    await asyncio.wait_for(closing, 5)


async def test_writers_statement_past_sqlalchemy_that_fails_is_not_run_again(database: Database) -> None:
    ran: list[str] = []

    async def write() -> None:
        async with database.write() as connection:
            driver = await driver_of(connection)
            driver.hand_over(DEPOSIT, (10, "bob"))
            await driver.run_statement(driver._conn.set_trace_callback, ran.append)  # noqa: SLF001  # what ran is seen nowhere else
            # It ends the transaction: run again, it would begin one without the deposit.
            await fetch(connection, ("INSERT OR ROLLBACK INTO account VALUES (?, ?)", ("ann", 0)))

    with pytest.raises(ConflictError):
        await write()

    assert sum(statement.startswith("INSERT") for statement in ran) == 1
    assert await total(database) == 400


async def test_nothing_is_committed_after_a_failure_that_is_not_the_stores(database: Database) -> None:
    async def write() -> None:
        async with database.write() as connection:
            driver = await driver_of(connection)
            driver.hand_over(DEPOSIT, (10, "ann"))
            driver.hand_over(DEPOSIT, (10, "\ud800"))  # no text: Python's own error
            driver.hand_over(DEPOSIT, (10, "bob"))
            await fetch(connection, ("SELECT sum(balance) FROM account", ()))

    with pytest.raises(UnicodeEncodeError):
        await write()
    await transfer(database, "bob", "cem")

    assert await total(database) == 400


async def test_cancelled_behind_a_statement_handed_over_stops_that_one(database: Database) -> None:
    async def write() -> None:
        async with database.write() as connection:
            driver = await driver_of(connection)
            driver.hand_over(DEPOSIT, (10, "ann"))
            driver.hand_over(f"UPDATE account SET balance = ({SLOW})", ())  # noqa: S608  # our own words
            driver.hand_over(DEPOSIT, (10, "bob"))
            await connection.execute(text("SELECT 1"))

    writing = asyncio.create_task(write())
    await asyncio.sleep(0.1)
    begun = time.monotonic()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing

    assert time.monotonic() - begun < 0.5
    await transfer(database, "bob", "cem")
    assert await total(database) == 400


async def test_readers_failure_is_not_the_next_ones(database: Database) -> None:
    async with database.read() as connection:
        (await driver_of(connection)).hand_over(DEPOSIT, (10, "ann"))

    assert [await total(database) for _ in range(10)] == [400] * 10

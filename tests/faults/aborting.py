"""A site with a search of two seconds, clients that do not wait for it, and what the store still does afterwards.

As a module it is the site: ``python -m tests.faults.aborting ours|plain``, with its settings in the environment; it
prints its port. ``plain`` is the same application behind asgiref's own bridge.
"""

import asyncio
import os
import random
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import asyncpg
import orjson
import uvicorn
from asgiref.wsgi import WsgiToAsgi
from sqlalchemy import text

from livesearch.app import LivesearchApp
from livesearch.bridge import create_asgi
from livesearch.config import Settings
from livesearch.db import Database, sqlite_path
from livesearch.services import build_services
from livesearch.services.imports import ImportOptions
from livesearch.web.audience import Audience, open_to
from livesearch.web.registry import current_services
from tests.conftest import POSTGRES

# Two seconds and more on any machine, nearly all of it in one statement; each is of the kind that can be stopped.
SLOW = {
    True: (
        "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 100000000)"
        " SELECT count(*) FROM number"
    ),
    False: "SELECT count(*), max(length(pg_sleep(0.02)::text)) FROM generate_series(1, 120)",
}
# What the site's collection is called, and what people type into it: beginnings of one letter match most.
NAME = "games"
QUERIES = ("z", "ze", "zel", "zelda", "m", "ma", "mario", "s", "so", "sonic the", "f", "final fan", "a", "dragon q")


# ---- The site --------------------------------------------------------------------------------------------------------


def add_views(app: LivesearchApp) -> None:
    """Add a search of two seconds, a quick one, a slow write, and a view that tells what became of them."""
    noted: dict[str, dict[str, float]] = {"asked": {}, "ended": {}, "answered": {}}

    @app.get("/slow/<key>")
    @open_to(Audience.EVERYONE)
    async def slow(key: str) -> str:
        try:
            async with current_services().transactions.read() as connection:
                noted["asked"][key] = time.monotonic()
                count = (await connection.execute(text(SLOW[app.database.is_sqlite]))).scalar()
                noted["answered"][key] = time.monotonic()
                return str(count)
        finally:
            noted["ended"][key] = time.monotonic()

    @app.get("/quick")
    @open_to(Audience.EVERYONE)
    async def quick() -> str:
        async with current_services().transactions.read() as connection:
            return str((await connection.execute(text("SELECT 40 + 2"))).scalar_one())

    @app.post("/write/<key>")
    @open_to(Audience.EVERYONE)
    async def write(key: str) -> str:
        async with current_services().transactions.write() as connection:
            for part in range(2):
                noted["asked"][key] = time.monotonic()
                await connection.execute(text("INSERT INTO ledger VALUES (:key, :part)"), {"key": key, "part": part})
                await asyncio.sleep(0.2)
        noted["answered"][key] = time.monotonic()
        return "written"

    @app.get("/noted")
    @open_to(Audience.EVERYONE)
    async def tell() -> dict[str, object]:
        return {**noted, "taken": taken_connections(app.database), "tasks": len(asyncio.all_tasks())}

    app.extensions["csrf"].exempt(write)


def taken_connections(database: Database) -> int:
    """Connections that are not in their pool, or would not be given out."""
    pools = {engine.sync_engine.pool for engine in (database._reader, database._writer)}  # noqa: SLF001
    return sum(cast("Any", pool).checkedout() for pool in pools)  # Any: a QueuePool


def main(bridge: str) -> None:
    """Serve until terminated."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    ours = create_asgi()
    app = cast("LivesearchApp", ours.wsgi_application)
    add_views(app)
    config = uvicorn.Config(
        cast("Any", ours if bridge == "ours" else WsgiToAsgi(app)),  # type: ignore[no-untyped-call]  # Any: uvicorn's types
        lifespan="on" if bridge == "ours" else "off",
        reset_contextvars=True,  # without it the plain bridge answers 500 to every second request
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=2,
    )
    print(listener.getsockname()[1], flush=True)  # noqa: T201
    uvicorn.Server(config).run(sockets=[listener])


# ---- Its store -------------------------------------------------------------------------------------------------------


@contextmanager
def scratch_store(kind: str, folder: str | Path) -> Iterator[str]:
    """A new store, ``sqlite`` in a folder or ``postgres``; gives its URL."""
    if kind == "sqlite":
        yield f"sqlite+aiosqlite:///{folder}/store.db"
        return
    name = f"livesearch_{uuid4().hex}"
    asyncio.run(_on_postgres(POSTGRES, f"CREATE DATABASE {name}"))
    try:
        yield f"{POSTGRES.rpartition('/')[0]}/{name}".replace("postgresql://", "postgresql+asyncpg://")
    finally:
        asyncio.run(_on_postgres(POSTGRES, f"DROP DATABASE {name} WITH (FORCE)"))


async def stray_count(store_url: str) -> int:
    """Statements and transactions that are still open in the store, as another program sees it."""
    if store_url.startswith("sqlite"):
        with closing(sqlite3.connect(sqlite_path(store_url), timeout=1)) as connection:
            # The log can be emptied only when nobody reads an older state from it.
            return int(connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])
    return int(
        await _on_postgres(
            store_url,
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'"
            " AND pid <> pg_backend_pid()",
        )
    )


async def backend_count(store_url: str) -> int:
    """Processes of the server that serve the store; none where it is a file."""
    statement = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    return 0 if store_url.startswith("sqlite") else int(await _on_postgres(store_url, statement))


async def _on_postgres(url: str, statement: str) -> Any:  # Any: whatever it selects
    connection = await asyncpg.connect(url.replace("+asyncpg", ""), timeout=3)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def entries(store_url: str) -> list[tuple[str, int]]:
    """What slow writes have left behind, in order."""
    database = Database(Settings(store_url=store_url))
    async with database.read() as connection:
        found = (await connection.execute(text("SELECT entry, part FROM ledger ORDER BY entry, part"))).all()
    await database.close()
    return [(entry, part) for entry, part in found]


# ---- Starting the site -----------------------------------------------------------------------------------------------


async def prepare(store_url: str, source: str) -> None:
    """Make a store with one collection and a table for slow writes."""
    database = Database(Settings(store_url=store_url))
    services = build_services(database.settings, database)
    await services.transactions.upgrade()
    await services.imports.run(source, ImportOptions(name=NAME))
    async with database.write() as connection:
        await connection.execute(text("CREATE TABLE ledger (entry TEXT, part INTEGER)"))
    await database.close()


@dataclass(frozen=True, slots=True)
class Site:
    """The running site.

    Attributes:
        pid: Of its only process.
    """

    port: int
    pid: int


@contextmanager
def running_site(store_url: str, bridge: str = "ours") -> Iterator[Site]:
    """Serve a prepared store from a process of its own.

    Raises:
        RuntimeError: It did not come up.
    """
    environment = os.environ | {
        "LIVESEARCH_STORE_URL": store_url,
        "LIVESEARCH_SECRET_KEY": "of a test, on this machine alone",
        "LIVESEARCH_QUERY_TIMEOUT_MS": "10000",
        "LIVESEARCH_DRAIN_SECONDS": "0",
        # Each search is to be one, also when it has been asked for before.
        "LIVESEARCH_CACHE_MB": "0",
    }
    command = [sys.executable, "-m", "tests.faults.aborting", bridge]
    with subprocess.Popen(  # noqa: S603  # our own
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as process:
        try:
            assert process.stdout
            port = process.stdout.readline()
            if not port:
                raise RuntimeError(f"The site did not come up. Run `{' '.join(command)}` to see why.")
            yield Site(int(port), process.pid)
        finally:
            process.terminate()
            process.wait(30)


# ---- Its clients -----------------------------------------------------------------------------------------------------


async def ask(port: int, target: str) -> tuple[int, bytes]:
    """Ask and wait; gives status and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return int(answer[9:12]), answer.partition(b"\r\n\r\n")[2]


async def leave(port: int, target: str, *, after: float, method: str = "GET") -> float:
    """Ask, and hang up after some seconds; gives the moment of that, on the clock of all processes."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nHX-Request: true\r\nContent-Length: 0\r\n\r\n".encode()
    )
    await asyncio.sleep(after)
    left = time.monotonic()
    writer.transport.abort()
    return left


async def noted(port: int) -> dict[str, Any]:  # Any: JSON
    """What became of requests, by key; how many connections are taken, and how many tasks there are."""
    return cast("dict[str, Any]", orjson.loads((await ask(port, "/noted"))[1]))


async def settled(
    port: int, keys: Sequence[str] = (), *, task_count: int | None = None, seconds: float = 10.0
) -> dict[str, Any]:  # Any: JSON
    """The same, when the site has let go of those of these requests that it began, and has no more tasks than told."""
    end = time.monotonic() + seconds
    while True:
        found = await noted(port)
        begun = set(found["asked"]) & set(keys)
        is_settled = begun <= set(found["ended"]) and not found["taken"]
        if (is_settled and found["tasks"] <= (task_count or found["tasks"])) or time.monotonic() > end:
            return found
        await asyncio.sleep(0.01)


@dataclass(slots=True)
class Departures:
    """What was seen of requests that were given up.

    Attributes:
        seconds: From the client's leaving until the store had stopped and the connection was free again; only of those
            whose statement was running.
        answered_count: Those that were answered in spite of it.
        wrong_count: Requests after them that were not answered as they should be.
        taken: Connections that were not free in the end.
    """

    seconds: list[float] = field(default_factory=list)
    answered_count: int = 0
    wrong_count: int = 0
    taken: int = 0


async def give_up_slow(port: int, count: int, *, typists: int = 1, seed: int = 1) -> Departures:
    """Type: ask for what takes two seconds, leave after 20 to 60 ms, see that the next one is answered right."""
    chance, departures = random.Random(seed), Departures()  # noqa: S311  # moments, not secrets
    left: dict[str, float] = {}

    async def type_on(typist: int) -> None:
        for turn in range(count // typists):
            key = f"{seed}-{typist}-{turn}"
            left[key] = await leave(port, f"/slow/{key}", after=chance.uniform(0.02, 0.06))
            departures.wrong_count += await ask(port, "/quick") != (200, b"42")

    await asyncio.gather(*(type_on(typist) for typist in range(typists)))
    found = await settled(port, list(left))
    for key, moment in left.items():
        if found["asked"].get(key, moment) < moment:
            departures.seconds.append(found["ended"].get(key, float("inf")) - moment)
    departures.answered_count = len(set(found["answered"]) & set(left))
    departures.taken = found["taken"]
    return departures


async def storm(port: int, count: int, *, at_once: int = 20, seed: int = 1) -> None:
    """Search, and leave within 30 ms; so many people at once, until so many searches were given up."""
    chance = random.Random(seed)  # noqa: S311  # moments, not secrets
    todo = iter(range(count))

    async def type_on() -> None:
        for _ in todo:
            await leave(port, f"/c/{NAME}?q={chance.choice(QUERIES)[:3].strip()}", after=chance.uniform(0, 0.03))

    await asyncio.gather(*(type_on() for _ in range(at_once)))


async def results(port: int) -> list[tuple[int, list[str]]]:
    """What the site finds: total and keys of the first page, for each query."""
    found = []
    for query in QUERIES:
        _, body = await ask(port, f"/api/v1/collections/{NAME}/search?q={query.replace(' ', '%20')}")
        answer = orjson.loads(body)
        found.append((answer["total"], [hit["id"] for hit in answer["hits"]]))
    return found


if __name__ == "__main__":
    main(sys.argv[1])

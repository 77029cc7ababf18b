"""One slow search by four stacks: FTS5's ranked top ten, whose cost grows with what a beginning matches.

Each function makes an application for a server that ``bursts`` starts; the store is read from the environment.
"""

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from asgiref.wsgi import WsgiToAsgi
from flask import Flask, request
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from livesearch.bridge import LoopBridge, ThreadBridge
from livesearch.db.sqlite import sqlite_engine
from livesearch.web.loop import LoopFlask

STORE_VARIABLE = "LIVESEARCH_BENCH_STORE"
# Threads of the synchronous server, and connections of each stack that has a pool.
THREADS, _POOL_SIZE = 16, 8
_STATEMENT = text("SELECT title FROM titles WHERE titles MATCH :pattern ORDER BY rank LIMIT 10")


def build_store(path: Path, titles: Sequence[str]) -> None:
    """Index titles."""
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE VIRTUAL TABLE titles USING fts5(title, prefix='1 2 3')")
        connection.executemany("INSERT INTO titles VALUES (?)", [(title,) for title in titles])
    connection.close()


def _store() -> str:
    return os.environ[STORE_VARIABLE]


def _pattern() -> dict[str, str]:
    return {"pattern": f'"{request.args["q"]}"*'}


def _async(app: Flask, engine: AsyncEngine) -> Flask:
    @app.get("/")
    async def search() -> list[str]:
        async with engine.connect() as connection:
            return list((await connection.execute(_STATEMENT, _pattern())).scalars())

    return app


def _stock_engine() -> AsyncEngine:
    return create_async_engine(f"sqlite+aiosqlite:///{_store()}", pool_size=_POOL_SIZE, max_overflow=0)


def _our_engine() -> AsyncEngine:
    return sqlite_engine(f"sqlite+aiosqlite:///{_store()}", _store(), reader_count=_POOL_SIZE)


def ours() -> Any:  # Any: an ASGI application, as below
    """Our bridge and driver."""
    return LoopBridge(_async(LoopFlask("burst"), _our_engine()))


def threads() -> Any:
    """Our bridge with a thread a request, and our driver."""
    return ThreadBridge(_async(LoopFlask("burst"), _our_engine()))


def plain() -> Any:
    """The bridge of asgiref and the driver as they come."""
    return WsgiToAsgi(_async(Flask("burst"), _stock_engine()))  # type: ignore[no-untyped-call]  # asgiref has no types there


def sync() -> Flask:
    """Synchronous Flask, for gunicorn."""
    app = Flask("burst")
    engine = create_engine(f"sqlite:///{_store()}", pool_size=THREADS, max_overflow=0)

    @app.get("/")
    def search() -> list[str]:
        with engine.connect() as connection:
            return list(connection.execute(_STATEMENT, _pattern()).scalars())

    return app

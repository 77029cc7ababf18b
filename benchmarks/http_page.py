"""The page that frameworks are compared by: ten titles that begin with what was typed, one query and one template."""

import gzip
import json
import os
import random
import sqlite3
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import DictLoader
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from livesearch.db.sqlite import sqlite_engine

STORE_VARIABLE = "LIVESEARCH_BENCH_STORE"
# Where the product, too, answers visitors from its cache.
PATH = "/c/titles"
# As many as the product opens to read.
_POOL_SIZE = 8
# Threads of a synchronous server, each with a connection; the peers' documentation suggests 2 to 4 a core.
SYNC_THREADS = 16

_SQL = (
    "SELECT games.title, games.platform, games.year, games.key FROM titles JOIN games ON games.id = titles.rowid"
    " WHERE titles MATCH :pattern LIMIT 10"
)
STATEMENT = text(_SQL)
KEY = "signs nothing that anyone keeps"
NAME = "rows.html"
TEMPLATE = """\
<section id="results" aria-label="Results" data-query="{{ query }}">
  <ol>
    {% for row in rows %}
      <li id="row-{{ loop.index }}" class="row">
        <a href="/doc/{{ row.key }}?q={{ query }}" data-result>{{ row.title }}</a>
        <dl>
          <dt>Platform</dt><dd>{{ row.platform }}</dd>
          {% if row.year %}<dt>Year</dt><dd>{{ row.year }}</dd>{% endif %}
        </dl>
      </li>
    {% else %}
      <li>Nothing begins with “{{ query }}”.</li>
    {% endfor %}
  </ol>
</section>
"""
LOADER = DictLoader({NAME: TEMPLATE})
Titles = Sequence[Row[Any]]  # Any: columns as the statement names them


def demo_rows() -> Sequence[dict[str, Any]]:  # Any: a row's values
    """The games that come with the product."""
    packed = files("livesearch").joinpath("demo", "demo_console_games.jsonl.gz").read_bytes()
    return [json.loads(line) for line in gzip.decompress(packed).splitlines()]


def build_store(path: Path) -> Sequence[str]:
    """Write the demo's games and an FTS5 index over their titles; gives 300 prefixes that find 20 to 200 rows each."""
    rows = demo_rows()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE games (id INTEGER PRIMARY KEY, key TEXT, title TEXT, platform TEXT, year INT)")
        connection.execute(
            "CREATE VIRTUAL TABLE titles USING fts5(title, content='games', content_rowid='id', prefix='2 3')"
        )
        connection.executemany(
            "INSERT INTO games (key, title, platform, year) VALUES (?, ?, ?, ?)",
            [(row["id"], row["title"], row["platform"], row.get("year")) for row in rows],
        )
        connection.execute("INSERT INTO titles (titles) VALUES ('rebuild')")
        found: dict[str, int] = {}
        for row in rows:
            for word in {part for part in row["title"].lower().split() if part.isascii() and part.isalpha()}:
                for length in range(2, min(len(word), 5) + 1):
                    found[word[:length]] = found.get(word[:length], 0) + 1
    connection.close()
    good = sorted(prefix for prefix, count in found.items() if 20 <= count <= 200)
    return random.Random(1).sample(good, 300)  # noqa: S311  # the same in each run


def store_path() -> str:
    """Where the rows are."""
    return os.environ[STORE_VARIABLE]


def stock_engine() -> AsyncEngine:
    """SQLAlchemy and aiosqlite as they come."""
    return create_async_engine(f"sqlite+aiosqlite:///{store_path()}", pool_size=_POOL_SIZE, max_overflow=0)


def our_engine() -> AsyncEngine:
    """SQLAlchemy on our driver."""
    return sqlite_engine(f"sqlite+aiosqlite:///{store_path()}", store_path(), reader_count=_POOL_SIZE)


async def find(engine: AsyncEngine, query: str) -> Titles:
    """Ten titles, as SQLAlchemy's documentation asks for them."""
    async with engine.connect() as connection:
        return (await connection.execute(STATEMENT, {"pattern": f'"{query}"*'})).fetchall()


def find_at_once(engine: AsyncEngine, query: str) -> Titles:
    """The same for a greenlet: one for the whole block, where ``find`` takes one for each call."""
    with engine.sync_engine.connect() as connection:
        return connection.execute(STATEMENT, {"pattern": f'"{query}"*'}).fetchall()

"""The examples of docs/writing-by-sql.md do what the page says, on the store that each is for."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import asyncpg

from livesearch.domain import SearchQuery
from livesearch.services import Services
from livesearch.services.imports import ImportOptions
from tests.conftest import WriteRows
from tests.indexes import checked_documents

PAGE = Path(__file__).parents[2] / "docs" / "writing-by-sql.md"


def example(heading: str) -> str:
    """The first block of code under a heading."""
    section = PAGE.read_text().partition(f"\n## {heading}\n")[2]
    block = re.search(r"```\w+\n(.*?)```", section, re.DOTALL)
    assert block
    return block[1]


async def run(store_url: str, statements: str) -> None:
    if store_url.startswith("sqlite"):
        with closing(sqlite3.connect(store_url.partition(":///")[2])) as connection:
            connection.executescript(statements)
        return
    client = await asyncpg.connect(store_url.replace("postgresql+asyncpg", "postgresql"))
    try:
        await client.execute(statements)
    finally:
        await client.close()


async def test_the_examples_are_found_by_the_next_search(
    services: Services, store_url: str, write_rows: WriteRows
) -> None:
    rows: list[dict[str, object]] = [
        {"id": "mario", "title": "Mario", "maker": "Nintendo", "year": 1985},
        {"id": "zelda", "title": "Zelda", "maker": "Nintendo", "year": 1986},
    ]
    await services.imports.run(write_rows("games", rows), ImportOptions(key="id"))
    await run(store_url, example("SQLite" if store_url.startswith("sqlite") else "PostgreSQL"))
    page = await services.search.search("games", SearchQuery("metroid"))

    assert [(hit.key, hit.document["year"]) for hit in page.hits] == [("metroid", 1987)]
    assert sorted(await checked_documents(services.transactions, "games")) == ["metroid", "zelda"]
    await run(store_url, example("Many rows"))
    await run(store_url, example("What happens to a row"))

"""While another process imports into the same collection, searches are answered, and edits are found at once."""

import asyncio
import json
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from livesearch.domain import Role, SearchQuery
from livesearch.services import Services
from livesearch.services.imports import ImportOptions
from tests.indexes import checked_documents
from tests.services.foreign_program import ForeignProgram

# More rows than the sample has: the index is computed in a process of its own.
ROW_COUNT = 4000
ROLES = {"title": Role.TITLE, "about": Role.TEXT, "maker": Role.FACET}
# The command, with a transaction for each some hundred rows.
SCRIPT = """
from livesearch.services import batches, imports
batches.BYTE_COUNT, imports.ROW_COUNT = 60_000, 300
from livesearch.cli.importing import import_source
import_source()
"""


def make_row(number: int, chance: random.Random) -> dict[str, object]:
    words = ["red", "green", "blue", "zelda", "F-16", "käse"]
    return {
        "id": f"k{number}",
        "title": " ".join(chance.choices(words, k=3)),
        "about": " ".join(chance.choices(words, k=20)),
        "maker": chance.choice(["Sega", "Atari"]),
    }


@pytest.fixture
async def source(services: Services, tmp_path: Path) -> Path:
    """Rows, the first hundred of which are in the store already."""
    chance = random.Random(3)  # noqa: S311  # rows, not secrets
    lines = [json.dumps(make_row(number, chance)) + "\n" for number in range(ROW_COUNT)]
    first, path = tmp_path / "first.jsonl", tmp_path / "games.jsonl"
    first.write_text("".join(lines[:100]))
    path.write_text("".join(lines))
    await services.imports.run(str(first), ImportOptions(name="games", key="id", roles=ROLES))
    return path


@asynccontextmanager
async def importing(source: Path, store_url: str) -> AsyncIterator["asyncio.Future[tuple[bytes, bytes]]"]:
    """An import in another process; gives what ends with it."""
    arguments = (str(source), "--store", store_url.replace("postgresql+asyncpg", "postgresql"), "--json")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", SCRIPT, *arguments, stdout=pipe, stderr=pipe)
    ended = asyncio.ensure_future(process.communicate())
    yield ended
    _, errors = await ended
    assert process.returncode == 0, errors.decode()


async def test_searches_and_edits_go_on_during_an_import(services: Services, source: Path, store_url: str) -> None:
    program, totals, edit_count = ForeignProgram(store_url), [0], 0
    async with importing(source, store_url) as ended:
        while not ended.done():
            for text in ("z", "zelda red", "F-16"):
                page = await services.search.search("games", SearchQuery(text))
                assert len(page.hits) == 20
                assert sum(value.count for value in page.facets[0].values) == page.total
            totals.append((await services.search.search("games", SearchQuery("", page_size=1))).total)
            edit_count += 1
            await services.documents.put("games", f"e{edit_count}", {"title": f"edit{edit_count}x"})
            await program.insert(f"f{edit_count}", {"title": f"foreign{edit_count}x"})
            for title, key in ((f"edit{edit_count}x", f"e{edit_count}"), (f"foreign{edit_count}x", f"f{edit_count}")):
                found = await services.search.search("games", SearchQuery(title))
                assert [hit.key for hit in found.hits] == [key]

    assert totals == sorted(totals)
    documents = await checked_documents(services.transactions, "games")
    assert len(documents) == ROW_COUNT + 2 * edit_count
    assert await services.integrity.check() == []

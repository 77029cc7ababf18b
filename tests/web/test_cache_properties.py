"""What the cache answers is what would be computed, whatever is written in between, by whom, and in which process."""

import asyncio
import contextlib
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livesearch.app import LivesearchApp, create_app
from livesearch.bridge import LoopBridge
from livesearch.config import Settings
from livesearch.errors import LivesearchError
from livesearch.services.imports import ImportOptions
from livesearch.services.ranking import RankingChange
from tests.web.conftest import HTMX, ROLES

WORDS = ("zelda", "zeldas", "mario", "metroid", "kart")
# What may differ between two answers that say the same: how long they took.
VOLATILE = re.compile(rb'"took_ms":[\d.]+|<span class="timing">[^<]*</span>')

PATHS = [
    "/",
    "/?q=zelda",
    "/c/games?q=zel",
    "/c/games?q=mario+kart&sort=-year",
    "/c/games?q=metorid",
    "/c/games?f.platform=NES&min.year=1990",
    "/c/games/explain?q=zelda&key=key-1",
    "/htmx/c/games/suggest?q=m",
    "/htmx/c/games/facet/platform?fq=",
    "/api/v1/collections",
    "/api/v1/collections/games/search?q=zelda&explain=1",
    "/api/v1/collections/games/search?q=",
]

key_numbers = st.integers(0, 4)
words = st.sampled_from(WORDS)
Step = tuple[Any, ...]  # Any: what is done, and with what

writes = st.one_of(
    st.tuples(st.just("put"), key_numbers, words, st.integers(1980, 2000)),
    st.tuples(st.just("delete"), key_numbers),
    st.tuples(st.just("plain update"), key_numbers, words),
    st.tuples(st.just("plain insert"), key_numbers, words),
    st.tuples(st.just("import"), st.lists(words, min_size=1, max_size=3)),
    st.tuples(st.just("synonym"), words, words),
    st.tuples(st.just("pin"), words, key_numbers),
    st.tuples(st.just("hide"), words, key_numbers),
    st.tuples(st.just("ranking"), st.sampled_from([0.0, 1.0, 5.0])),
)
questions = st.tuples(st.just("ask"), st.sampled_from(PATHS), st.sampled_from([{}, HTMX]))
sequences = st.lists(st.tuples(st.booleans(), st.one_of(writes, questions, questions)), min_size=4, max_size=10)


class Site:
    """Two processes' worth of applications over one store, each with its cache and without."""

    def __init__(self, store: Settings, folder: Path) -> None:
        self.store, self.folder = store, folder
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.workers: list[LivesearchApp] = []
        self.clients: list[tuple[httpx.AsyncClient, httpx.AsyncClient]] = []
        self.import_count = 0

    async def start(self) -> None:
        for _ in range(2):
            app = create_app(self.store)
            await app.services.transactions.upgrade()
            await self.stack.enter_async_context(app.lifespan())
            self.workers.append(app)
            both = [
                httpx.AsyncClient(
                    transport=httpx.ASGITransport(LoopBridge(app, cache=cache)),  # type: ignore[arg-type]  # narrower scopes
                    base_url="http://localhost",
                )
                for cache in (app.response_cache, None)
            ]
            self.clients.append((both[0], both[1]))
        await self.load(WORDS)

    async def load(self, titles: list[str] | tuple[str, ...]) -> None:
        self.import_count += 1
        path = self.folder / f"{self.import_count}.jsonl"
        rows = [
            {
                "id": f"key-{number}",
                "title": f"{title} {number}",
                "platform": "NES" if number % 2 else "Wii",
                "year": 1985,
            }
            for number, title in enumerate(titles)
        ]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        roles = {name: role for name, role in ROLES.items() if name in rows[0]}
        await self.workers[0].services.imports.run(str(path), ImportOptions(name="games", key="id", roles=roles))

    async def write(self, step: Step, app: LivesearchApp) -> None:
        services = app.services
        match step:
            case "put", number, word, year:
                document = {"title": f"{word} {year}", "platform": "NES", "year": year}
                await services.documents.put("games", f"key-{number}", document)
            case "delete", number:
                await services.documents.delete("games", f"key-{number}")
            case "plain update", number, word:
                body = json.dumps({"title": f"{word} by SQL", "platform": "Wii"})
                await self.execute(f"UPDATE documents SET body = '{body}' WHERE key = 'key-{number}'")  # noqa: S608  # of ours
            case "plain insert", number, word:
                body = json.dumps({"title": f"{word} inserted", "platform": "Wii"})
                await self.execute(
                    "INSERT INTO documents (collection_id, key, body)"  # noqa: S608  # of ours
                    f" SELECT id, 'plain-{number}', '{body}' FROM collections WHERE name = 'games'"
                )
            case "import", titles:
                await self.load(titles)
            case "synonym", word, other:
                await services.synonyms.add("games", word, [other])
            case "pin", word, number:
                await services.curations.pin("games", word, f"key-{number}")
            case "hide", word, number:
                await services.curations.hide("games", word, f"key-{number}")
            case "ranking", weight:
                await services.ranking.change("games", RankingChange(weights={"title": weight}))

    async def execute(self, statement: str) -> None:
        """Run a statement as another program would."""
        url = self.store.store_url
        if self.store.is_sqlite:
            with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite+aiosqlite:///"))) as other, other:
                other.execute(statement)
            return
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        try:
            await connection.execute(statement.replace("'{", "convert_to('{").replace("}'", "}', 'UTF8')"))
        finally:
            await connection.close()

    async def ask(self, worker: int, path: str, headers: dict[str, str]) -> None:
        """Ask both ways, the cache first; what it says must be what is computed."""
        if path.startswith("/htmx"):
            headers = HTMX
        cached, plain = self.clients[worker]
        for _ in range(2):
            kept = await cached.get(path, headers=headers)
            computed = await plain.get(path, headers=headers)
            assert kept.status_code == computed.status_code, (path, headers)
            assert VOLATILE.sub(b"", kept.content) == VOLATILE.sub(b"", computed.content), (path, headers)

    async def run(self, steps: list[tuple[bool, Step]]) -> None:
        for is_second, step in steps:
            if step[0] == "ask":
                await self.ask(int(is_second), step[1], step[2])
                continue
            with contextlib.suppress(LivesearchError):  # such as to delete what is not there
                await self.write(step, self.workers[is_second])
            await self.ask(int(not is_second), PATHS[-1], {})


@pytest.fixture(params=["sqlite", "postgres"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    is_sqlite = request.param == "sqlite"
    url = request.getfixturevalue("sqlite_url" if is_sqlite else "emptied_postgres_url")
    running = Site(Settings(store_url=url, secret_key="of a test and no secret", query_timeout_ms=20_000), tmp_path)
    with running.runner:
        running.runner.run(running.start())
        yield running
        running.runner.run(running.stack.aclose())


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=sequences)
def test_kept_answers_are_what_would_be_computed(site: Site, steps: list[tuple[bool, Step]]) -> None:
    site.runner.run(site.run(steps))


def test_acknowledged_write_is_in_every_later_answer(site: Site) -> None:
    """Writers and readers at once, in two processes: no reader sees less than what was acknowledged before it asked."""
    acknowledged = 0
    path = "/api/v1/collections/games/search?q=counter"

    async def write(count: int) -> None:
        nonlocal acknowledged
        for number in range(1, count + 1):
            document = {"title": f"counter {number}", "platform": "NES", "year": number}
            await site.workers[number % 2].services.documents.put("games", "counter", document)
            acknowledged = number
            await asyncio.sleep(0.002)

    async def read(worker: int, is_over: Callable[[], bool]) -> int:
        seen = 0
        while not is_over():
            least = acknowledged
            hits = (await site.clients[worker][0].get(path)).json()["hits"]
            newest = max((hit["document"]["year"] for hit in hits), default=0)
            assert newest >= least
            seen += 1
            await asyncio.sleep(0)  # a kept answer waits for nothing, and others want to run
        return seen

    async def run() -> None:
        writing = asyncio.create_task(write(25))
        counts = await asyncio.gather(*[read(number % 2, writing.done) for number in range(4)])
        await writing

        assert sum(counts) > 25

    site.runner.run(run())
    kept = [app.response_cache for app in site.workers if app.response_cache]
    assert sum(cache.counts.hits + cache.counts.waits for cache in kept) > 0

"""What a keystroke costs in processor time, and on which floor: requests through the bridge, without sockets.

CPU time is that of the whole process, the threads of SQLite included. Where it goes is told by samples of what Python
is doing, one each few milliseconds of CPU time: it costs the code nothing, unlike a profiler that counts calls.
"""

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlencode

import click
from rich.table import Table

from benchmarks.printing import console, percentile
from livesearch.app import create_app
from livesearch.bridge import LoopBridge
from livesearch.config import Settings, store_url_of
from livesearch.domain import SearchQuery
from livesearch.search.metrics import beginnings
from livesearch.services import Services
from livesearch.web.parameters import canonical_parameters

_FRAGMENT = {"HX-Request": "true", "HX-Request-Type": "partial"}
# Seconds of CPU time between two samples; the kernel's clock may tick more rarely.
_SAMPLE_SECONDS = 0.001

# What a stack is counted as: the innermost frame that one of these names. Of the project its folders, of others theirs.
_FLOORS = {
    "livesearch/bridge": "bridge",
    "asgiref/": "bridge",
    "livesearch/web/presenters/": "presenters",
    "livesearch/web/parameters": "presenters",
    "livesearch/web/": "web, our hooks",
    "livesearch/services/": "services",
    "livesearch/search/": "search (with numpy, pyroaring)",
    "livesearch/store/": "store",
    "livesearch/db/": "connections and the thread's side of SQLite",
    "aiosqlite/": "connections and the thread's side of SQLite",
    "sqlalchemy/": "SQLAlchemy",
    "werkzeug/routing": "routing",
    "werkzeug/": "Flask, Werkzeug",
    "flask": "Flask, Werkzeug",
    "structlog/": "logging",
    "templates/": "Jinja",
    "jinja2/": "Jinja",
    "markupsafe": "Jinja",
    "asyncio/": "event loop; waiting for a thread's work",
}

Answer = Callable[[SearchQuery], Awaitable[object]]


@click.command()
@click.option("--store", required=True, help="A store (file or URL) with the collection.")
@click.option("--name", default="games", show_default=True, help="The collection.")
@click.option("--titles", "title_count", default=25, show_default=True, help="Titles typed letter by letter.")
@click.option("--rounds", default=3, show_default=True, help="Times each keystroke is repeated; the least CPU counts.")
@click.option("--floors", is_flag=True, help="Sample where the time of fragments goes, too.")
def profile(store: str, *, name: str, title_count: int, rounds: int, floors: bool) -> None:
    """Type titles of a collection letter by letter, in every way there is to ask, and count CPU time."""
    asyncio.run(_profile(store, name, title_count, rounds, with_floors=floors))


async def _profile(store: str, name: str, title_count: int, rounds: int, *, with_floors: bool) -> None:
    settings = Settings(store_url=store_url_of(store), query_timeout_ms=60_000, secret_key="of a benchmark alone")  # noqa: S106
    app = create_app(settings)
    async with app.lifespan():
        cases = await _cases(app.services, name, title_count)
        ways = _ways(LoopBridge(app), app.services, name)
        table = Table("CPU µs, median (p95)", *cases, title=f"a request of “{name}”")
        for way, answer in ways.items():
            table.add_row(way, *[_cell(await _measure(answer, queries, rounds)) for queries in cases.values()])
        console.print(table)
        if with_floors:
            for way in ("engine", "fragment"):
                await _print_floors(way, ways[way], cases["all keystrokes"], rounds)


async def _cases(services: Services, name: str, count: int) -> Mapping[str, Sequence[SearchQuery]]:
    """Searches by what is special about them. Titles are chosen evenly, the same each time."""
    whole = await services.search.search(name, SearchQuery())
    chance = random.Random(1)  # noqa: S311  # rows to type, not secrets
    pages = [chance.randint(1, max(1, min(whole.total, 100_000) // 20)) for _ in range(count)]
    titles = []
    for page in pages:
        found = (await services.search.search(name, SearchQuery(page=page), with_facets=False)).hits
        titles.append("".join(segment.text for segment in chance.choice(found).title)[:20])
    typed = [text for title in titles for text in beginnings(title)]
    facet = next((facet for facet in whole.facets if facet.values), None)
    filters = {facet.field.name: (facet.values[0].value,)} if facet else {}
    return {
        "all keystrokes": [SearchQuery(text) for text in typed],
        "nothing": [SearchQuery()],
        "one letter": [SearchQuery(title[:1]) for title in titles],
        "three letters": [SearchQuery(title[:3]) for title in titles],
        "two words": [SearchQuery(" ".join(title.split()[:2])) for title in titles if " " in title],
        "a facet chosen": [SearchQuery(title[:3], filters=filters) for title in titles],
    }


def _ways(bridge: LoopBridge, services: Services, name: str) -> Mapping[str, Answer]:
    def asking(path: str, headers: Mapping[str, str]) -> Answer:
        return lambda query: ask(bridge, path, canonical_parameters(query), headers)

    def suggesting(query: SearchQuery) -> Awaitable[object]:
        return ask(bridge, f"/htmx/c/{name}/suggest", f"?{urlencode({'q': query.text})}", _FRAGMENT)

    return {
        "engine": lambda query: services.search.search(name, query),
        "fragment": asking(f"/c/{name}", _FRAGMENT),
        "page": asking(f"/c/{name}", {}),
        "API": asking(f"/api/v1/collections/{name}/search", {}),
        "suggest": suggesting,
    }


async def ask(bridge: LoopBridge, path: str, parameters: str, headers: Mapping[str, str]) -> bytes:
    """Send a GET request through the bridge, as a server would, and give the body of its answer."""
    sent: list[Any] = []  # Any: ASGI messages
    asked = [{"type": "http.request", "body": b"", "more_body": False}]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": parameters.removeprefix("?").encode(),
        "root_path": "",
        "headers": [(b"host", b"localhost"), *((k.lower().encode(), v.encode()) for k, v in headers.items())],
        "server": ("localhost", 80),
        "client": ("127.0.0.1", 1),
    }

    async def receive() -> Any:  # Any: an ASGI message
        return asked.pop() if asked else await asyncio.get_running_loop().create_future()

    async def send(message: Any) -> None:  # Any: an ASGI message
        sent.append(message)

    await bridge(scope, receive, send)  # type: ignore[arg-type]  # ASGI messages, told loosely
    if sent[0]["status"] != 200:
        raise RuntimeError(f"{path}{parameters} was answered {sent[0]['status']}.")
    return b"".join(message["body"] for message in sent[1:])


async def _measure(answer: Answer, queries: Sequence[SearchQuery], rounds: int) -> list[float]:
    """The CPU time of each query in microseconds, the least of some rounds: what else runs only ever adds."""
    found = [float("inf")] * len(queries)
    for _ in range(rounds):
        for at, query in enumerate(queries):
            begun = time.process_time_ns()
            await answer(query)
            found[at] = min(found[at], (time.process_time_ns() - begun) / 1000)
    return found


def _cell(spent: Sequence[float]) -> str:
    return f"{percentile(spent, 0.5):,.0f} ({percentile(spent, 0.95):,.0f})"


async def _print_floors(way: str, answer: Answer, queries: Sequence[SearchQuery], rounds: int) -> None:
    begun = time.process_time_ns()
    with _sampled() as counts:
        for query in list(queries) * rounds:
            await answer(query)
    spent = (time.process_time_ns() - begun) / 1000 / len(queries) / rounds
    table = Table("floor", "CPU µs", "share", title=f"{way}, all keystrokes: {spent:,.0f} µs on average")
    for floor, count in counts.most_common():
        share = count / counts.total()
        table.add_row(floor, f"{spent * share:,.0f}", f"{share:.1%}")
    console.print(table)


@contextmanager
def _sampled() -> Iterator[Counter[str]]:
    """Count by floor what Python is doing at each tick of the process's CPU time."""
    counts: Counter[str] = Counter()

    def count(_signal: int, frame: FrameType | None) -> None:
        counts[_floor_of(frame)] += 1

    before = signal.signal(signal.SIGPROF, count)
    signal.setitimer(signal.ITIMER_PROF, _SAMPLE_SECONDS, _SAMPLE_SECONDS)
    try:
        yield counts
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _floor_of(frame: FrameType | None) -> str:
    while frame is not None:
        path = Path(frame.f_code.co_filename).as_posix()
        for part, floor in _FLOORS.items():
            if part in path:
                return floor
        frame = frame.f_back
    return "other"

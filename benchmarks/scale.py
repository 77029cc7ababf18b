"""1.65 million paths, typed letter by letter: what a keystroke costs inside the engine, and the engine in memory."""

import asyncio
import random
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import asyncpg
import click
from rich.table import Table

from benchmarks.peers import Fts5, Rank, every_word, keyed_rows
from benchmarks.printing import console, percentile
from benchmarks.serving import serving_memory
from benchmarks.stores import import_once, opened, store_path
from benchmarks.tantivy_peer import Tantivy
from livesearch.bridge.serving import spare_collector
from livesearch.domain import Collection, Row, SearchQuery
from livesearch.ingest import open_source, parse_source
from livesearch.search.analysis import words
from livesearch.search.metrics import beginnings
from livesearch.services import Services
from livesearch.services.imports import ImportOptions

_NAME = "files"
_PAGE_SIZE = 20
# Letters typed; a group ends where the next begins, and the last has no end.
_LENGTHS = (1, 2, 3, 4, 5, 6, 9, 13)
# Searches after which a server's caches are full.
_SERVED_COUNT = 3_000


@dataclass(frozen=True, slots=True)
class Name:
    """A file name that is typed, with what may narrow the search for it.

    Attributes:
        before: A word of the folders it lies in.
    """

    text: str
    section: str
    before: str


@dataclass(frozen=True, slots=True)
class Keystroke:
    """One search, as it was measured.

    Attributes:
        length: Letters of the name typed.
        wall_ms: By the clock.
        cpu_ms: Of all threads of this process.
    """

    text: str
    length: int
    wall_ms: float
    cpu_ms: float
    total: int = 0


@click.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False))
@click.option("--names", "name_count", default=300, show_default=True, help="File names typed letter by letter.")
@click.option("--seed", default=1, show_default=True, help="Of the choice of names.")
@click.option("--slowest", "slowest_count", default=10, show_default=True, help="Name so many of the slowest searches.")
@click.option("--no-peers", "is_alone", is_flag=True, help="livesearch alone, for a quick look.")
@click.option("--postgres", metavar="URL", help="Also on this PostgreSQL, in a database that is made and dropped.")
@click.option("--store", help="A store (file or URL) to keep between runs: imported once, used again as it is.")
def scale(
    source: str,
    *,
    name_count: int,
    seed: int,
    slowest_count: int,
    is_alone: bool,
    postgres: str | None,
    store: str | None,
) -> None:
    """Type file names of SOURCE (TSV: path, package, section) and measure every keystroke."""
    names = read_names(source, name_count, seed)
    with store_path(store) as path:
        one_word = _measure_store(source, path, names, slowest_count)
        if not is_alone:
            _measure_peers(source, path, names, one_word)
    if postgres:
        with _scratch_database(postgres) as url:
            _measure_store(source, url, names, slowest_count)


def read_names(source: str, count: int, seed: int) -> list[Name]:
    """The last parts of some paths, chosen evenly; the same for the same file, number and seed."""
    chance = random.Random(seed)  # noqa: S311  # rows to type, not secrets
    rows = [row.document for row in open_source(parse_source(source)).rows() if isinstance(row, Row)]
    names = []
    for row in chance.sample(rows, min(len(rows), 2 * count)):
        folders, _, text = str(row["path"]).rpartition("/")
        if words(text) and words(folders):
            names.append(Name(text, str(row["section"]), chance.choice(words(folders))))
    return names[:count]


def _measure_store(source: str, store: str, names: Sequence[Name], slowest_count: int) -> list[Keystroke]:
    """Everything there is to measure of one store; gives the keystrokes of one word."""
    console.print(f"livesearch on {'PostgreSQL' if '://' in store else 'SQLite'}", style="bold")
    cases = asyncio.run(_type_all(source, store, names))
    for case, keystrokes in cases.items():
        _print_times(f"livesearch, {case}", keystrokes)
        # A server of its own works on another's CPU time; a file does not, and the clock also counts what others do.
        by_clock = "://" in store
        for slow in sorted(keystrokes, key=lambda one: -(one.wall_ms if by_clock else one.cpu_ms))[:slowest_count]:
            console.print(f"  {slow.wall_ms:8.1f} ms, CPU {slow.cpu_ms:6.1f} ms, {slow.total:9,} found: “{slow.text}”")
    one_word = next(iter(cases.values()))
    memory = serving_memory(store, _NAME, [keystroke.text for keystroke in one_word[:_SERVED_COUNT]])
    console.print(
        f"serving process after {_SERVED_COUNT} searches: "
        + (", ".join(f"{name} {size:.0f} MiB" for name, size in memory.items()) or "not measured here")
    )
    if "://" not in store:
        console.print(f"store: {Path(store).stat().st_size / 1e6:.0f} MB")
    return one_word


async def _type_all(source: str, store: str, names: Sequence[Name]) -> Mapping[str, list[Keystroke]]:
    async with opened(store) as services:
        started = time.perf_counter()
        await import_once(services, source, ImportOptions(name=_NAME))
        collection = await services.collections.get(_NAME)
        console.print(f"{collection.document_count:,} documents, there after {time.perf_counter() - started:.1f} s")
        # As a server does when it starts.
        await services.search.warm()
        spare_collector()
        first = await _search(services, SearchQuery(page_size=_PAGE_SIZE), 0)
        console.print(f"first search, which fills the caches: {first.wall_ms:.0f} ms, CPU {first.cpu_ms:.0f} ms")
        return {
            "one name": await _type(services, names),
            "one name, a section chosen": await _type(services, names, is_filtered=True),
            "one name after another word": await _type(services, names, is_second=True),
        }


async def _type(
    services: Services, names: Sequence[Name], *, is_filtered: bool = False, is_second: bool = False
) -> list[Keystroke]:
    measured = []
    for name in names:
        filters = {"section": (name.section,)} if is_filtered else {}
        for typed in beginnings(name.text):
            text = f"{name.before} {typed}" if is_second else typed
            query = SearchQuery(text, filters=filters, page_size=_PAGE_SIZE)
            measured.append(await _search(services, query, len(typed)))
    return measured


async def _search(services: Services, query: SearchQuery, length: int) -> Keystroke:
    wall, cpu = time.perf_counter(), time.process_time()
    page = await services.search.search(_NAME, query)
    spent = time.perf_counter() - wall, time.process_time() - cpu
    return Keystroke(query.text, length, 1000 * spent[0], 1000 * spent[1], page.total)


def _measure_peers(source: str, store: str, names: Sequence[Name], ours: Sequence[Keystroke]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        collection = asyncio.run(_collection(store))
        tantivy = Tantivy(
            keyed_rows(source, collection), {"title": 2.0, "body": 1.0}, tokenizer="default", path=Path(folder)
        )
        _print_build("tantivy", started, sum(file.stat().st_size for file in Path(folder).iterdir()))
        _print_times("tantivy, terms AND prefix, top 20", _type_peer(tantivy.every_word, names), ours)
    with tempfile.TemporaryDirectory() as folder:
        started, path = time.perf_counter(), Path(folder, "fts5.db")
        fts5 = Fts5(keyed_rows(source, collection), (2.0, 1.0), options=", prefix='1 2 3'", path=path)
        _print_build("FTS5, prefix='1 2 3'", started, path.stat().st_size)
        rank: Rank = lambda text, limit: fts5.rank(every_word(text, is_prefix=True), limit)  # noqa: E731  # it reads best here
        _print_times("FTS5, prefix='1 2 3', ORDER BY rank, top 20", _type_peer(rank, names), ours)


async def _collection(store: str) -> Collection:
    async with opened(store) as services:
        return await services.collections.get(_NAME)


def _type_peer(rank: Rank, names: Sequence[Name]) -> list[Keystroke]:
    measured = []
    for name in names:
        for typed in beginnings(name.text):
            wall, cpu = time.perf_counter(), time.process_time()
            rank(typed, _PAGE_SIZE)
            spent = time.perf_counter() - wall, time.process_time() - cpu
            measured.append(Keystroke(typed, len(typed), 1000 * spent[0], 1000 * spent[1]))
    return measured


def _by_length(keystrokes: Sequence[Keystroke]) -> Iterator[tuple[str, list[Keystroke]]]:
    for first, end in zip(_LENGTHS, (*_LENGTHS[1:], 10_000), strict=True):
        label = str(first) if end == first + 1 else f"{first} and more" if end == 10_000 else f"{first} to {end - 1}"
        yield label, [keystroke for keystroke in keystrokes if first <= keystroke.length < end]


def _print_times(title: str, keystrokes: Sequence[Keystroke], ours: Sequence[Keystroke] = ()) -> None:
    """Times by length.

    Args:
        ours: What livesearch took, to compare a peer's medians with.
    """
    table = Table("letters", "searches", "wall p50 ms", "p95", "p99", "max", "CPU p50 ms", "p99", title=title)
    if ours:
        table.add_column("p50, times livesearch's: wall, CPU")
    mine = {label: _medians(group) for label, group in _by_length(ours) if group}
    for label, group in _by_length(keystrokes):
        if group:
            walls, cpus = [one.wall_ms for one in group], [one.cpu_ms for one in group]
            figures = [percentile(walls, share) for share in (0.5, 0.95, 0.99, 1.0)]
            figures += [percentile(cpus, share) for share in (0.5, 0.99)]
            pairs = zip(_medians(group), mine.get(label, ()), strict=False)
            ratios = ", ".join(f"{theirs / our:.2f}" for theirs, our in pairs)
            table.add_row(label, str(len(group)), *(f"{figure:.1f}" for figure in figures), *filter(None, [ratios]))
    console.print(table)


def _medians(keystrokes: Sequence[Keystroke]) -> tuple[float, float]:
    """Of the clock and of the CPU, in milliseconds."""
    return percentile([one.wall_ms for one in keystrokes], 0.5), percentile([one.cpu_ms for one in keystrokes], 0.5)


def _print_build(name: str, started: float, size: int) -> None:
    console.print(f"{name}: built in {time.perf_counter() - started:.1f} s, {size / 1e6:.0f} MB")


@contextmanager
def _scratch_database(server: str) -> Iterator[str]:
    """A new database on a server, dropped in the end; gives its URL."""
    name = f"livesearch_bench_{uuid4().hex[:8]}"
    plain = server.replace("+asyncpg", "")
    asyncio.run(_execute(plain, f"CREATE DATABASE {name}"))
    try:
        yield f"{plain.rpartition('/')[0]}/{name}"
    finally:
        asyncio.run(_execute(plain, f"DROP DATABASE {name} WITH (FORCE)"))


async def _execute(server: str, statement: str) -> None:
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()

"""How long one edit takes until it is committed and can be found: livesearch against plain FTS5 with the same texts.

Both wait for the disk (`synchronous=FULL`) after each edit. The peer stores and indexes the searched texts alone: no
facets, no numbers, no key, no vocabulary.
"""

import asyncio
import random
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import islice, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.table import Table

from benchmarks.peers import keyed_rows, load_fts5
from benchmarks.printing import console, percentile
from benchmarks.stores import import_once, opened, store_path
from livesearch.domain import Collection, Document, Role, Row
from livesearch.ingest import open_source, parse_source
from livesearch.search.indexing import IndexSchema
from livesearch.search.values import display_text
from livesearch.services import Services
from livesearch.services.imports import ImportOptions

_NAME = "rows"
# Words that an edit of a few words changes.
_WORD_COUNT = 3
# Characters of the text of a long document.
_LONG = 10_000


@dataclass(frozen=True, slots=True)
class _Edits:
    """What is written: each document with its key, and its number from 1 in the source."""

    few_words: list[tuple[str, int, Document]] = field(default_factory=list)
    long_documents: list[tuple[str, Document]] = field(default_factory=list)


Times = dict[str, list[float]]


@click.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False))
@click.option("--store", help="A store to keep, a file or a database URL; by default a scratch file.")
@click.option("--count", default=200, show_default=True, help="Edits of a few words; a quarter as many long documents.")
def edits(source: str, store: str | None, count: int) -> None:
    """Import SOURCE, then change a few words of some rows, add long documents and delete them again."""
    with store_path(store) as path, TemporaryDirectory() as folder:
        ours, collection, chosen = asyncio.run(_livesearch(path, source, count))
        peer_path = Path(folder, "fts5.db")
        load_fts5(peer_path, (texts for _, texts in keyed_rows(source, collection)), options=", prefix='1 2 3'")
        theirs = _fts5(peer_path, collection, chosen)
    table = Table("edit", "livesearch p50 ms", "p95 ms", "max ms", "FTS5 p50 ms", "p95 ms", "max ms")
    for what, times in ours.items():
        table.add_row(what, *_figures(times), *_figures(theirs[what]))
    console.print(table)


def _figures(times: Sequence[float]) -> Iterator[str]:
    return (f"{1000 * percentile(times, share):.1f}" for share in (0.5, 0.95, 1))


async def _livesearch(store: str, source: str, count: int) -> tuple[Times, Collection, _Edits]:
    async with opened(store) as services:
        await import_once(services, source, ImportOptions(name=_NAME))
        collection = await services.collections.get(_NAME)
        chosen = _chosen(source, collection, count)
        return await _write(services, chosen), collection, chosen


async def _write(services: Services, chosen: _Edits) -> Times:
    times: Times = {}
    documents = services.documents
    with _clock(times, "a few words changed") as lap:
        for key, _, document in chosen.few_words:
            await documents.put(_NAME, key, document)
            lap()
    with _clock(times, "a long document added") as lap:
        for key, document in chosen.long_documents:
            await documents.put(_NAME, key, document)
            lap()
    with _clock(times, "a long document deleted") as lap:
        for key, _ in chosen.long_documents:
            await documents.delete(_NAME, key)
            lap()
    return times


@contextmanager
def _clock(times: Times, what: str) -> Iterator[Callable[[], None]]:
    """Gives a function that takes the time since its last call."""
    laps = [time.perf_counter()]
    yield lambda: laps.append(time.perf_counter())
    times[what] = [end - begin for begin, end in pairwise(laps)]


def _chosen(source: str, collection: Collection, count: int) -> _Edits:
    chance = random.Random(1)  # noqa: S311  # rows to edit, not secrets
    rows = [row.document for row in open_source(parse_source(source)).rows() if isinstance(row, Row)]
    name = max(
        (field.name for field in collection.by_role(Role.TEXT, Role.TITLE)),
        key=lambda name: sum(len(display_text(row.get(name))) for row in islice(rows, 1000)),
    )
    found = _Edits()
    for place in chance.sample(range(len(rows)), count):
        words = display_text(rows[place].get(name)).split(" ")
        for at in range(min(_WORD_COUNT, len(words))):
            words[-1 - at] = chance.choice(display_text(chance.choice(rows).get(name)).split(" "))
        key = display_text(rows[place].get(collection.key_field or ""))
        found.few_words.append((key, place + 1, {**rows[place], name: " ".join(words)}))
    for at in range(count // 4):
        text = ""
        while len(text) < _LONG:
            text += display_text(chance.choice(rows).get(name)) + "\n"
        key = f"long-{at}"
        found.long_documents.append((key, {**rows[at], collection.key_field or "": key, name: text[:_LONG]}))
    return found


def _fts5(path: Path, collection: Collection, chosen: _Edits) -> Times:
    schema = IndexSchema.of(collection)

    def texts(document: Mapping[str, object]) -> tuple[str, str]:
        title, body = (
            [display_text(document.get(name)) for name in names] for names in (schema.title_names, schema.text_names)
        )
        return " ".join(title), "\n".join(body)

    times: Times = {}
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=FULL")
        with _clock(times, "a few words changed") as lap:
            for _, rowid, document in chosen.few_words:
                connection.execute("UPDATE rows SET title = ?, body = ? WHERE rowid = ?", (*texts(document), rowid))
                lap()
        with _clock(times, "a long document added") as lap:
            for _, document in chosen.long_documents:
                connection.execute("INSERT INTO rows VALUES (?, ?)", texts(document))
                lap()
        with _clock(times, "a long document deleted") as lap:
            for _ in chosen.long_documents:
                connection.execute("DELETE FROM rows WHERE rowid = (SELECT max(rowid) FROM rows)")
                lap()
    return times

"""How much one has to type to find a row one knows, and whether it is found when one letter is wrong."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import fmean

import click
from rich.table import Table

from benchmarks.minisearch_peer import PeerAbsentError, minisearch
from benchmarks.packages import ItemSet, read_items, read_packages
from benchmarks.peers import Fts5, KeyedRow, Rank, every_word
from benchmarks.printing import console
from benchmarks.stores import import_once, opened, store_path
from benchmarks.tantivy_peer import Tantivy
from livesearch.domain import SearchQuery
from livesearch.search.metrics import beginnings
from livesearch.services import Services
from livesearch.services.evaluation import TOP
from livesearch.services.imports import ImportOptions

_NAME = "packages"
_WEIGHTS = (10.0, 3.0, 1.0)

Search = Callable[[str], Awaitable[list[str]]]


@dataclass(slots=True)
class _Engine:
    """An engine and what it has answered: the same beginnings are typed again and again."""

    search: Search
    answers: dict[str, list[str]] = field(default_factory=dict)
    seconds: float = 0.0

    async def finds(self, key: str, text: str) -> bool:
        """Whether the row is in the top 5."""
        if text not in self.answers:
            started = time.perf_counter()
            self.answers[text] = await self.search(text)
            self.seconds += time.perf_counter() - started
        return key in self.answers[text]


@dataclass(frozen=True, slots=True)
class _Figures:
    """How one engine did on one set.

    Attributes:
        typed: Mean share of the text typed until the row is in the top 5.
        found: Share of rows in the top 5 when all is typed.
        found_misspelled: The same with one letter wrong.
        lost: Texts after which the row was not in the top 5, spelled right and wrong.
    """

    typed: float
    found: float
    found_misspelled: float
    lost: tuple[str, ...]


@click.command("known-items")
@click.argument("source", type=click.Path(exists=True, dir_okay=False))
@click.option("--items", "item_count", default=150, show_default=True, help="Rows looked for in each set.")
@click.option("--seed", default=1, show_default=True, help="Of the choice of rows, words and misspellings.")
@click.option("--no-peers", "is_alone", is_flag=True, help="livesearch alone, for a quick look.")
@click.option("--lost", "lost_count", default=0, help="Name so many texts of each set that did not find their row.")
@click.option("--store", help="A store to keep between runs: imported once, used again as it is.")
def known_items(source: str, *, item_count: int, seed: int, is_alone: bool, lost_count: int, store: str | None) -> None:
    """Type names and descriptions of Debian packages (SOURCE: JSON lines) until the package is in the top 5."""
    packages = read_packages(source)
    sets = read_items(packages, item_count=item_count, seed=seed)
    with store_path(store) as path:
        asyncio.run(_livesearch(source, path, sets, lost_count))
    if is_alone:
        return
    rows: list[KeyedRow] = [(package.key, (package.name, package.summary, package.description)) for package in packages]
    asyncio.run(_peers(rows, sets))


async def _livesearch(source: str, store: str, sets: Sequence[ItemSet], lost_count: int) -> None:
    async with opened(store) as services:
        await import_once(services, source, ImportOptions(name=_NAME, key="id"))
        engine = _Engine(_searcher(services))
        figures = await _measure(engine, sets)
    for name, measured in figures.items():
        for text in measured.lost[:lost_count]:
            console.print(f"  {name}, lost: {text}")
    _print("livesearch", figures, engine)


def _searcher(services: Services) -> Search:
    async def search(text: str) -> list[str]:
        page = await services.search.search(_NAME, SearchQuery(text, page_size=TOP), with_facets=False)
        return [hit.key for hit in page.hits]

    return search


async def _peers(rows: Sequence[KeyedRow], sets: Sequence[ItemSet]) -> None:
    weighted, plain = Fts5(rows, _WEIGHTS), Fts5(rows, (1.0, 1.0, 1.0))
    tantivy = Tantivy(rows, dict(zip(("name", "summary", "description"), _WEIGHTS, strict=True)), tokenizer="default")
    ranks: dict[str, Rank] = {
        "FTS5 bm25 10, 3, 1 + prefix": lambda text, limit: weighted.rank(every_word(text, is_prefix=True), limit),
        "FTS5 bm25, no prefix": lambda text, limit: plain.rank(every_word(text, is_prefix=False), limit),
        "tantivy 10, 3, 1, terms AND prefix": tantivy.every_word,
    }
    with ExitStack() as stack:
        try:
            ranks["MiniSearch 10, 3, 1, prefix + fuzzy"] = stack.enter_context(minisearch(rows))
        except PeerAbsentError as error:
            console.print(f"MiniSearch is left out: {error}.")
        for name, rank in ranks.items():
            engine = _Engine(_peer(rank))
            _print(name, await _measure(engine, sets), engine)


def _peer(rank: Rank) -> Search:
    async def search(text: str) -> list[str]:
        return rank(text, TOP)

    return search


async def _measure(engine: _Engine, sets: Sequence[ItemSet]) -> Mapping[str, _Figures]:
    return {item_set.name: await _measure_set(engine, item_set) for item_set in sets}


async def _measure_set(engine: _Engine, item_set: ItemSet) -> _Figures:
    lost, shares, found, found_misspelled = [], [], [], []
    for item in item_set.items:
        shares.append(await _typed_share(engine, item.key, item.text))
        found.append(await engine.finds(item.key, item.text))
        if not found[-1]:
            lost.append(f"“{item.text}” for {item.key}")
        if item.misspelled is not None:
            found_misspelled.append(await engine.finds(item.key, item.misspelled))
            if not found_misspelled[-1]:
                lost.append(f"“{item.misspelled}” for {item.key}, meant “{item.text}”")
    return _Figures(fmean(shares), fmean(found), fmean(found_misspelled), tuple(lost))


async def _typed_share(engine: _Engine, key: str, text: str) -> float:
    """As `EvaluationService.typed_share`, for any engine."""
    for typed in (all_typed := beginnings(text)):
        if await engine.finds(key, typed):
            return len(typed) / len(all_typed)
    return 1.0


def _print(name: str, figures: Mapping[str, _Figures], engine: _Engine) -> None:
    table = Table("set", "typed until in the top 5", "found at the end", "with one typo", title=name)
    for set_name, measured in figures.items():
        table.add_row(set_name, f"{measured.typed:.3f}", f"{measured.found:.1%}", f"{measured.found_misspelled:.1%}")
    console.print(table)
    console.print(
        f"{len(engine.answers):,} searches, {1000 * engine.seconds / len(engine.answers):.1f} ms on average\n"
    )

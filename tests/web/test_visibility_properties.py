"""No byte of an answer to somebody depends on a row that they may not see.

Two stores: one with all rows, one with those alone that a person may see, in the same order. Whatever the person asks,
both answer the same, but for what says when and by which version it was answered.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livesearch.app import LivesearchApp, create_app
from livesearch.config import Settings
from livesearch.domain import OPERATOR, Role, Scope, UserRole, VisibilityRule, VisibleTo
from livesearch.services.imports import ImportOptions
from tests.reference import MAKERS, ROLES, WORDS, Row, random_rows
from tests.web.conftest import HTMX, serving
from tests.web.test_accounts import PASSWORD, token_of

RULES = {
    "teams": VisibilityRule(VisibleTo.GROUPS, None, "teams"),
    "owner": VisibilityRule(VisibleTo.OWNER, None, "owner"),
}
# Whom a row can be open to; the first one asks.
PEOPLE = {"teams": ("red", "blue"), "owner": ("ann", "bob")}
# Where answers differ though nothing was told: time, the change token, secrets of a session.
VOLATILE = re.compile(
    rb'"took_ms":[\d.]+|"version":\d+|v=\d+|data-version="\d+"|<span class="timing">[^<]*</span>|'
    rb'(?<=content=")[\w.-]{60,}(?=")|(?<=value=")[\w.-]{60,}(?=")'
)
ROW_COUNT = 60
# Words of hidden rows, each as near to what is typed as “green” is, which others hold.
CROWD = ("greun", "grein", "grern", "grewn", "grean", "greon", "greyn", "grexx", "grexi", "grexo")

words = st.lists(
    st.one_of(
        st.sampled_from(WORDS), st.sampled_from(("gren", "balck", "zeld", "hidden", "hiden", "grexn", "bl", "ze"))
    ),
    min_size=0,
    max_size=3,
)
narrowings = st.sampled_from(
    (
        "",
        "&sort=-year",
        "&f.maker=Sega",
        "&f.tags=old&f.tags=rare",
        "&min.year=1985",
        "&max.popularity=20&sort=popularity",
        "&page=2",
        "&f.maker=Hidden",
    )
)
asked = st.one_of(
    st.tuples(st.just("/c/rows?q={q}{narrowing}"), st.sampled_from([{}, HTMX])),
    st.tuples(st.just("/?q={q}"), st.sampled_from([{}, HTMX])),
    st.tuples(st.just("/c/rows?q=maker:{q}"), st.just(HTMX)),
    st.tuples(st.just("/htmx/c/rows/suggest?q={q}"), st.just(HTMX)),
    st.tuples(st.just("/htmx/c/rows/facet/maker?q={q}&fq=s"), st.just(HTMX)),
    st.tuples(st.just("/c/rows/doc/k{number}?q={q}"), st.sampled_from([{}, HTMX])),
    st.tuples(st.just("/c/rows/explain?key=k{number}&q={q}"), st.sampled_from([{}, HTMX])),
    st.tuples(st.just("/api/v1/collections/rows/search?q={q}&explain=1&page_size=5{narrowing}"), st.just({})),
    st.tuples(st.just("/api/v1/collections/rows/documents/k{number}"), st.just({})),
    st.tuples(st.just("/api/v1/collections/rows/explain/k{number}?q={q}"), st.just({})),
    st.tuples(st.just("/api/v1/collections/rows/curations"), st.just({})),
    st.tuples(st.sampled_from(("/api/v1/collections", "/api/v1/collections/rows", "/")), st.just({})),
)


def _rows(seed: int) -> list[Row]:
    """Rows of which about half are open to who asks; the hidden ones hold what no other does."""
    chance = Random(seed)  # noqa: S311  # not for secrets
    rows = random_rows(chance, ROW_COUNT)
    for number, row in enumerate(rows):
        # The first one has every field, so that the same is inferred from both sets.
        row["year"], row["tags"] = row.get("year", 1985), row["tags"] or ["old"]
        is_open = number == 0 or chance.random() < 0.5
        for field, (asking, other) in PEOPLE.items():
            row[field] = [asking, other] if is_open and number % 3 == 0 else [asking if is_open else other]
        if not is_open:
            row["title"] = f"{row['title']} hidden hiding {' '.join(CROWD)}"
            row["maker"] = chance.choice((*MAKERS, "Hidden"))
            row["year"], row["popularity"] = 2040 + number, 1_000_000
    return rows


class Site:
    """An application over some rows, and who asks it: signed in, and by a token."""

    def __init__(self, folder: Path, name: str) -> None:
        self.settings = Settings(store_url=f"sqlite+aiosqlite:///{folder}/{name}.db", query_timeout_ms=20_000)
        self.folder = folder / name
        self.app: LivesearchApp = create_app(self.settings)
        self.token: dict[str, str] = {}

    async def start(self, stack: AsyncExitStack, rows: list[Row], rule: VisibilityRule) -> None:
        services = self.app.services
        await services.transactions.upgrade()
        self.folder.mkdir()
        path = self.folder / "rows.jsonl"
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        roles = {**ROLES, "teams": Role.HIDDEN, "owner": Role.HIDDEN}
        await services.imports.run(str(path), ImportOptions(key="id", roles=roles))
        await services.visibility.change("rows", rule)
        await services.synonyms.add("rows", "b", ["blue"])
        user = await services.accounts.add("Ann", PASSWORD, role=UserRole.VIEWER)
        user = await services.accounts.set_groups("ann", ["red"])
        _, secret = await services.tokens.create("of ann", Scope.SEARCH, owner=user)
        self.token = {"Authorization": f"Bearer {secret}"}
        self.client = await stack.enter_async_context(serving(self.app))
        form = {"csrf_token": token_of(await self.client.get("/login")), "name": "ann", "password": PASSWORD}
        assert (await self.client.post("/login", data=form)).status_code == 303

    async def ask(self, path: str, headers: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
        headers = self.token if path.startswith("/api/") else headers
        answer = await self.client.get(path, headers=headers)
        told = {name: answer.headers.get(name, "") for name in ("HX-Replace-Url", "Location", "Content-Type")}
        return answer.status_code, VOLATILE.sub(b"", answer.content), told


def _in_both(rows: list[Row], rule: str) -> list[Row]:
    asking = PEOPLE[rule][0]
    return [row for row in rows if asking in row[rule]]  # type: ignore[operator]  # a list


class Pair:
    """A site with all rows, and one with those that Ann may see."""

    def __init__(self, folder: Path, rule: str, seed: int) -> None:
        self.stack = AsyncExitStack()
        self.rows = _rows(seed)
        self.rule = rule
        self.sites = [Site(folder, f"{rule}-{seed}-{name}") for name in ("all", "seen")]

    async def start(self) -> None:
        seen = _in_both(self.rows, self.rule)
        for site, rows in zip(self.sites, (self.rows, seen), strict=True):
            await site.start(self.stack, rows, RULES[self.rule])
            for row in seen[:2]:
                await site.app.services.curations.pin("rows", "red", str(row["id"]))
        hidden = next(row for row in self.rows if row not in seen)
        await self.sites[0].app.services.curations.pin("rows", "red", str(hidden["id"]))


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def pairs(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Pair]]:
    folder = tmp_path_factory.mktemp("sight")
    found = [Pair(folder, rule, seed) for rule in RULES for seed in (1, 2)]
    for pair in found:
        runner.run(pair.start())
    yield found
    for pair in found:
        runner.run(pair.stack.aclose())


def test_rows_are_hidden_at_all(runner: asyncio.Runner, pairs: list[Pair]) -> None:
    """The rows that the properties speak of are there, for others."""
    for pair in pairs:
        services = pair.sites[0].app.services
        mine = len(_in_both(pair.rows, pair.rule))

        assert runner.run(services.collections.get("rows", OPERATOR)).document_count == ROW_COUNT
        assert 20 <= mine <= 40
        _, answer, _ = runner.run(pair.sites[0].ask("/api/v1/collections/rows/search?q=", {}))
        assert f'"total":{mine},'.encode() in answer


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(
    which=st.integers(0, 3),
    question=asked,
    text=words,
    narrowing=narrowings,
    number=st.integers(0, ROW_COUNT),
    is_finished=st.booleans(),
)
def test_no_byte_depends_on_a_hidden_row(
    runner: asyncio.Runner,
    pairs: list[Pair],
    which: int,
    question: tuple[str, dict[str, str]],
    text: list[str],
    narrowing: str,
    number: int,
    is_finished: bool,
) -> None:
    path, headers = question
    typed = "+".join(text) + "+" * is_finished
    address = path.format(q=typed, narrowing=narrowing, number=number)

    of_all, of_seen = (runner.run(site.ask(address, headers)) for site in pairs[which].sites)

    assert of_all == of_seen


def test_programs_read_on_without_learning_numbers(runner: asyncio.Runner, pairs: list[Pair]) -> None:
    """Cursors lead through all rows that are seen, and are the same with the hidden ones and without."""
    for pair in pairs:
        for asked_for in ("q=", "q=red+", "sort=-year", "sort=popularity"):
            walks = [runner.run(_walk(site, asked_for)) for site in pair.sites]

            assert walks[0] == walks[1]
            assert len({key for page in walks[0] for key in page[0]}) == sum(len(page[0]) for page in walks[0])


async def _walk(site: Site, asked_for: str) -> list[tuple[list[str], str | None]]:
    found: list[tuple[list[str], str | None]] = []
    cursor: str | None = ""
    while cursor is not None:
        address = f"/api/v1/collections/rows/search?{asked_for}&page_size=7&cursor={cursor}"
        answer = (await site.client.get(address, headers=site.token)).json()
        cursor = answer["next_cursor"]
        found.append(([hit["id"] for hit in answer["hits"]], cursor))
    return found


MOMENT = re.compile(rb"\d+ \w+ \d{4}, \d\d:\d\d UTC")


async def _own_pages(site: Site) -> list[bytes]:
    """The dashboard, what was new in each saved search, and the shortlist with its files."""
    addresses = ["/dashboard", "/shortlist", "/shortlist/export.csv", "/shortlist/export.json"]
    found = [(await site.ask(address, {}))[1] for address in addresses]
    opened = sorted(set(re.findall(rb'action="(/saved-searches/\d+)"', found[0])))
    found += [(await site.ask(address.decode(), {}))[1] for address in opened]
    return [MOMENT.sub(b"", page) for page in found]


async def _send(site: Site, address: str, **form: str) -> int:
    token = token_of(await site.client.get("/account"))
    return (await site.client.post(address, data={"csrf_token": token, **form})).status_code


async def _live_with(pair: Pair) -> list[list[list[bytes]]]:
    """Save searches and keep documents, add rows that may be seen and rows that may not, look, and mark all as seen."""
    stories: list[list[list[bytes]]] = []
    hidden = next(row for row in pair.rows if row not in _in_both(pair.rows, pair.rule))
    asking, other = PEOPLE[pair.rule]
    for site in pair.sites:
        looks = []
        for search in ("", "?q=gren", "?q=grexn", "?q=hiden", "?q=b&f.maker=Sega", '?q="blue red"', "?min.year=1985"):
            await _send(site, "/saved-searches", collection="rows", search=search)
        for row in (pair.rows[0], hidden, pair.rows[3]):
            await _send(site, "/shortlist", collection="rows", key=str(row["id"]))
        looks.append(await _own_pages(site))
        for number, person in enumerate((asking, other, asking, other)):
            if person == other and site is pair.sites[1]:
                continue
            row = {"id": f"late{number}", "title": "Green blue red", "maker": "Sega", "year": 2000, pair.rule: [person]}
            await site.app.services.documents.put("rows", None, row, viewer=OPERATOR)
        looks.append(await _own_pages(site))
        await _send(site, "/saved-searches/seen")
        looks.append(await _own_pages(site))
        stories.append(looks)
    return stories


def test_what_is_ones_own_tells_of_no_hidden_row(runner: asyncio.Runner, pairs: list[Pair]) -> None:
    for pair in pairs:
        with_hidden, without = runner.run(_live_with(pair))

        assert with_hidden == without
        assert b"2 new in your saved searches" not in with_hidden[0][0]
        assert re.search(rb"[2-9]\d* new in your saved searches", with_hidden[1][0])
        assert b"Nothing new in your saved searches" in with_hidden[2][0]

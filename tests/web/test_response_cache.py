"""Kept answers: the same as computed ones, to the last commit, for visitors alone."""

import asyncio
import random
import re
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from livesearch.app import LivesearchApp, create_app
from livesearch.config import Settings
from livesearch.domain import Scope, UserRole, VisibilityRule, VisibleTo
from livesearch.web.caching.entries import Entries, Entry, headers_of, pieces_of
from livesearch.web.caching.requests import read_request
from tests.web.conftest import GAMES, HTMX, as_served, make_store

SEARCH = "/c/games?q=zelda"


@pytest.fixture
def store(tmp_path: Path) -> Settings:
    """A store of the test's own: it may write to it."""
    return make_store(tmp_path, games=GAMES[:6])


@pytest.fixture
async def site(store: Settings) -> AsyncIterator[tuple[httpx.AsyncClient, LivesearchApp]]:
    async with as_served(store) as running:
        yield running


@pytest.fixture
def client(site: tuple[httpx.AsyncClient, LivesearchApp]) -> httpx.AsyncClient:
    return site[0]


@pytest.fixture
def app(site: tuple[httpx.AsyncClient, LivesearchApp]) -> LivesearchApp:
    return site[1]


def told(response: httpx.Response) -> str:
    """What an answer says the cache did; nothing for one that passed by it."""
    found = re.search(r"cache;desc=(\w+)", response.headers["Server-Timing"])
    return found[1] if found else ""


ADDRESSES = [
    "/",
    SEARCH,
    "/c/games?q=zelda&f.platform=NES&sort=-year",
    "/c/games/explain?q=zelda&key=nes/zelda",
    "/api/v1/collections",
    "/api/v1/collections/games",
    "/api/v1/collections/games/search?q=zelda",
    "/api/v1/collections/games/explain/nes/zelda?q=zelda",
]
FRAGMENTS = [
    "/",
    SEARCH,
    "/htmx/c/games/suggest?q=zel",
    "/htmx/c/games/facet/platform?fq=n",
    "/htmx/c/games/explain/nes/zelda?q=zelda",
]


@pytest.mark.parametrize(("path", "headers"), [(path, {}) for path in ADDRESSES] + [(path, HTMX) for path in FRAGMENTS])
async def test_second_answer_is_the_first(client: httpx.AsyncClient, path: str, headers: dict[str, str]) -> None:
    first = await client.get(path, headers=headers)
    second = await client.get(path, headers=headers)

    assert (first.status_code, told(first), told(second)) == (200, "miss", "hit")
    assert second.content == first.content
    own = {"x-request-id", "server-timing"}
    assert {name: value for name, value in second.headers.items() if name not in own} == {
        name: value for name, value in first.headers.items() if name not in own
    }
    assert second.headers["X-Request-ID"] != first.headers["X-Request-ID"]


async def test_new_answer_is_offered_to_the_server_in_one_piece(client: httpx.AsyncClient, app: LivesearchApp) -> None:
    offered: list[tuple[list[tuple[bytes, bytes]], bytes]] = []

    def decline(_send: object, headers: list[tuple[bytes, bytes]], body: bytes) -> bool:
        offered.append((headers, body))
        return False

    assert app.response_cache
    app.response_cache.new_shortcut = decline
    answer = await client.get(SEARCH)
    # Who has it already is sent no body.
    await client.get("/c/games?q=mario", headers={"If-None-Match": "*"})

    assert [(headers, body) for headers, body in offered] == [(answer.headers.raw, answer.content)]


async def test_page_and_fragment_are_told_apart(client: httpx.AsyncClient) -> None:
    page = await client.get(SEARCH)
    fragment = await client.get(SEARCH, headers=HTMX)
    whole = await client.get(SEARCH, headers={**HTMX, "HX-Request-Type": "full"})

    assert [told(answer) for answer in (page, fragment, whole)] == ["miss"] * 3
    assert "<html" in page.text
    assert "<html" not in fragment.text
    assert "<html" in whole.text


async def test_empty_fields_of_the_form_make_no_other_search(client: httpx.AsyncClient) -> None:
    await client.get("/c/games?q=zelda")

    again = await client.get("/c/games?q=zelda&sort=&min.year=&f.platform=")

    assert told(again) == "hit"


@pytest.mark.parametrize("query", ["q=zelda%20", "q=zelda&q=", "q=zelda&page=2", "q=Zelda", "q=zelda&exact=1"])
async def test_other_searches_are_told_apart(client: httpx.AsyncClient, query: str) -> None:
    await client.get("/c/games?q=zelda")

    assert told(await client.get(f"/c/games?{query}")) == "miss"


async def test_committed_change_is_in_the_very_next_answer(client: httpx.AsyncClient, app: LivesearchApp) -> None:
    path = "/api/v1/collections/games/search?q=zelda"
    assert (await client.get(path)).json()["total"] == 3
    assert told(await client.get(path)) == "hit"

    await app.services.documents.put("games", "nes/zelda3", {"title": "Zelda III"})

    after = await client.get(path)
    assert (told(after), after.json()["total"]) == ("miss", 4)


async def test_change_of_another_collection_leaves_answers(tmp_path: Path) -> None:
    store = await asyncio.to_thread(
        make_store, tmp_path, games=GAMES[:6], books=[{"id": "1", "title": "Zelda, the book"}]
    )
    async with as_served(store) as (client, app):
        await client.get(SEARCH)
        await client.get("/?q=zelda")

        await app.services.documents.put("books", "2", {"title": "Another"})

        assert told(await client.get(SEARCH)) == "hit"
        assert told(await client.get("/?q=zelda")) == "miss"


async def test_new_collection_changes_the_first_page(client: httpx.AsyncClient, tmp_path: Path) -> None:
    assert told(await client.get("/")) == "miss"
    assert told(await client.get("/")) == "hit"

    await asyncio.to_thread(make_store, tmp_path, books=[{"id": "1", "title": "A book"}])

    after = await client.get("/")
    assert told(after) == "miss"
    assert "books" in after.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Cookie": "livesearch=somebody"},
        {"Cookie": "theme=dark; __Host-livesearch=somebody"},
        {"Authorization": "Bearer lst_wrong"},
        {"Content-Length": "3"},
        {"X-Long": "x", **{f"X-{number}": "x" for number in range(100)}},
    ],
)
async def test_what_may_be_somebodys_own_passes_by(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    await client.get(SEARCH)

    response = await client.get(SEARCH, headers=headers)

    assert told(response) == ""


@pytest.mark.parametrize(
    "path", ["/c/games/doc/nes/zelda", "/c/nothing", "/api/v1/collections/nothing/search", "/login"]
)
async def test_other_answers_are_not_kept(client: httpx.AsyncClient, app: LivesearchApp, path: str) -> None:
    for _ in range(2):
        assert told(await client.get(path)) != "hit"

    assert app.response_cache is not None
    assert len(app.response_cache.entries) == 0


async def test_host_that_is_not_trusted_gets_nothing_kept(store: Settings) -> None:
    async with as_served(store.model_copy(update={"trusted_hosts": ("localhost",)})) as (client, _):
        assert (await client.get(SEARCH)).status_code == 200

        response = await client.get(SEARCH, headers={"Host": "evil.example"})

    assert response.status_code == 400


async def test_client_that_has_the_answer_gets_304(client: httpx.AsyncClient) -> None:
    etag = (await client.get(SEARCH)).headers["ETag"]

    same = await client.get(SEARCH, headers={"If-None-Match": f'W/"other", {etag}'})
    other = await client.get(SEARCH, headers={"If-None-Match": '"other"'})

    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", etag)
    assert "Content-Length" not in same.headers
    assert same.headers["Vary"] == "HX-Request, HX-Request-Type"
    assert same.headers["Cache-Control"] == "no-cache"
    assert "Content-Security-Policy" in same.headers
    assert other.status_code == 200


async def test_unchanged_answer_computed_anew_is_304_too(client: httpx.AsyncClient, app: LivesearchApp) -> None:
    suggest = "/htmx/c/games/suggest?q=zel"
    etag = (await client.get(suggest, headers=HTMX)).headers["ETag"]
    await app.services.documents.put("games", "other", {"title": "Something else"})

    response = await client.get(suggest, headers={**HTMX, "If-None-Match": etag})

    assert (response.status_code, told(response)) == (304, "miss")


async def test_head_is_answered_as_get_without_a_body(client: httpx.AsyncClient) -> None:
    head = await client.head(SEARCH)
    get = await client.get(SEARCH)

    assert head.content == b""
    assert (head.headers["ETag"], head.headers["Content-Length"]) == (
        get.headers["ETag"],
        get.headers["Content-Length"],
    )
    assert (told(head), told(get)) == ("miss", "hit")


async def test_same_search_at_the_same_time_is_computed_once(client: httpx.AsyncClient, app: LivesearchApp) -> None:
    answers = await asyncio.gather(*[client.get(SEARCH) for _ in range(8)])

    assert app.response_cache is not None
    counts = app.response_cache.counts
    assert (counts.misses, counts.waits + counts.hits) == (1, 7)
    assert len({answer.content for answer in answers}) == 1


async def test_who_waits_takes_over_from_who_hangs_up(store: Settings) -> None:
    app = create_app(store)
    cache = app.response_cache
    assert cache is not None
    has_begun, may_answer, starts = asyncio.Event(), asyncio.Event(), 0

    async def compute(_scope: Any, _receive: Any, send: Any) -> None:  # Any: ASGI
        nonlocal starts
        starts += 1
        has_begun.set()
        if starts == 1:
            await asyncio.sleep(3600)
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b"answered"})

    async def ask() -> list[Any]:  # Any: ASGI messages
        sent: list[Any] = []

        async def send(message: Any) -> None:  # Any: ASGI
            sent.append(message)

        scope = {"type": "http", "method": "GET", "path": "/c/games", "query_string": b"", "headers": []}
        await cache(scope, may_answer.wait, send, compute)
        return sent

    async with app.lifespan():
        leader, follower = asyncio.create_task(ask()), asyncio.create_task(ask())
        await has_begun.wait()
        await asyncio.sleep(0)
        leader.cancel()
        sent = await asyncio.wait_for(follower, 10)

    assert starts == 2
    assert sent[-1]["body"] == b"answered"


async def test_answers_end_with_the_day(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livesearch.web.caching.cache._today", lambda: 20_000)
    await client.get(SEARCH)
    assert told(await client.get(SEARCH)) == "hit"

    monkeypatch.setattr("livesearch.web.caching.cache._today", lambda: 20_001)

    assert told(await client.get(SEARCH)) == "miss"


async def test_without_memory_nothing_is_kept(store: Settings) -> None:
    async with as_served(store.model_copy(update={"cache_mb": 0})) as (client, app):
        response = await client.get(SEARCH)

    assert app.response_cache is None
    assert "ETag" not in response.headers
    assert told(response) == ""


async def test_hit_has_its_line_in_the_log(client: httpx.AsyncClient, capfd: pytest.CaptureFixture[str]) -> None:
    await client.get(SEARCH)
    capfd.readouterr()

    await client.get(SEARCH, headers={"X-Request-ID": "from-the-proxy"})
    await asyncio.sleep(0)  # the line is written at the end of the loop's turn

    line = capfd.readouterr().err
    assert line.count("\n") == 1
    for part in ("GET", "/c/<name>", "200", "from-the-proxy"):
        assert part in line
    assert "zelda" not in line


async def test_hit_keeps_only_a_plain_request_id(client: httpx.AsyncClient) -> None:
    await client.get(SEARCH)

    plain = await client.get(SEARCH, headers={"X-Request-ID": "a-1.b:c"})
    odd = await client.get(SEARCH, headers={"X-Request-ID": "a b\tc"})

    assert plain.headers["X-Request-ID"] == "a-1.b:c"
    assert odd.headers["X-Request-ID"] not in {"", "a b\tc"}


def entry_of(entries: Entries, name: str, size: int, body: bytes = b"") -> Entry:
    return entries.make(
        (name, b"", "http", ()),
        versions={"games": (1, 1)},
        is_of_all=False,
        day=0,
        labels=("", ""),
        headers=[(b"etag", b'"1"')],
        body=body or random.Random(name).randbytes(size),  # noqa: S311  # nothing that could be packed
    )


def test_memory_is_bounded_and_what_was_used_stays_longest() -> None:
    entries = Entries(100_000)
    used = entry_of(entries, "used", 5_000)
    entries.put(used)
    for number in range(200):
        used.was_used = True
        entries.put(entry_of(entries, str(number), 5_000))

    assert 80_000 <= entries.size <= 100_000
    assert entries.find_canonical(used.key, used.key) is used
    assert entries.find_canonical(("0", b"", "http", ()), ("0", b"", "http", ())) is None
    assert len(entries) + entries.evicted_count == 201


@pytest.mark.parametrize("size", [0, 1, 100, 65_536, 65_537, 400_000])
def test_answer_is_given_back_whole_whatever_was_kept_before(size: int) -> None:
    entries = Entries(1_000_000)
    bodies = [b"abc\n" * (size // 4) + b"z" * (size % 4), random.Random(size).randbytes(size), b"", b"abc" * size]  # noqa: S311  # no secret
    kept = [entry_of(entries, str(number), 0, body) for number, body in enumerate(bodies) if body]

    for entry, body in zip(kept, filter(None, bodies), strict=True):
        head, given = entry.unpack()
        assert headers_of(head) == [(b"etag", b'"1"'), (b"server-timing", b"cache;desc=hit")]
        assert given == body
        assert entry.is_one_piece is (len(pieces_of(body)) == 1)
        assert entry.size < 1_000 + len(body)


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 200_000])
def test_pieces_are_the_whole_body(size: int) -> None:
    body = random.Random(size).randbytes(size)  # noqa: S311  # no secret
    pieces = pieces_of(body)

    assert b"".join(piece["body"] for piece in pieces) == body
    assert [piece["more_body"] for piece in pieces] == [True] * (len(pieces) - 1) + [False]


def page_of(start: int, count: int) -> bytes:
    rows = (b"<li><a href='/c/games/doc/%d'>Game %d</a></li>" % (n, n * n) for n in range(start, start + count))
    return b"<svg><path d='%b'/></svg>" % random.Random(1).randbytes(8_000).hex().encode() + b"".join(rows)  # noqa: S311  # no secret


def test_answers_that_are_like_others_take_what_differs() -> None:
    entries = Entries(10_000_000)
    short = entry_of(entries, "short", 0, page_of(0, 1))
    entry_of(entries, "long", 0, page_of(0, 1_000))  # what others are packed against from now on
    other = entry_of(entries, "other", 0, page_of(500, 1_000))

    assert len(other.packed) < len(zlib.compress(page_of(500, 1_000))) / 2
    assert other.unpack()[1] == page_of(500, 1_000)
    assert short.unpack()[1] == page_of(0, 1)


def test_entries_that_are_too_large_are_not_kept() -> None:
    entries = Entries(100_000)

    entry_of(entries, "another", 19_000)
    entries.put(entry_of(entries, "large", 20_000))

    assert (len(entries), entries.size) == (0, 0)


def test_size_is_that_of_what_is_there() -> None:
    entries = Entries(100_000)
    for name in ("a", "b"):
        entries.put(entry_of(entries, name, 100))
        entries.find_canonical((name, b"", "http", ()), (name, b"alias", "http", ()))

    for name in ("a", "b"):
        entry = entries.find((name, b"alias", "http", ()))
        assert entry is not None
        entries.drop(entry)

    assert (len(entries), entries.size) == (0, 0)
    assert entries.find(("a", b"alias", "http", ())) is None


def scope_of(query: bytes = b"", **headers: str) -> dict[str, Any]:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": "GET", "path": "/c/games", "query_string": query, "headers": pairs}


def canonical(query: bytes = b"", **headers: str) -> object:
    request = read_request(scope_of(query, **headers), [b"livesearch"])
    assert request is not None
    return request.canonical_key()


def test_order_and_spelling_make_no_other_key() -> None:
    assert canonical(host="a", hx_request="true") == canonical(hx_request="true", host="a")
    assert canonical(b"q=a+b&sort=") == canonical(b"q=a%20b")


def test_what_answers_vary_by_makes_another_key() -> None:
    keys = [
        canonical(),
        canonical(b"q=a&q=b"),
        canonical(b"q=b&q=a"),
        canonical(b"facet=a&fq=&facet=b&fq=x"),
        canonical(b"facet=a&facet=b&fq=x"),
        canonical(host="a"),
        canonical(hx_request="true"),
        canonical(hx_request="-type:true"),
        canonical(hx_request_type="true"),
        canonical(hx_source="input#q"),
        canonical(x_forwarded_proto="https"),
    ]

    assert len(set(keys)) == len(keys)


async def test_rule_of_visibility_holds_at_once_and_for_each(client: httpx.AsyncClient, app: LivesearchApp) -> None:
    search = "/api/v1/collections/games/search?q=zelda"
    owner = await app.services.accounts.add("Philips", "correct horse", role=UserRole.VIEWER)
    _, secret = await app.services.tokens.create("theirs", Scope.SEARCH, owner=owner)
    hers = {"Authorization": f"Bearer {secret}"}
    before = [await client.get(search) for _ in range(2)]

    await app.services.visibility.change("games", VisibilityRule(VisibleTo.OWNER, None, "publisher"))
    visitors, owners = [], []
    for _ in range(2):
        visitors.append(await client.get(search))
        owners.append(await client.get(search, headers=hers))

    assert [(told(answer), answer.json()["total"]) for answer in before] == [("miss", 3), ("hit", 3)]
    # What visitors get may be kept: they all see the same. Nobody else is answered from it.
    assert [(told(answer), answer.json()["total"]) for answer in visitors] == [("miss", 0), ("hit", 0)]
    assert [(told(answer), answer.json()["total"]) for answer in owners] == [("", 1), ("", 1)]

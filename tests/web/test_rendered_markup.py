"""What every page must hold, whatever the rows hold."""

from html.parser import HTMLParser

import httpx
import pytest

ATTACK = '<img src=x onerror="alert(1)">'
HTMX = {"HX-Request": "true"}

PAGES = [
    "/c/games",
    "/c/games?q=evil&f.platform=NES&min.year=1980&sort=year",
    "/c/games?facet=platform",
    "/c/games?q=racing&page=2",
    "/c/games?q=xyzzy",
    "/c/games/doc/x//y/%3Cb%3E",
    "/c/games/doc/x//y/%3Cb%3E?q=evil",
    "/c/games/explain?key=x//y/%3Cb%3E&q=evil",
    "/c/games?q=%3Cimg%20src=x%3E%20evli",
    "/c/games?q=zleda&exact=1",
    "/c/nonsense",
    "/nonsense",
    "/c/games?page=abc",
]


class _Audit(HTMLParser):
    """Collects what a strict content policy would refuse, and ids that stand twice."""

    def __init__(self) -> None:
        super().__init__()
        self.offences: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._in_script = tag == "script"
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.offences += [
            f"{tag} {name}" for name, _value in attrs if name == "style" or name.startswith(("on", "hx-on"))
        ]
        self.offences += [
            f"{tag} {value}" for _name, value in attrs if value and value.startswith(("javascript:", "js:"))
        ]
        if tag == "style" or (tag == "script" and "src" not in dict(attrs)):
            self.offences.append(f"inline {tag}")

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.offences.append(f"inline script {data[:40]}")


def _audit(html: str) -> _Audit:
    audit = _Audit()
    audit.feed(html)
    return audit


@pytest.mark.parametrize("path", PAGES)
async def test_page_has_nothing_inline(client: httpx.AsyncClient, path: str) -> None:
    audit = _audit((await client.get(path)).text)

    assert audit.offences == []


@pytest.mark.parametrize("path", PAGES)
async def test_page_keeps_scripts_plain_and_in_the_head(client: httpx.AsyncClient, path: str) -> None:
    html = (await client.get(path)).text
    head, body = html.split("</head>")

    assert head.count("<script") == 9
    assert "<script" not in body
    assert "defer" not in head
    assert "async" not in head


@pytest.mark.parametrize("path", PAGES)
async def test_page_has_each_id_once(client: httpx.AsyncClient, path: str) -> None:
    ids = _audit((await client.get(path)).text).ids

    assert sorted(ids) == sorted(set(ids))


@pytest.mark.parametrize("path", PAGES)
async def test_page_has_the_landmarks(client: httpx.AsyncClient, path: str) -> None:
    audit = _audit((await client.get(path)).text)

    assert audit.tags.count("main") == 1
    assert audit.tags.count("h1") == 1
    assert {"main", "error-container", "announcer"} <= set(audit.ids)


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/c/games?q=evil", {}),
        ("/c/games?q=evil", HTMX),
        ("/c/games/doc/x//y/%3Cb%3E", {}),
        ("/htmx/c/games/suggest?q=evi", HTMX),
        ("/htmx/c/games/facet/platform?fq=img", HTMX),
        ("/c/games/doc/x//y/%3Cb%3E?q=zelda&f.platform=NES", {}),
        ("/c/games/explain?key=x//y/%3Cb%3E&q=%22onerror=alert%22", {}),
        ("/htmx/c/games/explain/x//y/%3Cb%3E?q=%22onerror=alert%22&f.platform=NES", HTMX),
    ],
)
async def test_row_cannot_inject_markup(client: httpx.AsyncClient, path: str, headers: dict[str, str]) -> None:
    html = (await client.get(path, headers=headers)).text

    assert "onerror=" in html
    assert "img" not in _audit(html).tags
    assert _audit(html).offences == []


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("parameter", ["q", "f.platform", "fq", "sort", "page", "min.year", "f.<b>"])
async def test_query_cannot_inject_markup(client: httpx.AsyncClient, parameter: str, headers: dict[str, str]) -> None:
    response = await client.get("/c/games", params={parameter: ATTACK, "facet": "platform"}, headers=headers)

    assert response.status_code in {200, 400}
    assert "img" not in _audit(response.text).tags
    assert ATTACK not in response.headers.get("HX-Replace-Url", "")


async def test_path_cannot_inject_markup(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/%3Cimg%20src%3Dx%3E")

    assert response.status_code == 404
    assert "img" not in _audit(response.text).tags


@pytest.mark.parametrize("path", ["/", "/?q=zelda", "/?q=xyzzy"])
async def test_page_of_several_collections_is_as_strict(library_client: httpx.AsyncClient, path: str) -> None:
    audit = _audit((await library_client.get(path)).text)

    assert audit.offences == []
    assert sorted(audit.ids) == sorted(set(audit.ids))
    assert (audit.tags.count("main"), audit.tags.count("h1")) == (1, 1)

import base64
import hashlib
import json
import re
from pathlib import Path

import httpx
import pytest

from livesearch.web.assets import STATIC_FOLDER, Assets

VENDOR = STATIC_FOLDER / "vendor"


def _known_files() -> dict[str, dict[str, str]]:
    known: dict[str, dict[str, str]] = json.loads((VENDOR / "vendor.json").read_text())
    return known


def test_vendored_files_are_what_was_published() -> None:
    known = _known_files()

    found = {
        path.name: base64.b64encode(hashlib.sha384(path.read_bytes()).digest()).decode() for path in VENDOR.glob("*.js")
    }
    assert found == {name: entry["sha384"] for name, entry in known.items()}


def test_htmx_is_the_decided_version() -> None:
    entry = _known_files()["htmx-4.0.1.min.js"]

    assert entry["version"] == "4.0.1"
    assert entry["sha384"] == "Qp9rdC8H7EqOoX+nR0P3RPG2Noji+qdwJlGpfzwQJsfOpp3sGwIdSP9xO3+UlEhn"
    assert (VENDOR / "LICENSE-htmx.txt").read_text().startswith("Zero-Clause BSD")


def test_icons_keep_their_licence() -> None:
    assert "ISC License" in (STATIC_FOLDER / "icons" / "LICENSE-lucide.txt").read_text()


async def test_every_asset_of_a_page_is_served_for_ever(client: httpx.AsyncClient) -> None:
    page = await client.get("/c/games")

    urls = set(re.findall(r'"(/static/[^"#]+)', page.text))
    answers = [await client.get(url) for url in urls]
    assert len(urls) >= 11
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.headers["Cache-Control"] for answer in answers} == {"public, max-age=31536000, immutable"}
    assert {answer.headers["Vary"] for answer in answers} == {"Accept-Encoding"}


async def test_integrity_on_the_page_is_that_of_the_file(client: httpx.AsyncClient) -> None:
    page = await client.get("/c/games")

    pairs = re.findall(r'(?:src|href)="(/static/[^"]+)"\s+integrity="sha384-([^"]+)"', page.text)
    assert len(pairs) == page.text.count('rel="stylesheet"') + page.text.count("<script")
    assert len(pairs) > 10
    for url, integrity in pairs:
        content = (await client.get(url)).content
        assert base64.b64encode(hashlib.sha384(content).digest()).decode() == integrity


async def test_asset_of_another_version_is_not_found(client: httpx.AsyncClient) -> None:
    response = await client.get("/static/000000000000/js/kit.js")

    assert response.status_code == 404
    assert "immutable" not in response.headers["Cache-Control"]


async def test_asset_is_compressed_for_those_who_can(client: httpx.AsyncClient) -> None:
    url = re.findall(r'"(/static/[^"]+htmx[^"]+)"', (await client.get("/c/games")).text)[0]

    compressed = await client.get(url, headers={"Accept-Encoding": "gzip"})
    plain = await client.get(url, headers={"Accept-Encoding": "identity"})
    assert compressed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert int(compressed.headers["Content-Length"]) < int(plain.headers["Content-Length"]) / 2
    assert compressed.content == plain.content


@pytest.mark.parametrize("path", ["../app.py", "..%2Fapp.py", "js/../../app.py"])
async def test_asset_outside_the_folder_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(f"/static/000000000000/{path}")

    assert response.status_code == 404


def test_missing_asset_fails_at_once(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        Assets(tmp_path).integrity("js/missing.js")


@pytest.mark.usefixtures("request_context")
def test_asset_changes_its_name_with_its_content(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("a")
    before = Assets(tmp_path).url("a.css")
    (tmp_path / "a.css").write_text("b")

    assert Assets(tmp_path).url("a.css") != before

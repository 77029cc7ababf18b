"""`livesearch search`, as a shell calls it: corrections, notices and explanations."""

import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from livesearch.cli import main
from tests.conftest import WriteRows

_DOCS = Path(__file__).parents[2] / "docs"
_ROWS: list[dict[str, object]] = [
    {"id": "a", "title": "Bluetooth speaker", "maker": "Sonos", "year": 2020},
    {"id": "b", "title": "Speaker stand for a bluetooth speaker", "maker": "Sonos", "year": 2021},
    {"id": "c", "title": "Table lamp", "maker": "Ikea", "year": 2022},
]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.fixture(autouse=True)
def store(tmp_path: Path, write_rows: WriteRows, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store with the collection “shop”, which commands use."""
    monkeypatch.setenv("LIVESEARCH_STORE_URL", f"sqlite+aiosqlite:///{tmp_path}/store.db")
    roles = ("title=title", "maker=facet", "year=sort")
    options = [word for role in roles for word in ("--role", role)]
    imported = run("import", write_rows("shop", _ROWS), "--key", "id", *options)
    assert imported.exit_code == 0, imported.output


def test_correction_is_said_beside_the_hits() -> None:
    found = run("search", "shop", "bluetoot speakr")

    assert found.stderr.splitlines()[0] == ("Showing results for bluetooth speaker. Search as typed with --exact.")
    assert found.stdout.splitlines()[0] == "Bluetooth speaker  a"


def test_exact_corrects_nothing() -> None:
    found = run("search", "shop", "bluetoot", "--exact")
    misspelled = run("search", "shop", "bleutooth", "--exact")

    assert found.stdout.splitlines()[0] == "Bluetooth speaker  a"
    assert misspelled.stdout == ""
    assert misspelled.stderr.startswith("No results, ")


def test_notice_is_said_beside_the_hits() -> None:
    found = run("search", "shop", "lamp year:abc")

    assert "“year:abc” was left out." in found.stderr
    assert found.stdout.splitlines()[0] == "Table lamp  c"


def test_explain_prints_parts_that_sum_to_the_score() -> None:
    lines = run("search", "shop", "lamp", "--explain").stdout.splitlines()

    *parts, score = (float(match[1]) for line in lines if (match := re.match(r"\s+(\d+\.\d\d)  ", line)))
    assert len(parts) >= 3
    assert sum(parts) == pytest.approx(score, abs=1e-9)
    assert parts == sorted(parts, reverse=True)
    assert any(line.endswith("  “lamp” in the title") for line in lines)
    assert lines[-1].endswith("  score")


def test_explain_says_what_was_not_scored() -> None:
    lines = run("search", "shop", "lamp", "--explain", "--sort", "year").stdout.splitlines()

    assert lines[-1] == "  not scored"


def test_explain_goes_into_json_too() -> None:
    explained = json.loads(run("search", "shop", "lamp", "--explain", "--json").stdout)["hits"][0]
    plain = json.loads(run("search", "shop", "lamp", "--json").stdout)["hits"][0]

    assert sum(part["value"] for part in explained["explanation"]) == pytest.approx(explained["score"])
    assert explained["score"] == plain["score"]
    assert "explanation" not in plain


def _examples() -> list[list[str]]:
    """The commands on the page about searching."""
    text = (_DOCS / "searching.md").read_text(encoding="utf-8")
    lines = [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    return [shlex.split(line, comments=True)[1:] for line in lines]


def test_every_example_of_the_page_finds_something(write_rows: WriteRows) -> None:
    rows: list[dict[str, object]] = [
        {"id": f"game-{number}", "title": "Zelda", "platform": ["NES", "CD-i"][number % 2], "year": 1986 + number}
        for number in range(6)
    ]
    roles = ("title=title", "platform=facet", "year=sort")
    run("import", write_rows("games", rows), "--key", "id", *(word for role in roles for word in ("--role", role)))

    found = {" ".join(words): run(*words) for words in _examples()}

    assert len(found) >= 5
    assert {words: result.stderr for words, result in found.items() if result.exit_code != 0} == {}
    assert [words for words, result in found.items() if "Zelda" not in result.stdout] == ["search games zleda --exact"]


def test_pinned_hit_is_marked() -> None:
    run("pin", "shop", "lamp", "b")

    lines = run("search", "shop", "lamp").stdout.splitlines()

    assert lines[0] == "Speaker stand for a bluetooth speaker  b  pinned"

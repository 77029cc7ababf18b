"""Synonyms, pins, ranking settings and tokens, as a shell changes them."""

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
    {
        "id": f"k{number}",
        "title": f"Title {number}",
        "maker": "Sega",
        "users": number,
        "released": f"2001-01-{number + 1:02}",
    }
    for number in range(5)
]


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, arguments, input=stdin)


@pytest.fixture
def store(tmp_path: Path, write_rows: WriteRows, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store with the collection “games”, which commands use unless told."""
    path = str(tmp_path / "store.db")
    monkeypatch.setenv("LIVESEARCH_STORE_URL", f"sqlite+aiosqlite:///{path}")
    roles = ("title=title", "maker=facet", "users=sort", "released=date")
    options = [word for role in roles for word in ("--role", role)]
    imported = run("import", write_rows("games", _ROWS), "--key", "id", *options)
    assert imported.exit_code == 0, imported.output
    return path


@pytest.mark.usefixtures("store")
def test_synonyms_are_added_listed_and_removed() -> None:
    empty = run("synonyms", "games")
    added = run("synonyms", "games", "add", "PS5", "PlayStation 5", "play station five")
    run("synonyms", "games", "add", "tv", "television", "--one-way")
    listed = run("synonyms", "games")
    found = json.loads(run("synonyms", "games", "--json").stdout)
    removed = run("synonyms", "games", "remove", str(found[0]["id"]))

    assert "games has no synonyms" in empty.stderr
    assert added.stderr == f"Synonym {found[0]['id']} of games: ps5, playstation 5, play station five.\n"
    assert [line.split(maxsplit=1)[1].rstrip() for line in listed.stdout.splitlines()[1:]] == [
        "ps5    <=>  playstation 5, play station five",
        "tv     =>   television",
    ]
    assert [(s["words"], s["alternatives"], s["is_two_way"]) for s in found] == [
        ("ps5", ["playstation 5", "play station five"], True),
        ("tv", ["television"], False),
    ]
    assert "is removed" in removed.stderr
    assert len(json.loads(run("synonyms", "games", "--json").stdout)) == 1


def test_the_store_of_synonyms_may_be_told_before_or_after_the_command(store: str) -> None:
    before = run("synonyms", "--store", store, "games", "add", "a", "b", "--one-way")
    between = run("synonyms", "games", "--store", store, "add", "c", "d", "--one-way")
    after = run("synonyms", "games", "add", "e", "f", "--one-way", "--store", store)
    listed = run("synonyms", "games", "--json", "--store", store)

    assert [before.exit_code, between.exit_code, after.exit_code] == [0, 0, 0], before.output + between.output
    assert [synonym["words"] for synonym in json.loads(listed.stdout)] == ["a", "c", "e"]


@pytest.mark.usefixtures("store")
def test_synonyms_are_imported_from_a_file_and_from_standard_input(tmp_path: Path) -> None:
    source = tmp_path / "synonyms.txt"
    source.write_text("# consoles\nps5, playstation 5\ntv, telly => television\n")

    first = run("synonyms", "games", "import", str(source))
    again = run("synonyms", "games", "import", "-", stdin=source.read_text())
    broken = run("synonyms", "games", "import", "-", stdin="a, b\nlonely\n")

    assert first.stderr == "games: 3 synonyms added, 0 known already.\n"
    assert again.stderr == "games: 0 synonyms added, 3 known already.\n"
    assert (broken.exit_code, "Line 2 is no synonym" in broken.stderr) == (1, True)


@pytest.mark.usefixtures("store")
def test_documents_are_pinned_hidden_listed_and_released() -> None:
    assert "Nothing is pinned" in run("curations", "games").stderr
    pinned = run("pin", "games", "Zelda!", "k3", "--position", "2")
    hidden = run("hide", "games", "zelda", "k1")
    listed = run("curations", "games")
    found = json.loads(run("curations", "games", "--json").stdout)
    released = run("unpin", "games", "ZELDA", "k1")

    assert pinned.stderr == "k3 is pinned to place 2 of “zelda” in games.\n"
    assert hidden.stderr == "k1 is hidden from “zelda” in games.\n"
    assert [line.split()[1:] for line in listed.stdout.splitlines()[1:]] == [
        ["zelda", "2", "k3"],
        ["zelda", "hidden", "k1"],
    ]
    assert [(c["document"], c["position"]) for c in found] == [("k3", 2), ("k1", None)]
    assert released.exit_code == 0
    assert len(json.loads(run("curations", "games", "--json").stdout)) == 1


@pytest.mark.usefixtures("store")
def test_ranking_is_shown_and_changed() -> None:
    changed = run(
        "rank", "games", "--popularity", "users", "--popularity-weight", "2", "--recency", "released",
        "--recency-weight", "0.5", "--recency-half-life", "30", "--language", "none", "--weight", "title=12",
        "--json",
    )  # fmt: skip
    shown = run("rank", "games")
    undone = json.loads(run("rank", "games", "--popularity", "none", "--recency", "none", "--json").stdout)

    found = json.loads(changed.stdout)
    weights = found.pop("weights")
    assert weights["title"] == 12
    assert {name: value for name, value in found.items() if name != "typos"} == {
        "popularity_field": "users",
        "popularity_weight": 2.0,
        "recency_field": "released",
        "recency_weight": 0.5,
        "recency_half_life_days": 30.0,
        "language": "none",
    }
    assert re.search(r"Recency +released +weight 0.5, half after 30 days", shown.stdout)
    assert re.search(r"title +12 +on", shown.stdout)
    assert (undone["popularity_field"], undone["recency_field"], undone["recency_weight"]) == (None, None, 0.5)


@pytest.mark.usefixtures("store")
def test_a_token_is_made_listed_and_revoked() -> None:
    assert "There is no token" in run("token", "list").stderr
    made = run("token", "create", "nightly", "--scope", "edit", "--collection", "games", "--expires", "30")
    other = json.loads(run("token", "create", "other", "--scope", "admin", "--json").stdout)
    listed = run("token", "list")
    revoked = run("token", "revoke", "nightly")
    found = json.loads(run("token", "list", "--json").stdout)

    assert re.fullmatch(r"lst_[A-Za-z0-9_-]{43}\n", made.stdout)
    assert "not shown again" in made.stderr
    assert other["token"].startswith("lst_")
    assert re.search(r"1 +nightly +— +edit +games +\d{4}-\d\d-\d\d +valid until \d{4}-\d\d-\d\d", listed.stdout)
    assert revoked.stderr == "Token 1, nightly, is revoked.\n"
    assert [(t["name"], t["scope"], t["collection"], t["is_valid"]) for t in found] == [
        ("nightly", "edit", "games", False),
        ("other", "admin", None, True),
    ]
    assert made.stdout.strip() not in listed.output


def test_a_token_may_be_the_first_thing_in_a_store(tmp_path: Path) -> None:
    made = run("token", "create", "first", "--scope", "admin", "--store", str(tmp_path / "new.db"))

    assert made.exit_code == 0, made.stderr


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["synonyms", "nonsense"], 1, "There is no collection named “nonsense”."),
        (["synonyms", "games", "add", "tv"], 2, "Missing argument 'ALTERNATIVE...'"),
        (["synonyms", "games", "add", "tv", "?"], 1, "“?” has no word in it"),
        (["synonyms", "games", "remove", "7"], 1, "There is no synonym 7 in “games”."),
        (["synonyms", "games", "import", "absent.txt"], 2, "absent.txt"),
        (["pin", "games", "zelda", "absent"], 1, "There is no document “absent” in “games”."),
        (["pin", "games", "zelda", "k1", "--position", "0"], 2, "0 is not in the range"),
        (["unpin", "games", "zelda", "k1"], 1, "neither pinned nor hidden"),
        (["rank", "games", "--recency", "users"], 1, "“users” is not a date"),
        (["rank", "games", "--weight", "title"], 2, "'title' is not FIELD=X"),
        (["rank", "games", "--weight", "title=101"], 1, "The weight of “title” cannot be 101"),
        (["rank", "games", "--typos", "title=maybe"], 2, "is not FIELD=on or FIELD=off"),
        (["rank", "games", "--language", "klingon"], 1, "no word forms of “klingon”"),
        (["token", "create", "x", "--scope", "root"], 2, "'root' is not one of 'search', 'edit', 'admin'"),
        (["token", "create", "7", "--scope", "edit"], 1, "cannot be the name of a token"),
        (["token", "revoke", "x"], 1, "There is no valid token “x”."),
    ],
)
def test_mistakes_say_what_and_how_to_go_on(arguments: list[str], code: int, message: str) -> None:
    failed = run(*arguments)

    assert failed.exit_code == code
    assert message in " ".join(failed.stderr.split())
    assert "Traceback" not in failed.stderr


def _examples() -> list[list[str]]:
    """The commands of the page about tuning, in their order."""
    text = (_DOCS / "tuning.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = [shlex.split(line, comments=True) for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [words[1:] for words in lines if words[:1] == ["livesearch"]]


def test_every_example_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "synonyms.txt").write_text("snes, super nintendo\ntelly => tv\n")
    rows = [
        {
            "id": key,
            "title": f"Title {key}",
            "platform": "NES",
            "year": 1980 + at,
            "popularity": at,
            "added": "2001-02-03",
        }
        for at, key in enumerate(["nes/zelda", "nes/zelda2", "gba/zelda"])
    ]
    (tmp_path / "games.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    examples = _examples()
    roles = ("title=title", "platform=facet", "popularity=sort", "added=date")
    run("import", "games.jsonl", "--key", "id", *(word for role in roles for word in ("--role", role)))

    done = [(words, run(*words)) for words in examples]

    assert len(examples) >= 12
    assert [(words, result.output) for words, result in done if result.exit_code] == []


@pytest.mark.usefixtures("store")
def test_visibility_is_shown_and_changed() -> None:
    at_first = run("visibility", "games")
    changed = run("visibility", "games", "--groups", "maker")
    shown = json.loads(run("visibility", "games", "--json").stdout)
    too_much = run("visibility", "games", "--public", "--signed-in")
    nowhere = run("visibility", "games", "--owner", "nowhere")
    role = run("visibility", "games", "--role", "editor")

    assert at_first.stdout == "Everybody who may search sees every row.\n"
    assert "games is shown so from the next search on." in changed.stderr
    assert changed.stdout == "Each sees the rows that list a group of theirs in “maker”.\n"
    assert shown == {"to": "groups", "field": "maker"}
    assert (too_much.exit_code, nowhere.exit_code) == (2, 1)
    assert "“nowhere” is no field" in nowhere.stderr
    assert role.stdout == "Whoever has at least the role editor sees every row.\n"
    # Whoever is at the command line sees all, and changes nothing by looking.
    assert "5" in run("search", "games", "title").stderr

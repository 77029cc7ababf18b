"""The commands, as a shell calls them."""

import gzip
import json
import socket
import sqlite3
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from livesearch.cli import main, serving
from livesearch.guard.server import listen
from tests.conftest import WriteRows

_ROWS: list[dict[str, object]] = [
    {"id": f"k{number}", "title": f"Title {number}", "maker": ["Sega", "Atari"][number % 2], "year": 1980 + number}
    for number in range(40)
]


@pytest.fixture
def store(tmp_path: Path) -> str:
    return str(tmp_path / "store.db")


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Where `livesearch serve` would listen: the server itself is tried elsewhere."""
    ports: list[int] = []

    def note(bound: Sequence[socket.socket], **_: int) -> None:
        ports.extend(one.getsockname()[1] for one in bound)
        for one in bound:
            one.close()

    monkeypatch.setattr(serving, "run", note)
    monkeypatch.setenv("LIVESEARCH_STORE_URL", "")  # the command sets it for its workers
    return ports


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, arguments, input=stdin)


def test_import_prints_what_it_did_and_search_finds_it(store: str, write_rows: WriteRows) -> None:
    source = write_rows("games", _ROWS)

    imported = run("import", source, "--store", store)
    searched = run("search", "games", "title 7", "--store", store)

    assert imported.exit_code == 0, imported.stderr
    assert "40 accepted, 0 updated, 0 unchanged, 0 rejected" in imported.stderr
    assert "named title" in imported.stderr
    assert searched.stdout.splitlines()[0] == "Title 7  k7"


def test_import_again_changes_nothing_and_says_so(store: str, write_rows: WriteRows) -> None:
    source = write_rows("games", _ROWS)
    run("import", source, "--store", store)

    again = json.loads(run("import", source, "--store", store, "--json").stdout)

    assert {name: again[name] for name in ("accepted", "updated", "unchanged", "rejected")} == {
        "accepted": 0,
        "updated": 0,
        "unchanged": 40,
        "rejected": 0,
    }
    assert "Nothing changed." in run("import", source, "--store", store).stderr


def test_import_takes_standard_input_and_sqlite_tables(store: str, tmp_path: Path) -> None:
    lines = "\n".join(json.dumps(row) for row in _ROWS)
    with sqlite3.connect(tmp_path / "rows.db") as connection:
        connection.execute("CREATE TABLE games (id TEXT, title TEXT)")
        connection.executemany("INSERT INTO games VALUES (?, ?)", [(row["id"], row["title"]) for row in _ROWS])
    connection.close()

    piped = run("import", "-", "--format", "jsonl", "--name", "piped", "--store", store, stdin=lines)
    table = run("import", f"{tmp_path}/rows.db::games", "--store", store)
    listed = json.loads(run("collections", "--store", store, "--json").stdout)

    assert (piped.exit_code, table.exit_code) == (0, 0), piped.stderr + table.stderr
    assert {found["name"]: found["documents"] for found in listed} == {"piped": 40, "games": 40}


def test_import_rejects_rows_with_line_and_reason(store: str, tmp_path: Path) -> None:
    source = tmp_path / "rows.jsonl.gz"
    source.write_bytes(
        gzip.compress(b'{"id": "a", "title": "One"}\nnot json\n{"title": "no key"}\n{"id": "b", "title": "Two"}\n')
    )

    report = json.loads(run("import", str(source), "--key", "id", "--store", store, "--json").stdout)
    rejects = [json.loads(line) for line in Path(report["rejects"]).read_text().splitlines()]

    assert (report["accepted"], report["rejected"]) == (2, 2)
    assert report["rejects"] == f"{source}.rejects.jsonl"
    assert [reject["line"] for reject in rejects] == [2, 3]
    assert "“id” has no value" in rejects[1]["reason"]
    assert rejects[0]["row"] == "not json"


def test_import_that_cannot_decide_on_a_key_names_the_option(store: str, write_rows: WriteRows) -> None:
    rows: list[dict[str, object]] = [{"code": f"c{n}", "sku": f"s{n}", "title": f"One title {n}"} for n in range(30)]

    undecided = run("import", write_rows("rows", rows), "--store", store)
    decided = run("import", write_rows("rows", rows), "--store", store, "--key", "sku")

    assert undecided.exit_code == 1
    assert "--key" in undecided.stderr
    assert decided.exit_code == 0


def test_dry_run_stores_nothing(store: str, write_rows: WriteRows) -> None:
    dry = run("import", write_rows("games", _ROWS), "--dry-run", "--store", store)

    assert "would be 40 accepted" in dry.stderr
    assert json.loads(run("collections", "--store", store, "--json").stdout) == []


def test_show_and_drop(store: str, write_rows: WriteRows) -> None:
    run("import", write_rows("games", _ROWS), "--store", store, "--role", "maker=facet", "--role", "year=hidden")

    shown = json.loads(run("show", "games", "--store", store, "--json").stdout)
    kept = run("drop", "games", "--store", store, stdin="n\n")
    dropped = run("drop", "games", "--store", store, "--yes")

    assert {field["name"]: field["role"] for field in shown["fields"]} == {
        "id": "key",
        "title": "title",
        "maker": "facet",
        "year": "hidden",
    }
    assert shown["documents"] == 40
    assert kept.exit_code == 1
    assert dropped.exit_code == 0
    assert json.loads(run("collections", "--store", store, "--json").stdout) == []


def test_search_filters_sorts_and_limits(store: str, write_rows: WriteRows) -> None:
    run("import", write_rows("games", _ROWS), "--store", store, "--role", "maker=facet")

    found = json.loads(
        run(
            "search",
            "games",
            "",
            "--filter",
            "maker=Sega",
            "--sort",
            "-year",
            "--limit",
            "3",
            "--json",
            "--store",
            store,
        ).stdout
    )

    assert [hit["id"] for hit in found["hits"]] == ["k38", "k36", "k34"]
    assert found["total"] == 20
    assert found["facets"]["maker"] == [
        {"value": "Sega", "count": 20, "selected": True},
        {"value": "Atari", "count": 20, "selected": False},
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["search", "absent", "x"], 1, "There is no collection named “absent”."),
        (["import", "absent.csv"], 1, "There is no file “absent.csv”"),
        (["import", "rows.xyz"], 1, "rows.xyz"),
        (["import", "-"], 1, "--format"),
        (["import", "x.csv", "--role", "title"], 2, "'title' is not FIELD=ROLE"),
        (["search", "x", "y", "--limit", "0"], 2, "0 is not in the range"),
    ],
)
def test_mistakes_say_what_and_how_to_go_on(store: str, arguments: list[str], code: int, message: str) -> None:
    run("db", "upgrade", "--store", store)
    failed = run(*arguments, "--store", store)

    assert failed.exit_code == code
    assert message in " ".join(failed.stderr.split())
    assert "Traceback" not in failed.stderr


def test_a_setting_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVESEARCH_QUERY_TIMEOUT_MS", "soon")

    failed = run("collections")

    assert failed.exit_code == 2
    assert "LIVESEARCH_QUERY_TIMEOUT_MS" in failed.stderr
    assert "'soon'" in failed.stderr


def test_db_upgrade_and_check(store: str, write_rows: WriteRows) -> None:
    assert "set up" in run("db", "upgrade", "--store", store).stderr
    assert "up to date" in run("db", "upgrade", "--store", store).stderr
    run("import", write_rows("games", _ROWS), "--store", store)
    assert run("db", "check", "--store", store).exit_code == 0

    with sqlite3.connect(store) as connection:
        connection.execute("DELETE FROM postings WHERE key = 'ptit'")
    connection.close()
    broken = run("db", "check", "--store", store)

    assert broken.exit_code == 1
    assert "1 postings differ" in broken.stderr


def test_db_upgrade_makes_an_outdated_index_anew(store: str, write_rows: WriteRows) -> None:
    run("import", write_rows("games", _ROWS), "--store", store)
    with sqlite3.connect(store) as connection:
        connection.execute("UPDATE collections SET index_version = 0")
        connection.execute("DELETE FROM postings")
    connection.close()
    refused = run("search", "games", "title", "--store", store)
    checked = run("db", "check", "--store", store)
    upgraded = run("db", "upgrade", "--store", store)

    assert refused.exit_code == checked.exit_code == 1
    assert "Run `livesearch db upgrade`" in refused.stderr
    assert "The index of games was made anew." in upgraded.stderr
    assert run("db", "check", "--store", store).exit_code == 0


def test_db_check_says_what_sqlite_finds_in_a_damaged_file(store: str, write_rows: WriteRows) -> None:
    run("import", write_rows("games", _ROWS), "--store", store)
    data = Path(store).read_bytes()
    for damaged in (
        data[:4096] + b"\xa5" * 8192 + data[12288:],  # tables
        data[:100] + b"\xa5" * 3996 + data[4096:],  # the schema: nothing can be read
    ):
        Path(store).write_bytes(damaged)

        broken = run("db", "check", "--store", store)
        listed = run("collections", "--store", store)

        assert broken.exit_code == 1
        assert "doctor" not in listed.stderr  # a command there is not
        assert "The file is damaged: " in broken.stderr
        assert "db check" not in broken.stderr
        assert "Traceback" not in broken.stderr


def test_what_files_hold_is_printed_as_it_is_and_harmless(store: str, tmp_path: Path) -> None:
    source = tmp_path / "[red]:star:.csv"
    source.write_text("id,title,[/b],[bold],f\x1b[31m\n" + "".join(f"k{n},T\x9b1m,x,y,z\n" for n in range(3)))

    imported = run("import", str(source), "--store", store, "--name", "rows")
    shown = run("show", "rows", "--store", store)
    listed = run("collections", "--store", store)
    found = run("search", "rows", "--store", store)

    assert [imported.exit_code, shown.exit_code, listed.exit_code, found.exit_code] == [0, 0, 0, 0], imported.output
    for name in ("[/b]", "[bold]", "f[31m"):
        assert name in imported.stderr
        assert name in shown.stdout
    assert "[red]:star:.csv" in listed.stdout.replace("\n", "")
    assert "T1m  k0" in found.stdout
    for printed in (imported, shown, listed, found):
        assert not set(printed.output) & set("\x1b\x9b")


def test_errors_print_no_control_characters(store: str, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"a\\u001b[31m": 1, "a\\u001b[31m": 2}\n')

    failed = run("import", str(tmp_path / "rows.jsonl"), "--store", store)

    assert "the name “a[31m” stands twice" in " ".join(failed.stderr.split())


@pytest.mark.parametrize(
    "arguments", [["collections"], ["show", "x"], ["drop", "x", "--yes"], ["search", "x"], ["db", "check"]]
)
def test_commands_that_read_make_no_store(store: str, arguments: list[str]) -> None:
    failed = run(*arguments, "--store", store)

    assert failed.exit_code == 1
    assert f"There is no store at {store}." in failed.stderr.replace("\n", "")
    assert not Path(store).exists()


def test_serve_imports_what_is_new_and_says_in_a_line_what_is_not(
    store: str, write_rows: WriteRows, served: list[int]
) -> None:
    sources = [write_rows("games", _ROWS), write_rows("_more", _ROWS[:3])]

    first = run("serve", *sources, "--store", store, "--port", "0")
    again = run("serve", *sources, "--store", store, "--port", "0")

    assert (first.exit_code, again.exit_code) == (0, 0), first.output + again.output
    assert "games: 40 accepted" in first.stderr
    assert "more: 3 accepted" in first.stderr
    *told, invitation = again.stderr.splitlines()
    assert told == [
        "games: 40 rows. Nothing changed.",
        "more: 3 rows. Nothing changed.",
        f"Serving http://127.0.0.1:{served[1]}  (Ctrl+C stops)",
    ]
    assert "Make the administrator" in invitation


def test_serve_refuses_two_sources_of_one_name(store: str, served: list[int]) -> None:
    failed = run("serve", "a/games.csv", "b/games.csv", "--store", store, "--port", "0")

    assert failed.exit_code == 1
    assert "would both be the collection “games”" in " ".join(failed.stderr.split())
    assert "--name" in failed.stderr
    assert served == []


def test_serve_finds_its_port_taken_before_it_imports(store: str, write_rows: WriteRows, served: list[int]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        failed = run("serve", write_rows("games", _ROWS), "--store", store, "--port", str(port))

    assert failed.exit_code == 1
    assert f"cannot be served at 127.0.0.1:{port}: Address already in use." in " ".join(failed.stderr.split())
    assert "--port" in failed.stderr
    assert served == []
    assert not Path(store).exists()


def test_serve_says_that_another_program_took_its_port_while_it_imported(
    store: str, write_rows: WriteRows, served: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:

        def taken_meanwhile(bound: Sequence[socket.socket]) -> None:
            other = stack.enter_context(socket.socket())
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(bound[0].getsockname())
            other.listen()
            listen(bound)

        monkeypatch.setattr(serving, "listen", taken_meanwhile)
        failed = run("serve", write_rows("games", _ROWS), "--store", store, "--port", "0")

    assert failed.exit_code == 1
    assert "Address already in use. Choose another port with --port" in " ".join(failed.stderr.split())
    assert "Serving" not in failed.stderr
    assert served == []


def test_serve_fails_with_one_whatever_the_server_says(
    store: str, write_rows: WriteRows, served: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise SystemExit(3)

    monkeypatch.setattr(serving, "run", fail)

    assert run("serve", write_rows("games", _ROWS), "--store", store, "--port", "0").exit_code == 1
    assert served == []


def test_shortest_time_limit_of_a_search_keeps_no_command_from_its_work(
    store: str, write_rows: WriteRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIVESEARCH_QUERY_TIMEOUT_MS", "10")

    done = [
        run("import", write_rows("games", _ROWS), "--store", store),
        *(run(*command, "--store", store) for command in (["collections"], ["show", "games"], ["user", "list"])),
    ]

    assert [result.exit_code for result in done] == [0, 0, 0, 0]


def test_help_lists_every_command_and_every_command_has_help() -> None:
    listed = run("--help")

    assert listed.exit_code == 0
    for command in ("serve", "import", "collections", "show", "drop", "search", "db"):
        assert f"  {command} " in listed.stdout
        assert run(command, "--help").exit_code == 0

"""`livesearch user`, as a shell calls it."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from livesearch.cli import main, serving


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVESEARCH_STORE_URL", f"sqlite+aiosqlite:///{tmp_path}/store.db")


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, arguments, input=stdin)


def add(name: str, *options: str) -> Result:
    return run("user", "add", name, "--password-stdin", *options, stdin="correct horse\n")


def listed() -> list[dict[str, object]]:
    result = run("user", "list", "--json")
    assert result.exit_code == 0, result.stderr
    found: list[dict[str, object]] = json.loads(result.stdout)
    return found


def test_user_is_made_and_listed() -> None:
    made = add("ann", "--role", "admin", "--email", "ann@example.com")

    (user,) = listed()
    assert (made.exit_code, made.stdout) == (0, "")
    assert "ann can sign in, as admin." in made.stderr
    assert (user["name"], user["role"], user["email"], user["is_active"]) == ("ann", "admin", "ann@example.com", True)
    assert set(user) == {"id", "name", "role", "email", "is_active", "groups", "created_at", "changed_at"}
    assert re.search(r"ann +admin +— +ann@example.com +\d{4}-\d\d-\d\d +active", run("user", "list").stdout)


def test_user_is_a_viewer_unless_told() -> None:
    add("bob")

    assert [user["role"] for user in listed()] == ["viewer"]


@pytest.mark.parametrize(
    ("arguments", "stdin", "fault"),
    [
        (["add", "ann", "--password-stdin"], "short\n", "8 characters or more"),
        (["add", "ann", "--password-stdin"], "", "8 characters or more"),
        (["add", "ann"], "correct horse\n", "--password-stdin"),
        (["add", "", "--password-stdin"], "correct horse\n", "1 to 80 characters"),
        (["passwd", "nobody", "--password-stdin"], "correct horse\n", "no store"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: list[str], stdin: str, fault: str) -> None:
    result = run("user", *arguments, stdin=stdin)

    assert result.exit_code == 1
    assert fault in " ".join(result.stderr.split())


def test_wrong_usage_is_2() -> None:
    assert run("user", "add", "ann", "--role", "king", "--password-stdin", stdin="correct horse\n").exit_code == 2


def test_names_are_taken_once_and_unknown_ones_are_said() -> None:
    add("ann")

    twice, unknown = add("ANN"), run("user", "disable", "bob")

    assert (twice.exit_code, unknown.exit_code) == (1, 1)
    assert "Somebody is named “ANN” already." in twice.stderr
    assert "Nobody is named “bob”." in unknown.stderr


def test_user_is_disabled_enabled_given_a_password_and_deleted() -> None:
    add("ann")

    disabled = run("user", "disable", "Ann").exit_code, listed()[0]["is_active"]
    enabled = run("user", "enable", "ann").exit_code, listed()[0]["is_active"]
    changed = run("user", "passwd", "ann", "--password-stdin", stdin="another horse\n").exit_code
    deleted = run("user", "delete", "ann").exit_code

    assert (disabled, enabled, changed, deleted) == ((0, False), (0, True), 0, 0)
    assert listed() == []
    assert "There is no account." in run("user", "list").stderr


def test_serve_offers_to_make_the_administrator_while_there_is_no_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "run", lambda *_, **__: None)
    rows = tmp_path / "rows.csv"
    rows.write_text("id,title\n1,Zelda\n2,Mario\n")

    first, second = (run("serve", str(rows), "--port", "0").stderr for _ in range(2))
    add("ann", "--role", "admin")
    last = run("serve", str(rows), "--port", "0").stderr

    links = [re.findall(r"http://127\.0\.0\.1:\d+/setup\?key=[\w-]{43}", text) for text in (first, second, last)]
    assert [len(found) for found in links] == [1, 1, 0]
    assert links[0] != links[1]


def test_user_is_put_into_groups() -> None:
    add("ann")

    put = run("user", "groups", "ANN", "sales", "legal department")
    refused = run("user", "groups", "ann", "a,b")

    assert (put.exit_code, "ann is in sales, legal department." in put.stderr) == (0, True)
    assert (refused.exit_code, "cannot be a group" in refused.stderr) == (1, True)
    assert [user["groups"] for user in listed()] == [["sales", "legal department"]]
    assert "is in no group." in run("user", "groups", "ann").stderr

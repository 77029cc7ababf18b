import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from livesearch.errors import SourceError
from livesearch.ingest import SourceSpec, default_name, parse_source


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("games.csv", SourceSpec("games.csv", "csv", None, is_gzipped=False)),
        ("Games.TSV", SourceSpec("Games.TSV", "tsv", None, is_gzipped=False)),
        ("a/b.json", SourceSpec("a/b.json", "json", None, is_gzipped=False)),
        ("b.ndjson", SourceSpec("b.ndjson", "jsonl", None, is_gzipped=False)),
        ("b.jsonl.gz", SourceSpec("b.jsonl.gz", "jsonl", None, is_gzipped=True)),
        ("shop.db::product", SourceSpec("shop.db", "sqlite", "product", is_gzipped=False)),
    ],
)
def test_parse_source_tells_format_by_name(text: str, expected: SourceSpec) -> None:
    assert parse_source(text) == expected


def test_parse_source_takes_given_format() -> None:
    assert parse_source("rows.txt", format="csv").format == "csv"
    assert parse_source("-", format="jsonl.gz") == SourceSpec("-", "jsonl", None, is_gzipped=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-", "--format"),
        ("rows.txt", "--format"),
        ("rows", "--format"),
        ("mysql://user@host/name::t", "mysql://"),
        ("https://example.org/a.csv", "Download"),
        ("a.csv::t", "names a table"),
        ("missing.db", "no file"),
        ("a.db.gz::t", "gunzip"),
    ],
)
def test_parse_source_refuses_with_advice(text: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        parse_source(text)


def test_parse_source_refuses_unknown_format() -> None:
    with pytest.raises(SourceError, match="xml"):
        parse_source("-", format="xml")


def make_database(path: Path, *statements: str) -> str:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return str(path)


def test_parse_source_takes_only_table(tmp_path: Path) -> None:
    location = make_database(tmp_path / "shop.db", "CREATE TABLE product (id)", "CREATE VIEW cheap AS SELECT 1 AS one")

    assert parse_source(location).table == "product"


def test_parse_source_lists_tables_when_there_are_several(tmp_path: Path) -> None:
    location = make_database(tmp_path / "shop.sqlite3", "CREATE TABLE product (id)", "CREATE TABLE brand (id)")

    with pytest.raises(SourceError, match="brand, product"):
        parse_source(location)


def test_parse_source_refuses_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_text("not a database, only text that is long enough to be looked at" * 20)

    with pytest.raises(SourceError, match="SQLite"):
        parse_source(str(tmp_path / "a.db"))


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        (SourceSpec("x/books.jsonl.gz", "jsonl"), "books"),
        (SourceSpec("My Games (2).CSV", "csv"), "my-games-2"),
        (SourceSpec("demo_console_games.csv.gz", "csv"), "demo_console_games"),
        (SourceSpec("shop.db", "sqlite", "Product Lines"), "product-lines"),
        (SourceSpec("-", "csv"), "stdin"),
        (SourceSpec("données.csv", "csv"), "donnees"),
        (SourceSpec("日本.csv", "csv"), "collection"),
        (SourceSpec("_-_private_.csv", "csv"), "private_"),
        (SourceSpec("x" * 80 + ".csv", "csv"), "x" * 64),
        (SourceSpec("files_1.65M.tsv.gz", "tsv"), "files_1-65m"),
        (SourceSpec("rows.txt", "csv"), "rows-txt"),
    ],
)
def test_default_name_is_safe(spec: SourceSpec, name: str) -> None:
    assert default_name(spec) == name

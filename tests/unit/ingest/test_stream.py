import gzip
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from livesearch.domain import Reject, Row
from livesearch.errors import SourceError
from livesearch.ingest import open_source, parse_source

ReadRows = Callable[..., list[Row | Reject]]


def documents(rows: Sequence[Row | Reject]) -> list[dict[str, object]]:
    return [dict(row.document) for row in rows if isinstance(row, Row)]


LINES = b"".join(b'{"id": %d, "text": "%s"}\n' % (n, str(n * 7919).encode() * 5) for n in range(20_000))


def test_gzip_of_several_members_is_read(read: ReadRows) -> None:
    content = gzip.compress(b"a\n1\n") + gzip.compress(b"2\n") + b"\0" * 300

    assert documents(read(content, "rows.csv.gz")) == [{"a": "1"}, {"a": "2"}]


def test_gzip_without_its_ending_is_recognised(read: ReadRows) -> None:
    assert documents(read(gzip.compress(b"a\n1\n"), "rows.csv")) == [{"a": "1"}]


def test_name_that_promises_gzip_is_held_to_it(read: ReadRows) -> None:
    with pytest.raises(SourceError, match="does not hold gzip"):
        read(b"a\n1\n", "rows.csv.gz")


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_cut_gzip_gives_its_rows_then_the_fault(share: float, tmp_path: Path) -> None:
    packed = gzip.compress(LINES)
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(packed[: int(len(packed) * share)])
    rows: list[Row | Reject] = []
    with open_source(parse_source(str(path))) as source, pytest.raises(SourceError, match="in the middle") as caught:
        rows.extend(source.rows())  # extend keeps what came before the fault

    assert len(rows) > 20_000 * share * 0.8
    assert all(isinstance(row, Row) for row in rows)
    assert "near byte" in str(caught.value)


def test_damaged_gzip_gives_a_fault(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(LINES))
    packed[len(packed) // 2] ^= 0xFF
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(packed)
    with open_source(parse_source(str(path))) as source, pytest.raises(SourceError, match="damaged"):
        list(source.rows())


def test_gzip_bomb_is_read_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress(b" " * 100_000_000 + b"\n{}"))
    with open_source(parse_source(str(path))) as source:
        rows = list(source.rows())

    assert [row.line for row in rows] == [2]


def test_progress_reaches_the_size_and_never_falls(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress(LINES))
    with open_source(parse_source(str(path))) as source:
        positions = [source.bytes_read for _ in source.rows()]

        assert positions == sorted(positions)
        assert source.bytes_read == source.total_bytes == path.stat().st_size


def test_fingerprint_follows_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a\n1\n")
    with open_source(parse_source(str(path))) as source:
        first = source.fingerprint()
        path.write_text("a\n2\n")

        assert first == hashlib.sha256(b"a\n1\n").hexdigest()
        assert source.fingerprint() != first


@pytest.mark.parametrize(("name", "message"), [("missing.csv", "no file"), (".", "folder")])
def test_file_that_cannot_be_opened_is_named(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=message):
        open_source(parse_source(str(tmp_path / name), format="csv"))

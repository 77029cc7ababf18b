"""Where shared data stands, and how tests write and read sources."""

from collections.abc import Callable
from pathlib import Path

import pytest

from livesearch.domain import Reject, Row
from livesearch.ingest import open_source, parse_source

SHARED = Path(__file__).parents[3].parent / "shared" / "data"

ReadRows = Callable[..., list[Row | Reject]]


@pytest.fixture
def shared() -> Path:
    """The folder of shared data; a test that needs it is skipped without it."""
    if not SHARED.is_dir():
        pytest.skip("the shared data folder is absent")
    return SHARED


@pytest.fixture
def read(tmp_path: Path) -> ReadRows:
    """Write bytes to a file of that name and read all its rows."""

    def read_all(content: bytes | str, name: str = "rows.csv") -> list[Row | Reject]:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        with open_source(parse_source(str(path))) as source:
            return list(source.rows())

    return read_all

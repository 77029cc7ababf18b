"""The first rows of a source, by which its fields are told."""

from collections.abc import Iterator

from livesearch.domain import Reject, Row

# Rows looked at to infer types and roles. A source with no more is imported before a second process has started.
SAMPLE_COUNT = 2000
# Bytes of them, roughly: one row may have megabytes.
SAMPLE_SIZE = 32_000_000
# What a value takes that is no text.
_VALUE_SIZE = 16


def take_sample(rows: Iterator[Row | Reject]) -> tuple[list[Row | Reject], bool]:
    """The next rows of a source, and whether there may be more; blocks while it reads."""
    sample: list[Row | Reject] = []
    size = 0
    for row in rows:
        sample.append(row)
        size += _size(row)
        if len(sample) >= SAMPLE_COUNT or size >= SAMPLE_SIZE:
            return sample, True
    return sample, False


def _size(row: Row | Reject) -> int:
    if isinstance(row, Reject):
        return len(row.raw)
    return sum(
        len(value) if isinstance(value, str) else len(repr(value)) if isinstance(value, list | dict) else _VALUE_SIZE
        for value in row.document.values()
    )

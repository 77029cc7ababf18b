"""Judged queries: what was asked, and how well people found each document to answer it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import orjson

from livesearch.errors import InvalidInputError
from livesearch.search.metrics import Grades

_HEADER = ("query-id", "corpus-id", "score")


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """A query and the grades of the documents that were judged for it.

    Attributes:
        grades: By document key, 0 or more; larger is better.
    """

    id: str
    text: str
    grades: Grades

    @property
    def has_relevant(self) -> bool:
        """Whether some document is worth finding."""
        return any(grade > 0 for grade in self.grades.values())

    @property
    def best(self) -> frozenset[str]:
        """Keys of the documents with the best grade."""
        highest = max(self.grades.values())
        return frozenset(key for key, grade in self.grades.items() if grade == highest)


def read_judged_queries(queries_path: str, judgments_path: str) -> list[JudgedQuery]:
    """Read queries and judgments in BEIR's formats; queries that nobody judged are left out.

    Args:
        queries_path: JSON lines with ``_id`` and ``text``. A line with ``of`` is another wording of the query it names,
            and shares its judgments.
        judgments_path: Query, document key and grade on each line, tabs between them; the header may be missing.

    Raises:
        InvalidInputError: A file cannot be read, a line of it is malformed (the message names it), or no query is
            judged.
    """
    judgments = _read_judgments(judgments_path)
    found = [
        JudgedQuery(query_id, text, judgments[judged_as])
        for query_id, text, judged_as in _read_queries(queries_path)
        if judged_as in judgments
    ]
    if not found:
        raise InvalidInputError(
            f"No query of {queries_path} has a judgment in {judgments_path}. The first column there must be the _id of"
            " a query."
        )
    return found


def _read_queries(path: str) -> Iterator[tuple[str, str, str]]:
    """The id, the text and the id that judgments name, of each."""
    seen: set[str] = set()
    for place, line in _lines(path):
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise InvalidInputError(f"{place} is not JSON: {error}.") from error
        if not isinstance(row, dict) or not isinstance(row.get("text"), str) or not _is_id(row.get("_id")):
            raise InvalidInputError(f'{place} is no query. Each line must be like {{"_id": "1", "text": "red shoes"}}.')
        query_id = str(row["_id"])
        if query_id in seen:
            raise InvalidInputError(f"{place} has the _id “{query_id}” of an earlier line. Each query needs its own.")
        seen.add(query_id)
        yield query_id, row["text"], str(row["of"]) if _is_id(row.get("of")) else query_id


def _is_id(value: object) -> bool:
    return isinstance(value, str) or type(value) is int


def _read_judgments(path: str) -> Mapping[str, Grades]:
    judgments: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for at, (place, line) in enumerate(_lines(path)):
        columns = tuple(column.strip() for column in line.split("\t"))
        if at == 0 and columns == _HEADER:
            continue
        if len(columns) != len(_HEADER) or not columns[0] or not columns[1]:
            raise InvalidInputError(f"{place} is no judgment. Each line must be query-id, corpus-id, score, with tabs.")
        query_id, key, written = columns
        grade = _grade(place, written)
        if judgments[query_id].setdefault(key, grade) != grade:
            raise InvalidInputError(f"{place} judges “{key}” for query “{query_id}” again, and otherwise. Keep one.")
    return judgments


def _grade(place: str, written: str) -> float:
    try:
        grade = float(written)
    except ValueError:
        grade = float("nan")
    if not isfinite(grade):
        raise InvalidInputError(f"{place} has the score “{written}”, which is not a number.")
    return grade


def _lines(path: str) -> Iterator[tuple[str, str]]:
    """The lines that hold something, each with its place in words."""
    try:
        text = Path(path).read_text("utf-8-sig")
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{path} is not UTF-8 text.") from error
    # Not splitlines: it would also split at separators that a query's text may hold.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield f"Line {number} of {path}", line

"""Whatever is written, by whom and in which order: the index is that of the documents. Both stores."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livesearch.domain import Role
from livesearch.errors import DocumentNotFoundError
from livesearch.services import Services
from livesearch.services.imports import ImportOptions
from tests.indexes import checked_documents
from tests.services.foreign_program import ForeignProgram

ROLES = {"title": Role.TITLE, "about": Role.TEXT, "maker": Role.FACET, "year": Role.SORT}
FIRST = [
    {"id": "k0", "title": "Zelda", "about": "a red fox", "maker": "Sega", "year": 1990},
    {"id": "k1", "title": "Mario", "about": "the green fox", "maker": "Atari", "year": 1991},
]

_keys = st.sampled_from([f"k{number}" for number in range(5)])
_texts = st.lists(st.sampled_from(["red", "Reed", "blüe", "F-16", "fox", "1991", "x" * 70]), max_size=4).map(" ".join)
_documents = st.fixed_dictionaries(
    {"title": _texts},
    optional={
        "about": _texts,
        "maker": st.sampled_from(["Sega", "Atari", ["Sega", "Atari"]]),
        "year": st.integers(1980, 1983),
    },
)
_rows = st.lists(st.tuples(_keys, _documents), min_size=1, max_size=4)
_writes = st.one_of(
    st.tuples(st.just("put"), _keys, _documents),
    st.tuples(st.just("put_many"), _rows),
    st.tuples(st.just("delete"), _keys),
    st.tuples(st.just("load"), _rows, st.booleans()),
    st.tuples(st.just("insert"), _keys, _documents),
    st.tuples(st.just("change"), _keys, _documents),
    st.tuples(st.just("remove"), _keys),
    st.tuples(st.just("rename"), _keys, _keys),
    st.tuples(st.just("break_"), _keys),
    st.tuples(st.just("touch"), _keys),
    st.tuples(st.just("look")),
)


@dataclass(slots=True)
class _Writer:
    """Does to the store and to a dictionary the same.

    Attributes:
        documents: What must be there in the end, by key.
        broken: Keys of rows that are put aside.
    """

    services: Services
    program: ForeignProgram
    folder: Path
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)  # Any: JSON
    broken: set[str] = field(default_factory=set)

    async def put(self, key: str, document: dict[str, Any]) -> None:
        await self.services.documents.put("games", key, document)
        self.documents[key] = document

    async def put_many(self, rows: list[tuple[str, dict[str, Any]]]) -> None:
        await self.services.documents.put_many("games", rows)
        self.documents |= dict(rows)

    async def delete(self, key: str) -> None:
        if key in self.documents:
            await self.services.documents.delete("games", key)
            del self.documents[key]
        else:
            with pytest.raises(DocumentNotFoundError):
                await self.services.documents.delete("games", key)

    async def load(self, rows: list[tuple[str, dict[str, Any]]], replace: bool) -> None:
        if replace:  # so that there is a row with each of the fields
            rows = [(str(row["id"]), {name: row[name] for name in ROLES}) for row in FIRST] + rows
        path = self.folder / "rows.jsonl"
        path.write_text("".join(json.dumps({"id": key, **document}) + "\n" for key, document in rows))
        options = ImportOptions(name="games", key="id", roles=ROLES if replace else {}, replace=replace)
        await self.services.imports.run(str(path), options)
        if replace:
            self.documents, self.broken = {}, set()
        self.documents |= dict(rows)

    async def insert(self, key: str, document: dict[str, Any]) -> None:
        await self.program.insert(key, document)
        await self.look()  # or there would be two rows of a key for the writes that follow
        self.documents[key] = document

    async def change(self, key: str, document: dict[str, Any]) -> None:
        await self.program.update(key, document)
        if key in self.documents or key in self.broken:
            self.documents[key] = document
            self.broken.discard(key)

    async def remove(self, key: str) -> None:
        await self.program.delete(key)
        self.documents.pop(key, None)
        self.broken.discard(key)

    async def rename(self, key: str, new_key: str) -> None:
        await self.program.execute("UPDATE documents SET key = $2 WHERE key = $1", key, new_key)
        await self.look()
        if key in self.documents:
            self.documents[new_key] = self.documents.pop(key)
        if key in self.broken:
            self.broken = self.broken - {key} | {new_key}

    async def break_(self, key: str) -> None:
        await self.program.update(key, b"{")
        if key in self.documents:
            del self.documents[key]
            self.broken.add(key)

    async def touch(self, key: str) -> None:
        await self.program.execute("UPDATE documents SET digest = $2 WHERE key = $1", key, b"")

    async def look(self) -> None:
        await self.services.collections.get("games")


@given(st.lists(_writes, max_size=12))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_the_index_is_that_of_the_documents_whatever_is_written(
    services: Services, store_url: str, tmp_path: Path, writes: list[tuple[Any, ...]]
) -> None:
    writer = _Writer(services, ForeignProgram(store_url), tmp_path)
    await writer.load([], replace=True)
    for name, *arguments in writes:
        await getattr(writer, name)(*arguments)
    await writer.look()

    documents = await checked_documents(services.transactions, "games")
    expected = {
        key: {"id": key, **{name: value for name, value in document.items() if value != ""}}
        for key, document in writer.documents.items()
    }
    assert documents == expected
    assert await services.integrity.check() == []

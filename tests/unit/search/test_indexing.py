"""The index of a batch, against the keys of each document."""

import pickle
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from livesearch.domain import CHUNK_BITS, Collection, Document, Field, FieldType, PostingChange, Role
from livesearch.search import keys
from livesearch.search.indexer import Indexer, serve
from livesearch.search.indexing import IndexSchema, PostingsBatch, ValuesBatch, document_keys

COLLECTION = Collection(
    1,
    "games",
    0,
    0,
    (
        Field("id", FieldType.TEXT, Role.KEY),
        Field("name", FieldType.TEXT, Role.TITLE),
        Field("about", FieldType.TEXT, Role.TEXT, is_list=True),
        Field("kind", FieldType.TEXT, Role.FACET, is_list=True),
        Field("year", FieldType.NUMBER, Role.SORT),
        Field("secret", FieldType.TEXT, Role.HIDDEN),
    ),
    "id",
)
SCHEMA = IndexSchema.of(COLLECTION)
EXEMPT_SCHEMA = replace(SCHEMA, exempt_names=("id", "name"))
CHUNK_SIZE = 1 << CHUNK_BITS

# Short words of few letters meet often; the others are what folding and splitting must get right.
_text = st.one_of(
    st.text("ab -'_", max_size=12),
    st.sampled_from(
        ["F-16 Link's", "Pokémon’s Ⅻ", "x" * 130, "é" * 130, "TEL ℡", "ゼルダの伝説", "a\x1eb\x00c", "½ ﬁ"]
    ),
    st.text(max_size=8).filter(lambda text: text.isprintable()),
)
_documents = st.fixed_dictionaries(
    {"id": _text},
    optional={
        "name": _text,
        "about": st.one_of(_text, st.lists(_text, max_size=3)),
        "kind": st.one_of(_text, st.lists(st.sampled_from(["rpg", "Puzzle", "käse", ""]), max_size=3)),
        "year": st.integers(1980, 1999),
        "secret": st.just("hidden"),
    },
)


def numbers_of(lows: bytes, chunk: int) -> BitMap:
    """The documents that a change names by the low 16 bits of their numbers."""
    numbers = np.frombuffer(lows, "<u2").astype(np.int64) + (chunk << CHUNK_BITS >> 16 << 16)
    assert (np.diff(numbers) > 0).all()
    assert set((numbers >> CHUNK_BITS).tolist()) <= {chunk}
    return BitMap(numbers.tolist())


def applied(changes: list[PostingChange], before: dict[str, BitMap] | None = None, chunk: int = 0) -> dict[str, BitMap]:
    """Postings after changes; asserts what every list of changes must hold to."""
    assert [change.key for change in changes] == sorted({change.key for change in changes})
    after = {key: bitmap.copy() for key, bitmap in (before or {}).items()}
    for change in changes:
        added, removed = numbers_of(change.added, chunk), numbers_of(change.removed, chunk)
        assert not added & removed
        after[change.key] = (after.get(change.key, BitMap()) | added) - removed
    return {key: bitmap for key, bitmap in after.items() if bitmap}


def brute_force(documents: dict[int, Document], schema: IndexSchema = SCHEMA) -> dict[str, BitMap]:
    found: defaultdict[str, BitMap] = defaultdict(BitMap)
    for number, document in documents.items():
        for key in document_keys(document, schema):
            found[key].add(number)
    return dict(found)


def test_document_keys_are_words_beginnings_and_facets_of_searched_fields() -> None:
    document = {"id": "z1", "name": "F-16", "kind": ["Sim"], "year": 1989, "secret": "x"}

    assert document_keys(document, SCHEMA) == {
        "*",
        "fkind\x1fSim",
        *("wf", "w16", "wf16", "wz1", "wsim", "w1989"),
        *("tf", "t16", "tf16"),
        *("pf", "pf1", "pf16", "p1", "p16", "pz", "pz1", "ps", "psi", "psim", "p19", "p198", "p1989"),
        *("qf", "qf1", "qf16", "q1", "q16"),
    }


def test_words_of_exempt_fields_alone_have_a_key_of_their_own() -> None:
    document = {"id": "zelda", "name": "Link's red", "about": "red Link"}
    found = document_keys(document, EXEMPT_SCHEMA) - document_keys(document, SCHEMA)

    assert found == {"xzelda", "xlinks", "xs"}
    assert IndexSchema.of(COLLECTION).exempt_names == ()
    fields = (*COLLECTION.fields[:1], replace(COLLECTION.fields[1], is_typo_tolerant=False), *COLLECTION.fields[2:])
    assert IndexSchema.of(replace(COLLECTION, fields=fields)).exempt_names == ("name",)


def test_a_key_that_a_body_leaves_out_is_indexed() -> None:
    indexer = Indexer(SCHEMA)
    indexer.put([(0, "red", None, b"{}"), (1, "blue", b'{"name":"a"}', b'{"name":"b"}')])
    [(_, changes)] = indexer.pages()

    assert {change.key for change in changes if change.key[0] == "w"} == {"wred", "wa", "wb"}


@pytest.mark.parametrize("before", [0, 10])
def test_process_that_computes_an_index_gives_way_but_not_to_the_import_that_waits_for_it(before: int) -> None:
    program = f"import os; os.nice({before}); from livesearch.search.indexer import main; main(); print(os.nice(0))"
    command = (sys.executable, "-c", program)
    ended = subprocess.run(command, input=pickle.dumps(SCHEMA), stdout=subprocess.PIPE, check=True)  # noqa: S603  # our own

    assert int(ended.stdout) == 10


@given(st.lists(_documents, max_size=12), st.sampled_from([0, 7, CHUNK_SIZE, 3 * CHUNK_SIZE + 5]))
def test_new_documents_have_the_postings_of_their_keys(documents: list[Document], first: int) -> None:
    numbered = dict(enumerate(documents, start=first))
    for schema in (SCHEMA, EXEMPT_SCHEMA):
        batch = PostingsBatch(schema, first >> CHUNK_BITS)
        for number, document in numbered.items():
            batch.add(number, document)

        assert applied(list(batch.changes()), chunk=first >> CHUNK_BITS) == brute_force(numbered, schema)


def test_many_documents_of_one_key_are_one_change() -> None:
    first = CHUNK_SIZE + 100
    numbered: dict[int, Document] = {
        first + n: {"id": f"k{n}", "name": "red" if n % 2 else "blue"} for n in range(10_000)
    }
    batch = PostingsBatch(SCHEMA, 1)
    for number, document in numbered.items():
        batch.add(number, document)
    changes = list(batch.changes())

    assert applied(changes, chunk=1) == brute_force(numbered)
    [every] = [change for change in changes if change.key == keys.ALL]
    assert len(every.added) == 20_000


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(0, 5), _documents), max_size=20), st.integers(0, 20))
def test_batches_of_new_and_changed_documents_add_up(puts: list[tuple[int, Document]], cut: int) -> None:
    # Numbers on both sides of a border between chunks.
    numbers = [CHUNK_SIZE - 3 + place for place in range(6)]
    stored: dict[int, bytes] = {}
    postings: dict[str, BitMap] = {}
    for some in (puts[:cut], puts[cut:]):
        indexer = Indexer(SCHEMA)
        for place, document in some:
            body = orjson.dumps(document)
            indexer.put([(numbers[place], "", stored.get(numbers[place]), body)])
            stored[numbers[place]] = body
        for chunk, page in indexer.pages():
            postings = applied(page, postings, chunk)

    assert postings == brute_force({number: orjson.loads(body) for number, body in stored.items()})


def test_removed_documents_leave_nothing() -> None:
    document = {"id": "a", "name": "Zelda", "kind": ["rpg"]}
    batch = PostingsBatch(SCHEMA, 0)
    batch.remove(4, document)

    assert applied(list(batch.changes()), brute_force({4: document})) == {}


def test_pages_are_given_chunk_by_chunk_and_once() -> None:
    indexer = Indexer(SCHEMA)
    indexer.put([(CHUNK_SIZE, "b", None, b"{}"), (CHUNK_SIZE - 1, "a", None, b"{}")])

    assert [chunk for chunk, _ in indexer.pages()] == [0, 1]
    assert list(indexer.pages()) == []


def test_serve_answers_with_the_same_pages() -> None:
    changed = [(number, "", None, orjson.dumps({"id": f"k{number}"})) for number in range(50)]
    requests, replies = BytesIO(b"".join(map(pickle.dumps, (SCHEMA, changed, None)))), BytesIO()
    serve(requests, replies)
    replies.seek(0)
    chunk, *columns = pickle.load(replies)  # noqa: S301  # just written

    indexer = Indexer(SCHEMA)
    indexer.put(changed)
    assert [(chunk, list(map(PostingChange, *columns)))] == list(indexer.pages())
    assert pickle.load(replies) is None  # noqa: S301  # just written


def test_values_are_given_by_field_the_last_of_each_document() -> None:
    values = ValuesBatch()
    values.put(3, {"year": 1989.0, "price": None})
    values.put(5, {"year": 1990.0, "price": 2.5})
    values.put(3, {"year": None, "price": 1.5})
    found: dict[str, dict[int, Any]] = {  # Any: NaN is compared as text
        name: dict(zip(numbers.tolist(), map(str, column.tolist()), strict=True))
        for name, numbers, column in values.changes()
    }

    assert found == {"year": {3: "nan", 5: "1990.0"}, "price": {3: "1.5", 5: "2.5"}}

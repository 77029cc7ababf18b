"""What a collection's index must say, told from its documents one by one."""

from collections import Counter, defaultdict
from collections.abc import Iterable

import numpy as np
from pyroaring import BitMap

from livesearch.domain import NUMERIC_ROLES, Collection, Document, Field
from livesearch.ingest import number_of
from livesearch.search.indexing import IndexSchema, document_keys
from livesearch.services.transactions import Transactions
from livesearch.store.collections import find_collection
from livesearch.store.doc_values import load_values
from livesearch.store.documents import load_numbered
from livesearch.store.postings import chunks_of, load_range
from livesearch.store.vocabulary import load_vocabulary


async def checked_documents(transactions: Transactions, name: str) -> dict[str, Document]:
    """The documents of a collection by key; asserts that counts, postings, vocabulary and values are theirs."""
    async with transactions.read(is_limited=False) as conn:
        collection = await find_collection(conn, name)
        assert collection is not None
        rows = await load_numbered(conn, collection, 0, collection.next_number)
        numbered = {number: document for number, _, document in rows}
        held = await load_range(conn, collection.id, ("", "\U0010ffff"), chunks_of(collection.next_number))
        values = await load_values(conn, collection.id, _numeric(collection), collection.next_number)
        terms = await load_vocabulary(conn, collection.id)
    documents = {key: document for _, key, document in rows}

    assert len(documents) == len(rows) == collection.document_count
    assert held == _postings(numbered, IndexSchema.of(collection))
    assert terms == sorted(_frequencies(documents, collection).items())
    assert collection.token_count == sum(len(_words(document, collection.fields)) for document in documents.values())
    for field in collection.by_role(*NUMERIC_ROLES):
        expected = np.full(collection.next_number, np.nan)
        for number, document in numbered.items():
            value = number_of(document.get(field.name), field.type)
            expected[number] = np.nan if value is None else value
        np.testing.assert_array_equal(values[field.name], expected)
    return documents


def _numeric(collection: Collection) -> list[str]:
    return [field.name for field in collection.by_role(*NUMERIC_ROLES)]


def _postings(numbered: dict[int, Document], schema: IndexSchema) -> dict[str, BitMap]:
    found: defaultdict[str, BitMap] = defaultdict(BitMap)
    for number, document in numbered.items():
        for key in document_keys(document, schema):
            found[key].add(number)
    return dict(found)


def _words(document: Document, fields: Iterable[Field]) -> set[str]:
    schema = IndexSchema.of(Collection(0, "", 0, 0, tuple(fields)))
    return {*schema.title_terms(document), *schema.text_terms(document)}


def _frequencies(documents: dict[str, Document], collection: Collection) -> Counter[str]:
    tolerant = [field for field in collection.fields if field.is_typo_tolerant]
    return Counter(
        term
        for document in documents.values()
        for term in _words(document, tolerant)
        if term.isalpha() and 3 <= len(term) <= 32
    )

"""Postings of one chunk, as arrays."""

import numpy as np
import pytest
from pyroaring import BitMap

from livesearch.domain import CHUNK_BITS, Collection, Document, Field, FieldType, Role
from livesearch.search import keys
from livesearch.services import Services
from livesearch.services.writing import Change, index_changes
from livesearch.store.chunk_postings import load_chunk
from livesearch.store.collections import create_collection

_FIELDS = (Field("maker", FieldType.TEXT, Role.FACET), Field("tags", FieldType.TEXT, Role.FACET, is_list=True))


@pytest.fixture
async def collection(services: Services) -> Collection:
    """Documents in two chunks: rare and frequent values, single places and runs."""
    first = 1 << CHUNK_BITS
    documents: dict[int, Document] = {
        **{number: {"maker": "often", "tags": ["a", "b"]} for number in range(6_000)},
        9_001: {"maker": "once", "tags": []},
        first: {"maker": "once", "tags": ["b"]},
        first + 32_767: {"maker": "often", "tags": ["ü"]},
    }
    async with services.transactions.write() as conn:
        created = await create_collection(
            conn, "rows", fields=_FIELDS, key_field=None, popularity_field=None, source=None
        )
        changes = [Change(number, None, document) for number, document in documents.items()]
        await index_changes(conn, created, changes, next_number=2 * first)
    return created


async def test_chunk_gives_the_places_of_each_key_in_a_row(services: Services, collection: Collection) -> None:
    async with services.transactions.read() as conn:
        makers, tags = await load_chunk(conn, collection.id, 0, [keys.facet_range("maker"), keys.facet_range("tags")])

    assert dict(zip(makers.keys, makers.counts.tolist(), strict=True)) == {
        keys.facet("maker", "often"): 6_000,
        keys.facet("maker", "once"): 1,
    }
    assert BitMap(makers.places.tolist()) == BitMap([*range(6_000), 9_001])
    begin = int(makers.counts[: makers.keys.index(keys.facet("maker", "once"))].sum())
    assert makers.places[begin] == 9_001
    assert np.bincount(tags.counts).nonzero()[0].tolist() == [6_000]


async def test_chunk_gives_places_from_its_own_beginning(services: Services, collection: Collection) -> None:
    async with services.transactions.read() as conn:
        everything, tags = await load_chunk(conn, collection.id, 1, [("*", "+"), keys.facet_range("tags")])

    assert everything.keys == ("*",)
    assert everything.places.tolist() == [0, 32_767]
    assert dict(zip(tags.keys, tags.places.tolist(), strict=True)) == {
        keys.facet("tags", "b"): 0,
        keys.facet("tags", "ü"): 32_767,
    }


async def test_chunk_without_postings_gives_empty_arrays(services: Services, collection: Collection) -> None:
    async with services.transactions.read() as conn:
        (found,) = await load_chunk(conn, collection.id, 7, [keys.facet_range("maker")])
        nothing = await load_chunk(conn, collection.id, 0, [])

    assert (found.keys, len(found.counts), len(found.places)) == ((), 0, 0)
    assert nothing == []

"""Numeric values by document number."""

import numpy as np

from livesearch.models import BLOCK_SIZE
from livesearch.services import Services
from livesearch.store.collections import create_collection
from livesearch.store.doc_values import load_values, put_values


async def test_values_are_set_block_by_block_and_others_stay(services: Services) -> None:
    async with services.transactions.write() as conn:
        collection = await create_collection(conn, "c", fields=(), key_field=None, popularity_field=None, source=None)
        numbers = np.array([0, BLOCK_SIZE, BLOCK_SIZE + 1])
        await put_values(conn, collection.id, "year", numbers, np.array([1.0, 2.0, 3.0]))
        await put_values(conn, collection.id, "year", np.array([BLOCK_SIZE]), np.array([np.nan]))
        await put_values(conn, collection.id, "price", np.array([1]), np.array([9.5]))
    async with services.transactions.read() as conn:
        values = await load_values(conn, collection.id, ["year", "price", "absent"], BLOCK_SIZE + 2)

    assert {name: len(held) for name, held in values.items()} == dict.fromkeys(values, BLOCK_SIZE + 2)
    assert values["year"][0] == 1.0
    assert values["year"][BLOCK_SIZE + 1] == 3.0
    assert np.isnan(values["year"][1:-1]).all()
    assert values["price"][1] == 9.5
    assert np.isnan(values["absent"]).all()

"""Pages and cursors give every document once, in one order, on both stores."""

from collections.abc import AsyncIterator
from dataclasses import replace
from random import Random

import pytest

from livesearch.domain import Hit, SearchQuery
from livesearch.errors import InvalidInputError
from livesearch.services import Services
from tests.reference import ROLES, Row, random_question, random_rows
from tests.services.conftest import LoadRows

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _pages(store: Services, name: str, query: SearchQuery) -> AsyncIterator[tuple[Hit, ...]]:
    """The hits of all pages, by their numbers."""
    while True:
        page = await store.search.search(name, query, with_facets=False)
        yield page.hits
        if query.page >= page.page_count:
            return
        query = replace(query, page=query.page + 1)


async def _by_cursor(store: Services, name: str, query: SearchQuery) -> AsyncIterator[tuple[Hit, ...]]:
    """The hits of all pages, by cursor."""
    for _ in range(1000):
        page = await store.search.search(name, query, with_facets=False)
        yield page.hits
        if page.next_cursor is None:
            return
        query = replace(query, cursor=page.next_cursor)
    pytest.fail(f"there is always a next page: {query}")


async def _both_ways(store: Services, name: str, query: SearchQuery) -> tuple[list[str], list[str]]:
    """The keys of all pages, by number and by cursor."""
    numbered = [hit.key async for hits in _pages(store, name, query) for hit in hits]
    followed = [hit.key async for hits in _by_cursor(store, name, query) for hit in hits]
    return numbered, followed


async def _assert_complete(store: Services, name: str, query: SearchQuery) -> list[str]:
    """All keys in their order; asserts that however one pages gives the same, each document once."""
    whole = await store.search.search(name, replace(query, page_size=100), with_facets=False)
    numbered, followed = await _both_ways(store, name, query)

    assert numbered == followed, query
    assert len(numbered) == len(set(numbered)) == whole.total, query
    assert numbered[:100] == [hit.key for hit in whole.hits], query
    return numbered


@pytest.mark.parametrize("is_verbatim", [True, False])
async def test_pages_of_any_question_are_complete(store: Services, load_rows: LoadRows, is_verbatim: bool) -> None:
    chance = Random(1)  # noqa: S311  # questions, not secrets
    name = await load_rows(store, random_rows(chance, 45), ROLES)

    for _ in range(25):
        query = replace(random_question(chance).query, is_verbatim=is_verbatim, page_size=chance.choice((4, 7, 20)))
        await _assert_complete(store, name, query)


async def test_pages_past_the_scored_documents_are_complete(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, random_rows(Random(2), 1500), ROLES)  # noqa: S311  # rows, not secrets

    for query in (SearchQuery("b"), SearchQuery("b r"), SearchQuery("b ", sort="-year"), SearchQuery()):
        await _assert_complete(store, name, replace(query, page_size=100))


async def test_pages_of_documents_that_hold_the_most_are_complete(store: Services, load_rows: LoadRows) -> None:
    words = ["ocarina", "sorcerer", "castle", "dragon", "island"]
    chance = Random(3)  # noqa: S311  # rows, not secrets
    rows: list[Row] = [
        {"id": f"k{n}", "title": " ".join(chance.sample(words, 2)), "about": chance.choice(words)} for n in range(700)
    ]
    name = await load_rows(store, rows, ROLES)

    # More of them hold the most of it than are scored.
    keys = await _assert_complete(store, name, SearchQuery(" ".join(words), page_size=100))

    assert len(keys) > 300


_PINNED: list[Row] = [{"id": f"k{n}", "title": f"Zelda {n}", "year": n} for n in range(8)]
_PINNED += [{"id": f"p{n}", "title": f"Other {n}", "year": n} for n in range(5)]


async def _pin(store: Services, name: str, places: dict[str, int]) -> None:
    for key, place in places.items():
        await store.curations.pin(name, "zelda", key, position=place)


@pytest.mark.parametrize(
    ("places", "order"),
    [
        ({"p0": 1}, "p0 k0 k1 k2 k3 k4 k5 k6 k7"),
        ({"p0": 2, "p1": 3, "p2": 4}, "k0 p0 p1 p2 k1 k2 k3 k4 k5 k6 k7"),
        ({"p0": 5, "k6": 9}, "k0 k1 k2 k3 p0 k4 k5 k7 k6"),
        # Past the end, all one after the other.
        ({"p0": 12, "p1": 50, "p2": 100}, "k0 k1 k2 k3 k4 k5 k6 k7 p0 p1 p2"),
        ({"p0": 1, "p1": 2, "p2": 3, "p3": 4, "p4": 5}, "p0 p1 p2 p3 p4 k0 k1 k2 k3 k4 k5 k6 k7"),
    ],
)
async def test_pages_with_pinned_documents_are_complete(
    store: Services, load_rows: LoadRows, places: dict[str, int], order: str
) -> None:
    name = await load_rows(store, _PINNED, ROLES)
    await _pin(store, name, places)

    for page_size in (1, 2, 3, 4, 5, 20):
        found = await _assert_complete(store, name, SearchQuery("zelda", page_size=page_size))
        assert found == order.split(), page_size


async def test_a_cursor_of_any_page_goes_on_behind_it(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, _PINNED, ROLES)
    await _pin(store, name, {"p0": 1, "p1": 2, "p2": 4})
    every = [hit.key for hit in (await store.search.search(name, SearchQuery("zelda"))).hits]

    for number in range(1, len(every)):
        query = SearchQuery("zelda", page=number, page_size=1)
        page = await store.search.search(name, query)
        assert page.next_cursor is not None
        rest = await store.search.search(name, SearchQuery("zelda", cursor=page.next_cursor))
        assert [hit.key for hit in rest.hits] == every[number:]


async def test_a_chosen_order_pages_through_pinned_documents_where_they_belong(
    store: Services, load_rows: LoadRows
) -> None:
    name = await load_rows(store, _PINNED, ROLES)
    await _pin(store, name, {"p0": 1, "p1": 2})

    found = await _assert_complete(store, name, SearchQuery("zelda", sort="-year", page_size=3))

    assert found == ["k7", "k6", "k5", "k4", "k3", "k2", "k1", "p1", "k0", "p0"]


async def test_only_pinned_documents_make_pages_too(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, _PINNED, ROLES)
    for place, key in enumerate(("p3", "p1", "p2"), start=3):
        await store.curations.pin(name, "nothing holds this", key, position=place)

    found = await _assert_complete(store, name, SearchQuery("nothing holds this", page_size=2, is_verbatim=True))

    assert found == ["p3", "p1", "p2"]


async def test_a_page_past_the_end_is_empty(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, _PINNED, ROLES)
    await _pin(store, name, {"p0": 90})

    for query in (SearchQuery("zelda"), SearchQuery(), SearchQuery("zelda", sort="year"), SearchQuery("absent")):
        page = await store.search.search(name, replace(query, page=9))
        assert (page.hits, page.next_cursor) == ((), None), query


async def test_a_cursor_of_another_search_is_refused(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, _PINNED, ROLES)
    cursor = (await store.search.search(name, SearchQuery("zelda", page_size=2))).next_cursor

    for query in (SearchQuery("other"), SearchQuery("zelda", sort="year"), SearchQuery("zelda", is_verbatim=True)):
        with pytest.raises(InvalidInputError, match="belongs to another search"):
            await store.search.search(name, replace(query, cursor=cursor))
    with pytest.raises(InvalidInputError, match="is not one that a search has given"):
        await store.search.search(name, SearchQuery("zelda", cursor="no cursor"))


async def test_cursors_pass_nothing_over_when_documents_come_and_go(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, _PINNED, ROLES)
    first = await store.search.search(name, SearchQuery("zelda", page_size=3))
    await store.documents.delete(name, "k1")
    await store.documents.delete(name, "k2")
    await store.documents.put(name, "k99", {"title": "Zelda 99"})

    rest = await store.search.search(name, SearchQuery("zelda", page_size=20, cursor=first.next_cursor))

    assert {hit.key for hit in first.hits} == {"k0", "k1", "k2"}
    assert {"k3", "k4", "k5", "k6", "k7", "k99"} <= {hit.key for hit in rest.hits}

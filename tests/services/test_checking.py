"""How far documents are looked through for phrases, and in which order."""

import pytest
import pytest_asyncio

from livesearch.domain import Role, SearchQuery
from livesearch.services import Services, checking
from tests.services.conftest import LoadRows

pytestmark = pytest.mark.asyncio(loop_scope="session")

_ROLES = {"title": Role.TITLE, "maker": Role.FACET, "year": Role.SORT}
_COUNT = 60


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """A collection of tens is as one of tens of thousands."""
    for name, count in {"_FEWEST": 10, "_MOST": 50, "_TO_SPARE": 5, "_AT_ONCE": 5, "_MOST_SECONDS": 60}.items():
        monkeypatch.setattr(checking, name, count)


@pytest_asyncio.fixture(loop_scope="session")
async def name(store: Services, load_rows: LoadRows) -> str:
    """Games whose titles hold “red” and “car”: “red car” in ten of the last twenty, “car red” in all others."""
    rows = [
        {
            "id": f"r{n:02}",
            "title": "red car" if n >= _COUNT - 20 and n < _COUNT - 10 else "car red",
            "maker": "Sega" if n == _COUNT - 11 else "Nintendo",
            "year": 1900 + n,
        }
        for n in range(_COUNT)
    ]
    return await load_rows(store, rows, _ROLES)


async def test_rare_phrase_is_looked_for_until_there_is_a_page(store: Services, name: str) -> None:
    page = await store.search.search(name, SearchQuery('"red car"'))

    assert sorted(hit.key for hit in page.hits) == [f"r{n}" for n in range(40, 50)]


async def test_what_a_filter_leaves_is_looked_at_first(store: Services, name: str) -> None:
    page = await store.search.search(name, SearchQuery('"red car"', filters={"maker": ("Sega",)}, page_size=1))

    assert ([hit.key for hit in page.hits], page.total) == (["r49"], 1)


@pytest.mark.parametrize(("sort", "expected"), [("-year", ["r49", "r48", "r47"]), ("year", ["r40", "r41", "r42"])])
async def test_sorted_documents_are_looked_at_in_their_order(
    store: Services, name: str, sort: str, expected: list[str]
) -> None:
    page = await store.search.search(name, SearchQuery('"red car"', sort=sort, page_size=3))

    assert [hit.key for hit in page.hits] == expected


async def test_common_phrase_is_counted_from_below_and_every_page_is_there(store: Services, name: str) -> None:
    query = SearchQuery('"car red"', page_size=4)
    first = await store.search.search(name, query)
    found, page = [hit.key for hit in first.hits], first
    while page.next_cursor:
        page = await store.search.search(name, SearchQuery('"car red"', page_size=4, cursor=page.next_cursor))
        found += [hit.key for hit in page.hits]
    tenth = await store.search.search(name, SearchQuery('"car red"', page_size=4, page=10))

    # 9 wanted for the first page, so the first ten were enough; 50 are looked at in the end, of which 40 hold it.
    assert (first.total, first.total_is_exact, first.notices) == (10, False, ())
    assert found == [f"r{n:02}" for n in range(40)]
    assert [hit.key for hit in tenth.hits] == ["r36", "r37", "r38", "r39"]


async def test_end_of_what_is_looked_at_is_said(store: Services, name: str) -> None:
    page = await store.search.search(name, SearchQuery('"car red"', page_size=4, page=12))

    assert (page.total, page.total_is_exact) == (40, False)
    assert len(page.notices) == 1
    assert "were looked through" in page.notices[0]


async def test_document_that_was_not_reached_is_explained(store: Services, name: str) -> None:
    explanation = await store.search.explain(name, SearchQuery('"car red"', page_size=4), "r59")

    assert explanation.reasons == ("It comes after the documents that were looked through.",)


async def test_no_document_is_lost_between_pages_of_a_search_that_excludes_a_phrase(
    store: Services, load_rows: LoadRows
) -> None:
    rows = [{"id": f"r{n:02}", "title": "red blue" if n % 2 else "red", "year": n} for n in range(60)]
    name = await load_rows(store, rows, _ROLES)

    found = []
    for page in range(1, 13):
        query = SearchQuery('red -"blue red"', sort="year", page_size=5, page=page)
        found += [hit.key for hit in (await store.search.search(name, query)).hits]

    assert found == [f"r{n:02}" for n in range(60)]


async def test_long_documents_are_looked_through_for_so_long(
    store: Services, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "_MOST_SECONDS", 0)

    page = await store.search.search(name, SearchQuery('"red car"'))

    assert (page.total, page.total_is_exact) == (0, False)
    assert page.notices[0].startswith("Only 10 of the documents")

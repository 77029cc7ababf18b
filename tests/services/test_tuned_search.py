"""Other forms of words, synonyms, pinned and hidden documents, on both stores."""

from collections.abc import Iterable

import pytest
import pytest_asyncio

from livesearch.domain import Range, ResultPage, Role, SearchQuery
from livesearch.services import Services
from tests.services.conftest import LoadRows

pytestmark = pytest.mark.asyncio(loop_scope="session")


def _keys(page: ResultPage) -> set[str]:
    return {hit.key for hit in page.hits}


def _order(page: ResultPage) -> list[str]:
    return [hit.key for hit in page.hits]


def _titled(titles: Iterable[str]) -> list[dict[str, object]]:
    return [{"id": f"k{number}", "title": title} for number, title in enumerate(titles)]


_TITLES = {"title": Role.TITLE, "about": Role.TEXT, "maker": Role.FACET, "year": Role.SORT}


async def test_other_forms_of_a_word_are_found_behind_it(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, _titled(["Speaker", "Speakers", "Speakeasy"]), _TITLES)

    one = await store.search.search(name, SearchQuery("speakers "))
    other = await store.search.search(name, SearchQuery("speaker "))
    verbatim = await store.search.search(name, SearchQuery("speakers ", is_verbatim=True))

    assert (_order(one), _order(other)) == (["k1", "k0"], ["k0", "k1"])
    assert one.hits[0].score > one.hits[1].score
    assert one.corrected_query is None
    assert _order(verbatim) == ["k1"]


async def test_rows_that_hold_a_word_as_typed_or_in_the_title_stand_before_other_forms_in_texts(
    store: Services, load_rows: LoadRows
) -> None:
    rows: list[dict[str, object]] = [
        {"id": "other", "title": "Box", "about": "speakers speakers speakers"},
        {"id": "typed", "title": "Box", "about": "a loud speaker " + "and so on " * 50},
        {"id": "title", "title": "Speakers", "about": "loud"},
    ]
    name = await load_rows(store, rows, _TITLES)

    few = await store.search.search(name, SearchQuery("speaker "))

    assert _order(few) == ["title", "typed", "other"]
    assert few.hits[2].score > few.hits[1].score


async def test_synonyms_are_found_in_their_directions(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, _titled(["tv stand", "television stand", "telly stand"]), _TITLES)
    await store.synonyms.add(name, "tv", ["television"])
    await store.synonyms.add(name, "telly", ["television"], is_two_way=False)

    found = {
        text: _order(await store.search.search(name, SearchQuery(text))) for text in ("tv ", "television ", "telly ")
    }

    assert found == {"tv ": ["k0", "k1"], "television ": ["k1", "k0"], "telly ": ["k2", "k1"]}
    assert _order(await store.search.search(name, SearchQuery("tv ", is_verbatim=True))) == ["k0"]


async def test_synonyms_may_have_several_words(store: Services, load_rows: LoadRows) -> None:
    titles = ["PS5 pad", "Playstation 5 pad", "Playstation 4 pad", "5 pads"]
    name = await load_rows(store, _titled(titles), _TITLES)
    await store.synonyms.add(name, "ps5", ["playstation 5"])

    short = await store.search.search(name, SearchQuery("ps5 pad "))
    long = await store.search.search(name, SearchQuery("playstation 5 pad "))

    assert _keys(short) == {"k0", "k1"}
    assert {"k0", "k1"} <= _keys(long)
    assert _order(long)[:2] == ["k1", "k0"]


async def test_synonyms_do_not_stand_for_excluded_quoted_or_field_words(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, _titled(["tv stand", "television stand"]), _TITLES)
    await store.synonyms.add(name, "tv", ["television"])

    for text, expected in (("stand -tv", ["k1"]), ('"tv"', ["k0"]), ('"tv stand"', ["k0"]), ("title:tv", ["k0"])):
        assert _order(await store.search.search(name, SearchQuery(text))) == expected, text


_CURATED = [
    {"id": f"k{n}", "title": f"Zelda {n}" if n < 8 else f"Other {n}", "maker": "Sega" if n % 2 else "Atari", "year": n}
    for n in range(10)
]


@pytest_asyncio.fixture(loop_scope="session")
async def curated(store: Services, load_rows: LoadRows) -> str:
    """A collection with a document pinned that fits, one that does not, and one that is hidden."""
    name = await load_rows(store, _CURATED, _TITLES)
    await store.curations.pin(name, "zelda", "k5", position=2)
    await store.curations.pin(name, "zelda", "k9", position=1)
    await store.curations.hide(name, "zelda", "k0")
    return name


async def test_pinned_documents_stand_in_their_places_and_hidden_ones_nowhere(store: Services, curated: str) -> None:
    page = await store.search.search(curated, SearchQuery("Zelda!"))

    assert _order(page) == ["k9", "k5", "k1", "k2", "k3", "k4", "k6", "k7"]
    assert page.total == 8
    assert [hit.key for hit in page.hits if hit.is_pinned] == ["k9", "k5"]
    assert sum(value.count for value in page.facets[0].values) == 8


async def test_curations_are_for_the_whole_query_only(store: Services, curated: str) -> None:
    page = await store.search.search(curated, SearchQuery("zeld"))

    assert _order(page) == [f"k{n}" for n in range(8)]
    assert not any(hit.is_pinned for hit in page.hits)


async def test_filters_and_ranges_apply_to_pinned_documents(store: Services, curated: str) -> None:
    atari = await store.search.search(curated, SearchQuery("zelda", filters={"maker": ("Atari",)}))
    early = await store.search.search(curated, SearchQuery("zelda", ranges={"year": Range("0", "5")}))

    assert (_order(atari), atari.total) == (["k2", "k4", "k6"], 3)
    assert (_order(early), early.total) == (["k1", "k5", "k2", "k3", "k4"], 5)


async def test_an_order_that_was_chosen_moves_pinned_documents(store: Services, curated: str) -> None:
    page = await store.search.search(curated, SearchQuery("zelda", sort="-year"))

    assert _order(page) == ["k9", "k7", "k6", "k5", "k4", "k3", "k2", "k1"]


async def test_a_pinned_document_that_was_deleted_leaves_its_place(store: Services, curated: str) -> None:
    await store.documents.delete(curated, "k9")

    page = await store.search.search(curated, SearchQuery("zelda"))

    assert _order(page) == ["k1", "k5", "k2", "k3", "k4", "k6", "k7"]


async def test_curations_are_not_for_queries_that_exclude_their_words(store: Services, curated: str) -> None:
    page = await store.search.search(curated, SearchQuery("-zelda"))

    assert _order(page) == ["k8", "k9"]

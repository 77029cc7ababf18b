"""Why documents stand where they do, and why others do not, on both stores."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from livesearch.domain import Range, SearchQuery
from livesearch.errors import CollectionNotFoundError, DocumentNotFoundError, InvalidInputError
from livesearch.services import Services
from livesearch.services.ranking import RankingChange
from tests.reference import ROLES, Row, random_question, random_rows
from tests.services.conftest import LoadRows

pytestmark = pytest.mark.asyncio(loop_scope="session")


def _queries(seed: int, count: int) -> tuple[list[Row], Iterator[SearchQuery]]:
    """Rows, and queries of all kinds."""
    chance = Random(seed)  # noqa: S311  # rows, not secrets
    rows = random_rows(chance, 40)
    return rows, (
        replace(random_question(chance).query, page_size=100, is_verbatim=chance.random() < 0.3) for _ in range(count)
    )


async def test_the_parts_of_every_hit_sum_to_its_score(store: Services, load_rows: LoadRows) -> None:
    rows, queries = _queries(1, 50)
    name = await load_rows(store, rows, ROLES)
    await store.ranking.change(name, RankingChange(recency_field="released", recency_weight=3))

    for query in queries:
        page = await store.search.search(name, replace(query, is_explained=True))
        for hit in page.hits:
            assert sum(part.value for part in hit.parts) == pytest.approx(hit.score, abs=1e-9), query
            assert all(part.label and part.value for part in hit.parts)


async def test_hits_are_not_explained_unasked(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, [{"id": "k", "title": "Zelda"}], ROLES)

    page = await store.search.search(name, SearchQuery("zelda"))

    assert page.hits[0].parts == ()


async def test_documents_that_are_found_have_their_place_and_score(store: Services, load_rows: LoadRows) -> None:
    rows, queries = _queries(2, 12)
    name = await load_rows(store, rows, ROLES)

    for query in queries:
        page = await store.search.search(name, query)
        for place, hit in enumerate(page.hits[:8], start=1):
            explanation = await store.search.explain(name, query, hit.key)

            assert (explanation.rank, explanation.reasons) == (place, ()), query
            assert explanation.score == pytest.approx(hit.score, abs=1e-9), query


async def test_documents_that_are_not_found_have_reasons_and_no_place(store: Services, load_rows: LoadRows) -> None:
    rows, queries = _queries(3, 25)
    name = await load_rows(store, rows, ROLES)

    for query in queries:
        found = {hit.key for hit in (await store.search.search(name, query)).hits}
        for key in [str(row["id"]) for row in rows if row["id"] not in found][:8]:
            explanation = await store.search.explain(name, query, key)

            assert explanation.reasons, (query, key)
            assert (explanation.rank, explanation.parts) == (None, ())


_GAMES: list[Row] = [
    {
        "id": "zelda",
        "title": "The Legend of Zelda",
        "about": "F-16 in no way",
        "maker": "Nintendo",
        "tags": ["old", "rare"],
        "year": 1986,
        "released": "1986-02-21",
    },
    {"id": "sonic", "title": "Sonic", "about": "A hedgehog", "maker": "Sega", "year": 1991, "released": "1991-06-23"},
    {"id": "bare", "title": "Nothing else", "about": "A hedgehog of Zelda"},
]


@pytest.mark.parametrize(
    ("query", "key", "reasons"),
    [
        (SearchQuery("legend sonic"), "zelda", ["It holds no word that matches: “sonic”."]),
        (
            SearchQuery("mario link"),
            "zelda",
            ["It holds no word that matches: “mario”.", "It holds no word that matches: “link”."],
        ),
        (SearchQuery("zel legend"), "zelda", ["It holds no word that matches: “zel”."]),
        (SearchQuery("f16"), "zelda", ["It holds no word that matches: “f16”."]),
        (SearchQuery('"zelda legend"'), "zelda", ["It does not hold the words side by side: “zelda legend”."]),
        (SearchQuery("title:hedgehog"), "sonic", ["It holds no word that matches: “hedgehog” in “title”."]),
        (SearchQuery("-hedgehog"), "sonic", ["It holds “hedgehog”, which the search leaves out."]),
        (SearchQuery('-"legend of zelda"'), "zelda", ["It holds “legend of zelda”, which the search leaves out."]),
        (SearchQuery("maker:sega"), "zelda", ["It does not fulfil maker:sega."]),
        (SearchQuery("year:>1990"), "zelda", ["It does not fulfil year:>1990."]),
        (SearchQuery("-year:1991"), "sonic", ["It does not fulfil -year:1991."]),
        (
            SearchQuery(filters={"maker": ("Sega", "Atari")}),
            "zelda",
            ["It is filtered out by maker = Sega or Atari: its value is “Nintendo”."],
        ),
        (
            SearchQuery(filters={"tags": ("new",)}),
            "zelda",
            ["It is filtered out by tags = new: its value is “old, rare”."],
        ),
        (
            SearchQuery(filters={"maker": ("Sega",)}),
            "bare",
            ["It is filtered out by maker = Sega: its value is missing."],
        ),
        (
            SearchQuery(ranges={"year": Range("1990", None)}),
            "zelda",
            ["It is filtered out by year from 1990 to any: its value is “1986”."],
        ),
        (
            SearchQuery("sonic", filters={"maker": ("Sega",)}),
            "zelda",
            [
                "It holds no word that matches: “sonic”.",
                "It is filtered out by maker = Sega: its value is “Nintendo”.",
            ],
        ),
    ],
)
async def test_a_document_that_is_not_found_has_reasons(
    store: Services, load_rows: LoadRows, query: SearchQuery, key: str, reasons: list[str]
) -> None:
    name = await load_rows(store, _GAMES, ROLES)

    explanation = await store.search.explain(name, replace(query, is_verbatim=True), key)

    assert list(explanation.reasons) == reasons


async def test_what_few_documents_hold_is_explained_by_what_was_searched_instead(
    store: Services, load_rows: LoadRows
) -> None:
    name = await load_rows(store, _GAMES, ROLES)

    found = await store.search.explain(name, SearchQuery("zeldaa legends"), "zelda")
    missed = await store.search.explain(name, SearchQuery("zeldaa "), "sonic")

    assert found.rank == 1
    assert missed.reasons == ("It holds no word that matches: “zeldaa”.",)


async def test_hidden_documents_say_so(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, _GAMES, ROLES)
    await store.curations.hide(name, "zelda", "zelda")

    hidden = await store.search.explain(name, SearchQuery("zelda"), "zelda")
    elsewhere = await store.search.explain(name, SearchQuery("zelda legend"), "zelda")

    assert (hidden.reasons, hidden.rank) == (("It is hidden for this search.",), None)
    assert (elsewhere.reasons, elsewhere.rank) == ((), 1)


async def test_pinned_documents_have_the_place_they_are_shown_at(store: Services, load_rows: LoadRows) -> None:
    rows: list[Row] = [{"id": f"k{n}", "title": f"Zelda {n}", "year": n} for n in range(6)] + [
        {"id": "p", "title": "Q"}
    ]
    name = await load_rows(store, rows, ROLES)
    await store.curations.pin(name, "zelda", "p", position=3)
    await store.curations.pin(name, "zelda", "k0", position=90)
    page = await store.search.search(name, SearchQuery("zelda"))

    explained = [await store.search.explain(name, SearchQuery("zelda"), hit.key) for hit in page.hits]
    by_year = await store.search.explain(name, SearchQuery("zelda", sort="-year"), "p")

    assert [found.rank for found in explained] == [1, 2, 3, 4, 5, 6, 7]
    assert [hit.key for hit, found in zip(page.hits, explained, strict=True) if found.is_pinned] == ["p", "k0"]
    assert (by_year.rank, by_year.is_pinned, by_year.parts) == (7, False, ())


async def test_a_document_that_was_not_scored_has_its_place(store: Services, load_rows: LoadRows) -> None:
    rows: list[Row] = [{"id": f"k{n}", "title": f"Zelda {n}", "popularity": 2000 - n} for n in range(1200)]
    name = await load_rows(store, rows, ROLES)

    explanation = await store.search.explain(name, SearchQuery("zelda "), "k1150")
    page = await store.search.search(name, SearchQuery("zelda ", page=12, page_size=100))

    assert explanation.rank is not None
    assert page.hits[explanation.rank - 1101].key == "k1150"


async def test_what_is_not_there_cannot_be_explained(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, _GAMES, ROLES)
    await store.documents.delete(name, "bare")

    for key in ("absent", "bare", "", "\x00", "zelda\x1f"):
        with pytest.raises(DocumentNotFoundError):
            await store.search.explain(name, SearchQuery("zelda"), key)
    with pytest.raises(CollectionNotFoundError):
        await store.search.explain("absent", SearchQuery("zelda"), "zelda")
    with pytest.raises(InvalidInputError, match="“title” is not a facet"):
        await store.search.explain(name, SearchQuery(filters={"title": ("x",)}), "zelda")

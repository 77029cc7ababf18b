"""What is found where little holds what was typed: what was meant, and what holds the most; on both stores."""

from collections.abc import Iterable

import pytest

from livesearch.domain import ResultPage, Role, SearchQuery
from livesearch.services import Services
from livesearch.services.ranking import RankingChange
from tests.services.conftest import LoadRows

pytestmark = pytest.mark.asyncio(loop_scope="session")


def _keys(page: ResultPage) -> set[str]:
    return {hit.key for hit in page.hits}


def _order(page: ResultPage) -> list[str]:
    return [hit.key for hit in page.hits]


def _titled(titles: Iterable[str]) -> list[dict[str, object]]:
    return [{"id": f"k{number}", "title": title} for number, title in enumerate(titles)]


_TITLES = {"title": Role.TITLE, "about": Role.TEXT, "maker": Role.FACET, "year": Role.SORT}
_MISTYPED = [
    *(f"Zelda quest {number}" for number in range(8)),
    *(f"Mario racing {number}" for number in range(8)),
    "Playstation console",
    "Playstation pad",
    "Super Nintendo pad",
    "Super Nintendo console",
    "R906 mark",
]


@pytest.mark.parametrize(
    ("text", "corrected_query", "count"),
    [
        ("zelad ", "zelda", 8),
        ("zelad quest", "zelda quest", 8),
        ("zeldda qeust ", "zelda quest", 8),
        ("Zelad  -mario ", "zelda  -mario", 8),
        ("zelad -title:mario", "zelda -title:mario", 8),
        ("mraio OR zelad", None, 0),
        ("xelda quest ", "zelda quest", 8),
        # Unfinished words are beginnings, and so is what they may have been meant to be.
        ("quest zlda", "quest zelda", 8),
        ("raicn", "racin", 8),
        # Three letters are too few, digits are never others, and what is near nothing stays as it is.
        ("r960", None, 0),
        ("zld ", None, 0),
        ("abracadabra ", None, 0),
        # What would find nothing more is not said to have been searched.
        ("zelad -quest ", None, 0),
        # In one field, too.
        ("title:zelad", "title:zelda", 8),
        # Quoted and excluded words are meant as they stand.
        ('"zelad"', None, 0),
        ("-zelad", None, 21),
    ],
)
async def test_a_misspelled_word_finds_what_was_meant(
    store: Services, load_rows: LoadRows, text: str, corrected_query: str | None, count: int
) -> None:
    name = await load_rows(store, _titled(_MISTYPED), _TITLES)

    page = await store.search.search(name, SearchQuery(text))

    assert (page.corrected_query, page.total) == (corrected_query, count)
    assert (await store.search.search(name, SearchQuery(text, is_verbatim=True))).corrected_query is None


async def test_a_word_that_begins_alike_was_meant_rather_than_one_that_does_not(
    store: Services, load_rows: LoadRows
) -> None:
    name = await load_rows(store, _titled(["Bedlam", "Zelda's Adventure"]), {"title": Role.TITLE})

    page = await store.search.search(name, SearchQuery("zedla"))

    assert _order(page) == ["k1", "k0"]


async def test_the_corrected_query_finds_the_same(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, _titled(_MISTYPED), _TITLES)

    for text in ("zelad ", "qeust zlda", "raicn", "mraio rcaing 3"):
        page = await store.search.search(name, SearchQuery(text))
        again = await store.search.search(name, SearchQuery(page.corrected_query or ""))
        verbatim = await store.search.search(name, SearchQuery(text, is_verbatim=True))

        assert page.total > 0, text
        assert _order(again) == _order(page), text
        assert again.corrected_query is None, text
        assert verbatim.total == 0, text


@pytest.mark.parametrize(
    ("text", "best"),
    [
        ("play station", {"k16", "k17"}),
        ("play station pad", {"k17"}),
        ("supernintendo ", {"k18", "k19"}),
        ("supernintendo pad", {"k18"}),
    ],
)
async def test_words_are_joined_and_split(store: Services, load_rows: LoadRows, text: str, best: set[str]) -> None:
    name = await load_rows(store, _titled(_MISTYPED), _TITLES)

    page = await store.search.search(name, SearchQuery(text))
    verbatim = await store.search.search(name, SearchQuery(text, is_verbatim=True))

    assert set(_order(page)[: len(best)]) == best
    assert verbatim.total == 0


async def test_words_that_enough_documents_hold_are_not_corrected(store: Services, load_rows: LoadRows) -> None:
    titles = [*["hello there"] * 5, *["hallo there"] * 400]
    name = await load_rows(store, _titled(titles), _TITLES)

    page = await store.search.search(name, SearchQuery("hello "))

    assert (page.total, page.corrected_query) == (5, None)


async def test_what_few_documents_hold_as_typed_stands_before_what_was_probably_meant(
    store: Services, load_rows: LoadRows
) -> None:
    titles = [*["hallo there"] * 300, *["hello there"] * 4, *["hallo there"] * 100]
    name = await load_rows(store, _titled(titles), _TITLES)

    page = await store.search.search(name, SearchQuery("hello "))

    assert _order(page)[:4] == ["k300", "k301", "k302", "k303"]
    assert (page.total, page.corrected_query) == (404, "hallo")


async def test_what_is_held_as_typed_stands_first_however_well_others_fit(store: Services, load_rows: LoadRows) -> None:
    rows = [{"id": "typed", "title": "Other", "about": "a zeldo somewhere", "year": 1}]
    rows += [{"id": f"k{n}", "title": "Zelda", "about": "zelda", "year": n} for n in range(300)]
    name = await load_rows(store, rows, _TITLES)

    page = await store.search.search(name, SearchQuery("zeldo "))

    assert (page.hits[0].key, page.total, page.corrected_query) == ("typed", 301, "zelda")


async def test_a_rare_word_is_not_taken_for_one_that_is_hardly_more_frequent(
    store: Services, load_rows: LoadRows
) -> None:
    name = await load_rows(store, _titled(["hello there", *["hallo there"] * 20]), _TITLES)

    page = await store.search.search(name, SearchQuery("hello "))

    assert (page.total, page.corrected_query) == (1, None)


async def test_of_words_that_may_be_meant_those_count_that_go_with_the_others(
    store: Services, load_rows: LoadRows
) -> None:
    titles = [*["green house"] * 9, *["greek salad"] * 3, *["salad bowl"] * 3]
    name = await load_rows(store, _titled(titles), _TITLES)

    page = await store.search.search(name, SearchQuery("greej salad"))

    assert page.corrected_query == "greek salad"
    assert _order(page)[:3] == ["k9", "k10", "k11"]


async def test_words_of_fields_without_typo_tolerance_are_no_corrections(store: Services, load_rows: LoadRows) -> None:
    rows = [{"id": f"k{n}", "title": f"t{n}", "maker": "Nintendo"} for n in range(9)]
    name = await load_rows(store, rows, _TITLES)
    before = await store.search.search(name, SearchQuery("nintedno "))
    await store.ranking.change(name, RankingChange(typos={"maker": False}))
    after = await store.search.search(name, SearchQuery("nintedno "))

    assert (before.total, before.corrected_query) == (9, "nintendo")
    assert (after.total, after.corrected_query) == (0, None)


async def test_documents_that_hold_the_most_follow_where_none_holds_all(store: Services, load_rows: LoadRows) -> None:
    rows = [
        {"id": "two", "title": "ocarina of time", "maker": "Sega"},
        {"id": "one", "title": "ocarina", "maker": "Atari"},
        {"id": "none", "title": "something else", "maker": "Atari"},
        *({"id": f"k{n}", "title": f"time of {n}", "maker": "Atari"} for n in range(9)),
        *({"id": f"j{n}", "title": f"sorcerer {n}", "maker": "Atari"} for n in range(9)),
    ]
    name = await load_rows(store, rows, _TITLES)

    page = await store.search.search(name, SearchQuery("ocarina time sorcerer"))
    filtered = await store.search.search(name, SearchQuery("ocarina time sorcerer", filters={"maker": ("Atari",)}))
    verbatim = await store.search.search(name, SearchQuery("ocarina time sorcerer", is_verbatim=True))

    assert _order(page)[0] == "two"
    assert "none" not in _keys(page)
    assert page.notices == ("No row holds all the words. These hold the most of them.",)
    assert page.total == len(page.hits) == len(_keys(page))
    assert [hit.score for hit in page.hits] == sorted((hit.score for hit in page.hits), reverse=True)
    assert _keys(filtered) == _keys(page) - {"two"}
    assert {value.value: value.count for value in page.facets[0].values} == {"Atari": page.total - 1, "Sega": 1}
    assert (verbatim.total, verbatim.notices) == (0, ())


async def test_documents_that_hold_all_words_stand_before_those_that_hold_the_most(
    store: Services, load_rows: LoadRows
) -> None:
    rows = [
        *({"id": f"k{n}", "title": f"ocarina sorcerer {n}", "about": "long ago"} for n in range(400)),
        *(
            {"id": f"all{n}", "title": "else", "about": f"time, an ocarina, {'and so on ' * 60}, a sorcerer {n}"}
            for n in range(3)
        ),
        *({"id": f"j{n}", "title": f"time {n}", "about": "long ago"} for n in range(9)),
    ]
    name = await load_rows(store, rows, _TITLES)

    page = await store.search.search(name, SearchQuery("ocarina sorcerer time "))

    assert set(_order(page)[:3]) == {"all0", "all1", "all2"}
    assert page.total == 12
    assert page.hits[0].score < page.hits[3].score
    assert page.notices == ("Few rows hold all the words. Those that hold the most of them follow.",)


async def test_with_enough_documents_that_hold_all_words_no_others_are_found(
    store: Services, load_rows: LoadRows
) -> None:
    titles = [*["ocarina of time"] * 5, *["ocarina"] * 5, *["time"] * 5]
    name = await load_rows(store, _titled(titles), _TITLES)

    page = await store.search.search(name, SearchQuery("ocarina time"))

    assert (page.total, page.notices) == (5, ())


async def test_what_is_excluded_or_asked_for_by_a_field_also_holds_for_those_with_most_words(
    store: Services, load_rows: LoadRows
) -> None:
    rows = [
        {"id": f"k{n}", "title": f"{title} {n}", "maker": maker}
        for n, (title, maker) in enumerate(
            [
                ("ocarina time", "Sega"),
                ("ocarina time", "Atari"),
                ("ocarina bad", "Sega"),
                ("sorcerer", "Sega"),
                *[("something else", "Sega")] * 9,
            ]
        )
    ]
    name = await load_rows(store, rows, _TITLES)

    page = await store.search.search(name, SearchQuery("ocarina sorcerer maker:sega -bad"))

    assert _keys(page) == {"k0", "k3"}

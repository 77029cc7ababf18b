"""What a text finds, on both stores."""

from collections.abc import Mapping
from random import Random

import pytest

from livesearch.domain import Range, ResultPage, Role, SearchQuery
from livesearch.services import Services
from tests.naughty import naughty_strings
from tests.services.conftest import LoadRows

pytestmark = pytest.mark.asyncio(loop_scope="session")

_ROLES = {
    "title": Role.TITLE,
    "about": Role.TEXT,
    "maker": Role.FACET,
    "tags": Role.FACET,
    "year": Role.SORT,
    "released": Role.DATE,
}
_GAMES: list[dict[str, object]] = [
    {
        "id": "a1",
        "title": "The Legend of Zelda",
        "about": "An adventure in a green land",
        "maker": "Nintendo",
        "tags": ["action", "rpg"],
        "year": 1986,
        "released": "1986-02-21",
    },
    {
        "id": "a2",
        "title": "Zelda II: The Adventure of Link",
        "about": "The second legend",
        "maker": "Nintendo",
        "tags": ["rpg"],
        "year": 1987,
        "released": "1987-01-14",
    },
    {
        "id": "a3",
        "title": "Sonic the Hedgehog",
        "about": "A blue one",
        "maker": "Sega",
        "year": 1991,
        "released": "1991",
    },
    {"id": "a4", "title": "Sonic Adventure", "about": "blue again", "maker": "Sega Europe", "released": "1998-12-23"},
    {"id": "a5", "title": "ゼルダ の伝説", "about": "The legend of Zelda", "maker": "任天堂", "year": 1986},
    {"id": "a6", "title": "Pac-Man", "about": "see https://example.org/pac?x=1", "maker": "Namco", "year": 1980},
    {"id": "a7", "title": "Untitled"},
]
_EVERY = {str(row["id"]) for row in _GAMES}


def _keys(page: ResultPage) -> set[str]:
    return {hit.key for hit in page.hits}


def _order(page: ResultPage) -> list[str]:
    return [hit.key for hit in page.hits]


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(
            {
                "": _EVERY,
                "zel": {"a1", "a2", "a5"},
                "ZÉLDA  legend": {"a1", "a2", "a5"},
                "legend zel": {"a1", "a2", "a5"},
                "zel legend": set(),
                "zel ": set(),
                "zelda\u3000": {"a1", "a2", "a5"},
                "adv link": set(),
                "link adv": {"a2"},
                "pacman": {"a6"},
                "1986": {"a1", "a5"},
            },
            id="words",
        ),
        pytest.param(
            {
                '"legend of zelda"': {"a1", "a5"},
                '"legend of zel': {"a1", "a5"},
                '"legend of zel ': set(),
                '"legend of zel"': set(),
                "“Legend of Zelda”": {"a1", "a5"},
                '"zelda legend"': set(),
                '"the adventure" link': {"a2"},
                '"zelda" "second legend"': {"a2"},
                '""': _EVERY,
                '"': _EVERY,
            },
            id="phrases",
        ),
        pytest.param(
            {
                "zelda -link": {"a1", "a5"},
                "-zelda": {"a3", "a4", "a6", "a7"},
                "-zeld": _EVERY,
                'zelda -"legend of zelda"': {"a2"},
                '-"legend of zelda"': _EVERY - {"a1", "a5"},
                '-"legend zelda"': _EVERY,
                "-title:zelda": _EVERY - {"a1", "a2"},
                "zelda -title:zelda": {"a5"},
                "pac-man": {"a6"},
                "zelda - link": {"a2"},
                "-": _EVERY,
                "-maker:nintendo": _EVERY - {"a1", "a2"},
                "-maker:nin": _EVERY,
                "-year:1986": _EVERY - {"a1", "a5"},
                "-zelda -sonic": {"a6", "a7"},
            },
            id="exclusions",
        ),
        pytest.param(
            {
                "sonic OR link": {"a2", "a3", "a4"},
                "sonic | lin": {"a2", "a3", "a4"},
                "sonic OR link OR pac": {"a2", "a3", "a4", "a6"},
                "sonic OR OR link": {"a2", "a3", "a4"},
                'pac OR "adventure of link"': {"a2", "a6"},
                '"second legend" OR "green land"': {"a1", "a2"},
                "adventure sonic OR link": {"a2", "a4"},
                "sonic OR link adventure": {"a2", "a4"},
                "sonic OR": {"a3", "a4"},
                "sonic OR ": {"a3", "a4"},
                "sonic or link": set(),
                "title:adventure OR": {"a2", "a4"},
                "maker:sega OR ": {"a3"},
            },
            id="choices",
        ),
        pytest.param(
            {
                "maker:sega": {"a3"},
                "MAKER:SEGA": {"a3"},
                'maker:"sega europe"': {"a4"},
                "maker:europe": {"a4"},
                "maker:eur": {"a4"},
                "maker:eur ": set(),
                'maker:"sega eur': {"a4"},
                'maker:"sega eur"': set(),
                "maker:absent": set(),
                "maker:": _EVERY,
                'maker:"': _EVERY,
                "maker:nintendo tags:action": {"a1"},
                "zelda maker:nintendo": {"a1", "a2"},
                "maker:任天堂": {"a5"},
                "title:adventure": {"a2", "a4"},
                "title:adv": {"a2", "a4"},
                "about:adventure": {"a1"},
                'title:"adventure of"': {"a2"},
                "title:zelda about:legend": {"a2"},
                "id:a3": {"a3"},
                "title:": _EVERY,
            },
            id="fields",
        ),
        pytest.param(
            {
                "year:1986": {"a1", "a5"},
                "year:1986..1990": {"a1", "a2", "a5"},
                "year:1987..": {"a2", "a3"},
                "year:..1986": {"a1", "a5", "a6"},
                "year:>1986": {"a2", "a3"},
                "year:>=1987": {"a2", "a3"},
                "year:<1986": {"a6"},
                "year:<=1980": {"a6"},
                "year:1990..1980": set(),
                "year:1987...1991": {"a2", "a3"},
                "year:１９８６": {"a1", "a5"},
                "zelda year:>1986": {"a2"},
                "released:1986": {"a1"},
                "released:1986-02": {"a1"},
                "released:1986-02-21": {"a1"},
                "released:1986-02..1987-01": {"a1", "a2"},
                "released:>1986-02-21": {"a2", "a3", "a4"},
                "released:>1986": {"a2", "a3", "a4"},
                "released:>=1987-01-14": {"a2", "a3", "a4"},
                "released:<1987": {"a1"},
                "released:<1986-02-21": set(),
                "released:<=1986-02-21": {"a1"},
            },
            id="ranges",
        ),
        pytest.param(
            {
                "https://example.org/pac": {"a6"},
                "see:https": {"a6"},
                "absent:pac": set(),
                "zelda:": {"a1", "a2", "a5"},
                ":zelda": {"a1", "a2", "a5"},
                "zelda:legend": {"a1", "a2", "a5"},
                "(zelda)": {"a1", "a2", "a5"},
                "zelda*": {"a1", "a2", "a5"},
                "zelda & !link": {"a2"},
            },
            id="texts that look like more",
        ),
        pytest.param(
            {
                "ゼ": {"a5"},
                "ル": {"a5"},
                "説": {"a5"},
                "ルダ": {"a5"},
                "ゼルダ 伝説": {"a5"},
                "の zelda": {"a5"},
                "ゼダ": set(),
                '"ゼルダ の伝説"': {"a5"},
                '"ゼルダ の': {"a5"},
                '"ル"': {"a5"},
                "title:ル": {"a5"},
                "about:ル": set(),
                "-ル": _EVERY - {"a5"},
                "-ゼルダ": _EVERY - {"a5"},
                "任": {"a5"},
            },
            id="scripts without spaces",
        ),
    ],
)
async def test_a_text_finds(store: Services, load_rows: LoadRows, table: Mapping[str, set[str]]) -> None:
    name = await load_rows(store, _GAMES, _ROLES)

    found = {text: _keys(await store.search.search(name, SearchQuery(text, is_verbatim=True))) for text in table}

    assert found == table


@pytest.mark.parametrize(
    ("text", "notice"),
    [
        ("year:19x", "“year:19x” was left out. “19x” is not a number, which the range of “year” needs."),
        ("zelda -year:19..x", "“-year:19..x” was left out. “x” is not a number"),
        ("released:1986-0", "“released:1986-0” was left out. “1986-0” is not a date like 2009-12-31"),
        ("year:>soon", "“year:>soon” was left out. “soon” is not a number"),
        ("zelda year:nan", "“year:nan” was left out"),
    ],
)
async def test_half_a_number_is_left_out_with_a_notice(
    store: Services, load_rows: LoadRows, text: str, notice: str
) -> None:
    name = await load_rows(store, _GAMES, _ROLES)

    page = await store.search.search(name, SearchQuery(text))

    assert _keys(page) == ({"a1", "a2", "a5"} if "zelda" in text else _EVERY)
    assert len(page.notices) == 1
    assert page.notices[0].startswith(notice)


async def test_a_long_text_is_cut_and_a_notice_says_so(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, _GAMES, _ROLES)

    words = await store.search.search(name, SearchQuery("zelda " + " ".join(f"w{n}" for n in range(40))))
    letters = await store.search.search(name, SearchQuery("zelda " + "-" * 1000))

    assert "Only the first 32 words of the search were used." in words.notices
    assert letters.notices == ("Only the first 512 characters of the search were used.",)
    assert _keys(letters) == {"a1", "a2", "a5"}


_OPERATORS = (
    "AND",
    "zelda AND legend",
    "OR",
    "NOT zelda",
    "zelda NEAR link",
    "NEAR(zelda link, 5)",
    "zelda*",
    "^zelda",
    "{title about}: zelda",
    "title : zelda",
    "-{title}:zelda",
    "zelda & legend | !link",
    "zelda <-> legend",
    "zelda <2> legend",
    "zel:*",
    "'zelda' & ''",
    "zelda'; DROP TABLE documents; --",
    'zelda" OR ""="',
    "%zel_da%",
    "\\",
    '\\"',
    "\x00zelda",
    "zelda\udcff",
    "\ud800 maker:\ud800",
    "maker:\x00",
    'title:"',
    "year:..",
    "year:>",
    "-year:",
    "year:1e999..-1e999",
    "year:" + "9" * 400,
    "released:0000..99999",
    "released:9999-99-99",
    "OR OR OR",
    "| || |",
    "-OR",
    '"OR"',
    "- - -",
    "--zelda",
    '-"',
    '""""""',
    "::::",
    ":" * 600,
    '"' * 600,
    "-a " * 300,
    "a:b:c:d",
    "title:about:zelda",
    "maker:maker:sega",
)


async def test_operators_of_other_engines_and_odd_signs_are_no_errors(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, _GAMES, _ROLES)

    for text in _OPERATORS:
        for is_verbatim in (False, True):
            page = await store.search.search(name, SearchQuery(text, page_size=2, is_verbatim=is_verbatim))
            assert _keys(page) <= _EVERY, text

    assert await store.integrity.check() == []


async def test_naughty_strings_are_no_errors(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, _GAMES, _ROLES)

    for text in naughty_strings():
        page = await store.search.search(name, SearchQuery(text, page_size=2), with_facets=False)
        assert _keys(page) <= _EVERY, text


async def test_texts_made_by_chance_are_no_errors(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, _GAMES, _ROLES)
    chance = Random(1)  # noqa: S311  # texts, not secrets
    signs = [*'aZ9ゼル説ß\u0301\u3000\x1f ""“”:-|.<>=*()\'', "zelda", "maker:", "year:", "title:", " OR ", "1986", ".."]

    for _ in range(400):
        text = "".join(chance.choices(signs, k=chance.randint(1, 12)))
        page = await store.search.search(name, SearchQuery(text, page_size=2), with_facets=False)
        assert _keys(page) <= _EVERY, text


async def test_runs_of_scripts_without_spaces_are_found_by_their_pairs(store: Services, load_rows: LoadRows) -> None:
    chance = Random(2)  # noqa: S311  # texts, not secrets
    letters = "ゼルダの伝説東京"
    texts = [
        " ".join("".join(chance.choices(letters, k=chance.randint(1, 5))) for _ in range(chance.randint(1, 3)))
        for _ in range(60)
    ]
    rows = [{"id": f"k{n}", "about": text} for n, text in enumerate(texts)]
    name = await load_rows(store, rows, {"about": Role.TEXT})

    for _ in range(40):
        asked = "".join(chance.choices(letters, k=chance.randint(1, 4)))
        pairs = [asked[at : at + 2] for at in range(len(asked) - 1)] or [asked]
        for text, expected in (
            (asked, {f"k{n}" for n, held in enumerate(texts) if all(pair in held for pair in pairs)}),
            (f'"{asked}"', {f"k{n}" for n, held in enumerate(texts) if asked in held}),
            (f"-{asked} ", {f"k{n}" for n, held in enumerate(texts) if not all(pair in held for pair in pairs)}),
        ):
            page = await store.search.search(name, SearchQuery(text, page_size=100, is_verbatim=True))
            assert _keys(page) == expected, text


async def test_a_part_of_a_facets_value_means_all_values_that_have_it(store: Services, load_rows: LoadRows) -> None:
    rows = [{"id": f"k{n}", "title": f"t{n}", "maker": f"Maker Number{n}"} for n in range(250)]
    name = await load_rows(store, rows, {"title": Role.TITLE, "maker": Role.FACET})

    page = await store.search.search(name, SearchQuery("maker:numb"))

    assert page.total == 250


@pytest.mark.parametrize(
    ("text", "notice"),
    [
        ("zelda OR maker:sega", "OR was left out beside a field"),
        ("maker:sega OR zelda", "OR was left out beside a field"),
        ("zelda OR title:zelda", "OR was left out beside a field"),
        ("year:1990..1980", "Nothing lies in “year:1990..1980”"),
    ],
)
async def test_what_means_nothing_is_said(store: Services, load_rows: LoadRows, text: str, notice: str) -> None:
    name = await load_rows(store, _GAMES, _ROLES)

    page = await store.search.search(name, SearchQuery(text, is_verbatim=True))

    assert len(page.notices) == 1
    assert page.notices[0].startswith(notice)


async def test_range_that_ends_before_it_begins_is_said(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, _GAMES, _ROLES)

    page = await store.search.search(name, SearchQuery(ranges={"year": Range("1990", "1980")}))

    assert (page.total, page.notices) == (0, ("Nothing lies in “year from 1990 to 1980”: it begins after its end.",))


async def test_words_joined_by_or_have_their_forms(store: Services, load_rows: LoadRows) -> None:
    rows = [{"id": "s", "title": "Running Shoes"}, {"id": "h", "title": "Red Hats"}]
    name = await load_rows(store, rows, {"title": Role.TITLE})

    found = {text: _keys(await store.search.search(name, SearchQuery(text))) for text in ("shoe OR zz ", "title:hat ")}

    assert found == {"shoe OR zz ": {"s"}, "title:hat ": {"h"}}


async def test_phrases_are_looked_for_in_a_thousand_documents_and_the_total_says_so(
    store: Services, load_rows: LoadRows
) -> None:
    rows = [{"id": f"k{n}", "title": "red blue" if n % 2 else "blue red"} for n in range(1100)]
    name = await load_rows(store, rows, {"title": Role.TITLE})

    held = await store.search.search(name, SearchQuery('"red blue"'))
    excluded = await store.search.search(name, SearchQuery('-"green blue"'))

    assert (held.total, held.total_is_exact) == (500, False)
    assert (excluded.total, excluded.total_is_exact) == (1100, True)

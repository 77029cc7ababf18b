from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livesearch.domain import (
    Collection,
    Explanation,
    Facet,
    FacetValue,
    Field,
    FieldType,
    Hit,
    Range,
    RangeFacet,
    ResultPage,
    Role,
    ScorePart,
    SearchQuery,
    Segment,
)
from livesearch.web.presenters.corrections import present_correction
from livesearch.web.presenters.documents import present_document
from livesearch.web.presenters.explanations import present_explanation
from livesearch.web.presenters.facets import present_chips, present_facet, present_ranges
from livesearch.web.presenters.formats import (
    format_duration,
    format_highlight,
    format_results,
    format_summands,
    format_values,
    is_web_address,
    shorten,
)
from livesearch.web.presenters.results import describe_status, present_fragment, present_rows
from livesearch.web.presenters.tips import present_tips

PLATFORM = Field("platform", FieldType.TEXT, Role.FACET)
DECADE = Field("decade", FieldType.TEXT, Role.FACET)
IS_NEW = Field("is_new", FieldType.BOOLEAN, Role.FACET)
YEAR = Field("year", FieldType.NUMBER, Role.SORT)
SIZE = Field("size", FieldType.NUMBER, Role.SORT)
NOTES = Field("notes", FieldType.TEXT, Role.TEXT)
GAMES = Collection(1, "games", 1, 9, (PLATFORM, YEAR, DECADE, IS_NEW, SIZE, NOTES))
YEARS = RangeFacet(YEAR, "1977", "2022", Range())
SIZES = RangeFacet(SIZE, "1", "900", Range())
COLLAPSED: dict[str, str] = {}

pytestmark = pytest.mark.usefixtures("request_context")


def _page(query: SearchQuery | None = None, *hits: Hit, total: int = 0, **given: object) -> ResultPage:
    return ResultPage(query or SearchQuery(), GAMES, hits, total, **given)  # type: ignore[arg-type]


def _hit(document: dict[str, object], **snippets: tuple[Segment, ...]) -> Hit:
    return Hit("k", document, (Segment("Title"),), snippets)


@pytest.mark.parametrize(
    ("total", "is_exact", "text"),
    [
        (0, True, "No results"),
        (1, True, "1 result"),
        (1_652_345, True, "1,652,345 results"),
        (1200, False, "≥\u00a01,200 results"),
    ],
)
def test_format_results(total: int, is_exact: bool, text: str) -> None:
    assert format_results(total, is_exact=is_exact) == text


@pytest.mark.parametrize(("milliseconds", "text"), [(0.2, "under 1 ms"), (1.4, "1 ms"), (12.6, "13 ms")])
def test_format_duration(milliseconds: float, text: str) -> None:
    assert format_duration(milliseconds) == text


def test_format_highlight_escapes_first_and_marks_then() -> None:
    highlight = (Segment("a <b> "), Segment("<mark>", is_match=True), Segment(" & c"))

    assert format_highlight(highlight) == "a &lt;b&gt; <mark>&lt;mark&gt;</mark> &amp; c"


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        (None, ()),
        ("", ()),
        ("a", ("a",)),
        (True, ("Yes",)),
        (0, ("0",)),
        (1.5, ("1.5",)),
        (["a", None, "b"], ("a", "b")),
        ({"é": [1]}, ('{"é": [1]}',)),
    ],
)
def test_format_values(value: object, texts: tuple[str, ...]) -> None:
    assert format_values(value) == texts


@pytest.mark.parametrize(
    ("text", "is_linked"),
    [
        ("https://example.com/a?b=c#d", True),
        ("http://example.com", True),
        ("javascript:alert(1)", False),
        ("JAVASCRIPT:alert(1)", False),
        (" https://example.com", False),
        ("https://", False),
        ("https://[", False),
        ("https://exa mple.com", False),
        ("//example.com", False),
        ("data:text/html,x", False),
        ("example.com", False),
    ],
)
def test_is_web_address(text: str, is_linked: bool) -> None:
    assert is_web_address(text) is is_linked


def test_shorten_marks_the_cut() -> None:
    assert shorten("a" * 61) == "a" * 59 + "…"


@pytest.mark.parametrize(
    ("query", "total", "text"),
    [
        (SearchQuery(), 17022, "17,022 documents"),
        (SearchQuery(text=" zelda "), 137, "137 results for “zelda”"),
        (SearchQuery(filters={"platform": ("NES",)}), 1, "1 result"),
        (SearchQuery(text="a", page=2), 41, "41 results for “a”, page 2 of 3"),
        (SearchQuery(text="a", page=4), 41, "41 results for “a”"),
        (SearchQuery(text="a", page=2), 0, "No results for “a”"),
    ],
)
def test_describe_status(query: SearchQuery, total: int, text: str) -> None:
    assert describe_status(_page(query, total=total)) == text


def test_row_says_nothing_twice() -> None:
    hit = _hit({"platform": "NES", "year": 1987, "decade": "1980s", "size": 5})

    row = present_rows(_page(None, hit, ranges=(YEARS, SIZES)))[0]

    assert row.meta == ("NES", "1987")


def test_row_names_the_number_it_is_sorted_by() -> None:
    hit = _hit({"platform": "NES", "size": 5})

    row = present_rows(_page(SearchQuery(sort="-size"), hit, ranges=(YEARS, SIZES)))[0]

    assert row.meta == ("NES", "Size 5")


def test_row_marks_a_match_in_its_meta_line() -> None:
    hit = _hit({"platform": "NES"}, platform=(Segment("N", is_match=True), Segment("ES")))

    assert present_rows(_page(None, hit))[0].meta == ("<mark>N</mark>ES",)


def test_row_shows_only_telling_snippets() -> None:
    telling, short = _hit({}, notes=(Segment("a"), Segment("b", is_match=True))), _hit({}, notes=(Segment("(Europe)"),))

    assert [snippet.text for snippet in present_rows(_page(None, telling))[0].snippets] == ["a<mark>b</mark>"]
    assert present_rows(_page(None, short))[0].snippets == ()


def test_document_without_title_and_key_is_headed_by_its_values() -> None:
    document = present_document(GAMES, "k", {"notes": "a walk", "platform": "NES"}, SearchQuery())

    assert document.title == "a walk · NES"


def test_row_cuts_a_long_title_and_keeps_its_matches() -> None:
    title = (Segment("a" * 150), Segment("b" * 20, is_match=True), Segment("c" * 9000), Segment("d", is_match=True))

    row = present_rows(_page(None, Hit("k", {}, title, {})))[0]

    assert row.title == "a" * 150 + "<mark>" + "b" * 20 + "</mark>" + "c" * 29 + "…"


@pytest.mark.parametrize(("total", "heading"), [(3, "There is only 1 page"), (21, "There are only 2 pages")])
def test_page_past_the_end_counts_in_words(total: int, heading: str) -> None:
    page = _page(SearchQuery(text="a", page=total // 20 + 2), total=total)

    empty = present_fragment(page, COLLAPSED).empty

    assert empty is not None
    assert empty.heading == heading


def test_facet_offers_the_rest() -> None:
    facet = Facet(PLATFORM, (FacetValue("NES", 1200),), value_count=36)

    group = present_facet(facet, SearchQuery(text="a", page=3), GAMES, COLLAPSED, is_open=False)

    assert group.more_label == "Show all 36"
    assert group.more_url.startswith("/c/games?q=a&facet=platform#facet-")
    assert group.note == ""
    assert group.fragment_url == "/htmx/c/games/facet/platform?q=a"
    assert group.options[0].count == "1,200"


def test_facet_with_a_choice_stands_open() -> None:
    facet = Facet(PLATFORM, (FacetValue("NES", 0, is_selected=True),), value_count=0)

    group = present_facet(facet, SearchQuery(), GAMES, COLLAPSED, is_open=False)

    assert (group.is_open, group.selected_count, group.options[0].is_empty) == (True, 1, True)


def test_facet_writes_its_name_into_links() -> None:
    odd = Facet(Field("a/b & c+d=1#2%3F", FieldType.TEXT, Role.FACET), (FacetValue("x", 1),), 9)

    group = present_facet(odd, SearchQuery(), GAMES, COLLAPSED, is_open=True)

    assert group.more_url.startswith("/c/games?facet=a%2Fb+%26+c%2Bd%3D1%232%253F#facet-")


def test_facet_ids_are_safe_and_stable() -> None:
    odd = Facet(Field('a b"<', FieldType.TEXT, Role.FACET), (FacetValue("x y", 1),), 1)

    groups = [present_facet(odd, SearchQuery(), GAMES, COLLAPSED, is_open=True) for _ in range(2)]

    assert groups[0] == groups[1]
    assert groups[0].id.replace("-", "").isalnum()


def test_facet_writes_booleans_for_people() -> None:
    group = present_facet(Facet(IS_NEW, (FacetValue("true", 1),), 1), SearchQuery(), GAMES, COLLAPSED, is_open=True)

    assert (group.options[0].label, group.options[0].value) == ("Yes", "true")


@pytest.mark.parametrize(("minimum", "kind"), [("2009-12-31", "date"), ("2009", "text"), ("", "date")])
def test_range_of_dates_uses_a_picker_for_whole_days(minimum: str, kind: str) -> None:
    field = Field("date", FieldType.DATE, Role.DATE)

    groups = present_ranges(_page(ranges=(RangeFacet(field, minimum, "", Range()),)))

    assert groups[0].input_type == kind


@pytest.mark.parametrize(
    ("chosen", "text"),
    [(Range("1", "2"), "1 to 2"), (Range("1", None), "from 1"), (Range(None, "2"), "up to 2")],
)
def test_chip_describes_a_range(chosen: Range, text: str) -> None:
    chips = present_chips(SearchQuery(text="a", ranges={"year": chosen}), GAMES)

    assert [(chip.label, chip.value, chip.remove_url) for chip in chips] == [("Year", text, "/c/games?q=a")]


def test_chip_cuts_a_long_value() -> None:
    chips = present_chips(SearchQuery(filters={"platform": ("x" * 5000,)}), GAMES)

    assert chips[0].value == "x" * 59 + "…"


def test_chip_removes_only_its_own_value() -> None:
    chips = present_chips(SearchQuery(filters={"platform": ("NES", "SNES")}, page=4), GAMES)

    assert [chip.remove_url for chip in chips] == ["/c/games?f.platform=SNES", "/c/games?f.platform=NES"]


def test_correction_emphasises_what_it_changed() -> None:
    page = _page(SearchQuery(text=" <i>table tabel ", page=3), total=1, corrected_query="<i>table table")

    correction = present_correction(page)

    assert correction is not None
    assert correction.shown == "&lt;i&gt;table <em>table</em>"
    assert correction.typed == "<i>table tabel"
    assert correction.other_url == "/c/games?q=%3Ci%3Etable+tabel&exact=1"


def test_correction_of_a_pasted_text_is_cut() -> None:
    typed = "tabel " * 80

    correction = present_correction(_page(SearchQuery(text=typed), total=1, corrected_query="table " * 80))

    assert correction is not None
    assert len(correction.shown.striptags()) <= 120
    assert len(correction.typed) <= 60


@pytest.mark.parametrize(
    ("values", "texts", "total"),
    [
        ([], (), "0.00"),
        ([1.0], ("1.00",), "1.00"),
        ([1 / 3, 1 / 3, 1 / 3], ("0.34", "0.33", "0.33"), "1.00"),
        ([0.125, 0.125], ("0.13", "0.12"), "0.25"),
        ([2.25, -1.0], ("2.25", "-1.00"), "1.25"),
    ],
)
def test_format_summands(values: list[float], texts: tuple[str, ...], total: str) -> None:
    assert format_summands(values) == (texts, total)


@given(st.lists(st.floats(0, 1000), max_size=30))
def test_format_summands_sums_to_what_it_shows(values: list[float]) -> None:
    texts, total = format_summands(values)

    assert sum(map(Decimal, texts)) == Decimal(total)
    assert all(abs(float(text) - value) < 0.01 + 1e-9 for text, value in zip(texts, values, strict=True))


def test_explanation_shows_most_first_and_leaves_out_nothing_much() -> None:
    parts = (ScorePart("“a” in the title", 1.0), ScorePart("words side by side", 0.001), ScorePart("the rest", 4.0))

    box = present_explanation(GAMES, Explanation(parts=parts, rank=1), SearchQuery(text="a"))

    assert [(line.label, line.value, line.share) for line in box.lines] == [
        ("The rest", "4.00", 100),
        ("“a” in the title", "1.00", 25),
    ]
    assert box.score == "5.00"


@pytest.mark.parametrize(
    ("rank", "page", "place", "url"),
    [
        (1, 1, "Place 1", ""),
        (20, 3, "Place 20", "/c/games?q=a"),
        (1021, 1, "Place 1,021, on page 52", "/c/games?q=a&page=52"),
        (None, 1, "Too far down for its place to be counted", ""),
    ],
)
def test_explanation_names_the_place(rank: int | None, page: int, place: str, url: str) -> None:
    box = present_explanation(GAMES, Explanation(rank=rank), SearchQuery(text="a", page=page))

    assert (box.place, box.place_url) == (place, url)


def test_tips_use_the_fields_and_values_there_are() -> None:
    facets = (Facet(PLATFORM, (FacetValue('a "b', 5), FacetValue("Game Boy", 4), FacetValue("NES", 3)), 3),)

    tips = present_tips(_page(facets=facets, ranges=(YEARS,)))

    examples = [tip.example for tip in tips.tips]
    assert examples[-3:] == ["platform:NES", "year:1988..1999", "year:>=1988"]
    assert tips.fields == ("platform", "year", "decade", "is_new", "size", "notes")


def test_tips_quote_values_of_several_words() -> None:
    facets = (Facet(PLATFORM, (FacetValue("Game Boy", 4),), 3),)

    assert present_tips(_page(facets=facets)).tips[-1].example == 'platform:"Game Boy"'


def test_tips_name_no_field_that_cannot_be_typed() -> None:
    odd = Field("a b", FieldType.TEXT, Role.FACET)
    collection = Collection(1, "odd", 1, 9, (odd, Field("secret", FieldType.TEXT, Role.HIDDEN)))
    page = ResultPage(SearchQuery(), collection, (), 0, facets=(Facet(odd, (FacetValue("x", 1),), 1),))

    tips = present_tips(page)

    assert tips.fields == ()
    assert not any(":" in tip.example for tip in tips.tips)


def test_pagination_shows_ends_and_neighbours() -> None:
    page = _page(SearchQuery(page=50), total=2000)

    pagination = present_fragment(page, COLLAPSED).pagination

    assert pagination is not None
    assert [link.label for link in pagination.pages] == ["1", "…", "48", "49", "50", "51", "52", "…", "100"]
    assert (pagination.previous_url, pagination.next_url) == ("/c/games?page=49", "/c/games?page=51")

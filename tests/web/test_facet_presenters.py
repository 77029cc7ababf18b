"""Lower bounds and histograms, as pages show them."""

import re

import httpx
import pytest

from livesearch.domain import (
    Bin,
    Collection,
    Facet,
    FacetValue,
    Field,
    FieldType,
    Range,
    RangeFacet,
    ResultPage,
    Role,
    SearchQuery,
)
from livesearch.web.presenters.facets import present_facet, present_ranges
from livesearch.web.presenters.histograms import present_histogram
from livesearch.web.presenters.results import describe_status, present_fragment
from tests.web.conftest import HTMX

PLATFORM = Field("platform", FieldType.TEXT, Role.FACET)
YEAR = Field("year", FieldType.NUMBER, Role.SORT)
RELEASED = Field("released", FieldType.DATE, Role.DATE)
GAMES = Collection(1, "games", 1, 9, (PLATFORM, YEAR, RELEASED))
YEARS = RangeFacet(YEAR, "1990", "1993", Range(), tuple(Bin(str(y), str(y + 1), y - 1990) for y in range(1990, 1994)))

pytestmark = pytest.mark.usefixtures("request_context")


def test_status_and_button_mark_a_lower_bound() -> None:
    page = ResultPage(SearchQuery(text="a"), GAMES, (), 1234, total_is_exact=False)

    fragment = present_fragment(page, {})

    assert fragment.status == "≥\u00a01,234 results for “a”"
    assert fragment.show_label == "Show ≥\u00a01,234 results"


def test_status_marks_that_there_may_be_more_pages() -> None:
    page = ResultPage(SearchQuery(text="a", page=2), GAMES, (), 41, total_is_exact=False)

    assert describe_status(page) == "≥\u00a041 results for “a”, page 2 of ≥\u00a03"


def test_facet_marks_counts_that_are_lower_bounds() -> None:
    values = (FacetValue("Wii", 0, is_selected=True), FacetValue("NES", 1200))
    facet = Facet(PLATFORM, values, value_count=1300, is_exact=False, counts_are_exact=False)

    group = present_facet(facet, SearchQuery(), GAMES, {}, is_open=True)

    assert [option.count for option in group.options] == ["≥\u00a00", "≥\u00a01,200"]
    assert not any(option.is_empty for option in group.options)
    assert group.more_label == "Show all 1,300+"


def test_facet_marks_only_the_number_of_its_values_where_their_counts_are_exact() -> None:
    facet = Facet(PLATFORM, (FacetValue("NES", 1200),), value_count=1, is_exact=False)

    group = present_facet(facet, SearchQuery(), GAMES, {}, is_open=True)

    assert group.options[0].count == "1,200"
    # More values are never silently left out.
    assert group.more_label == "Show all 1+"


def test_expanded_facet_says_of_how_many_values_it_shows_the_first() -> None:
    values = tuple(FacetValue(str(at), 1) for at in range(100))
    facet = Facet(PLATFORM, values, value_count=1300, is_exact=False)

    group = present_facet(facet, SearchQuery(), GAMES, {"platform": ""}, is_open=True)

    assert group.note == "The 100 most frequent of 1,300+ — type to find others"


def test_histogram_draws_a_bar_for_each_bin_with_documents() -> None:
    histogram = present_histogram(YEARS, SearchQuery(), GAMES)

    assert histogram is not None
    assert (histogram.width, histogram.height, histogram.chosen_bars) == (38, 40, "")
    assert histogram.bars == "M10 40v-13h8v13zM20 40v-27h8v27zM30 40v-40h8v40z"


def test_histogram_shows_the_fewest_documents_too() -> None:
    bins = (Bin("1990", "1991", 1), Bin("1991", "1992", 10_000))

    histogram = present_histogram(RangeFacet(YEAR, "1990", "1991", Range(), bins), SearchQuery(), GAMES)

    assert histogram is not None
    assert histogram.bars == "M0 40v-2h8v2zM10 40v-40h8v40z"


@pytest.mark.parametrize(
    ("chosen", "first_bars"),
    [
        (Range("1992", None), [20, 30]),
        (Range(None, "1991"), [10]),
        (Range("1991", "1992"), [10, 20]),
        (Range("1991.5", "1991.7"), [10]),
        (Range("1999", None), []),
    ],
)
def test_histogram_tells_the_chosen_part(chosen: Range, first_bars: list[int]) -> None:
    histogram = present_histogram(YEARS, SearchQuery(ranges={"year": chosen}), GAMES)

    assert histogram is not None
    assert [int(x) for x in re.findall(r"M(\d+) ", histogram.chosen_bars)] == first_bars


def test_histogram_of_dates_tells_the_chosen_part() -> None:
    bins = tuple(Bin(f"199{at}-01-01", f"199{at + 1}-01-01", 5) for at in range(4))
    facet = RangeFacet(RELEASED, "1990-01-01", "1993-10-01", Range(), bins)

    histogram = present_histogram(facet, SearchQuery(ranges={"released": Range("1991", "1992")}), GAMES)

    assert histogram is not None
    assert histogram.chosen_bars == "M10 40v-40h8v40zM20 40v-40h8v40z"


@pytest.mark.parametrize("bins", [(), (Bin("1", "2", 3),)])
def test_range_with_nothing_to_compare_has_no_histogram(bins: tuple[Bin, ...]) -> None:
    page = ResultPage(SearchQuery(), GAMES, (), 1, ranges=(RangeFacet(YEAR, "1", "2", Range(), bins),))

    assert present_ranges(page)[0].histogram is None


def test_histogram_without_documents_keeps_its_place() -> None:
    empty = tuple(Bin(bin_.minimum, bin_.maximum, 0) for bin_ in YEARS.histogram)

    histogram = present_histogram(RangeFacet(YEAR, "1990", "1993", Range(), empty), SearchQuery(), GAMES)

    assert histogram is not None
    assert (histogram.bars, histogram.chosen_bars) == ("", "")


@pytest.mark.parametrize("headers", [{}, HTMX])
async def test_page_draws_histograms_without_styles(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    html = (await client.get("/c/games?q=racing&min.year=1985", headers=headers)).text
    drawing = re.search(r'<svg class="histogram".*?</svg>', html, re.DOTALL)

    assert drawing is not None
    assert 'aria-hidden="true"' in drawing[0]
    assert "style" not in drawing[0]
    assert re.search(r'class="is-chosen" d="M\d+ 40v-', drawing[0])

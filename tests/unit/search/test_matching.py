"""Which documents a query finds."""

import numpy as np
from pyroaring import BitMap

from livesearch.search import keys
from livesearch.search.matching import Postings, filter_documents, in_range, match, needs
from livesearch.search.query import parse_query

# 0 “zelda” in title; 1 “zeldas” in title; 2 “zelda” in text; 3 “zeldas” in text; 4 nothing of it
_POSTINGS = Postings(
    {
        keys.ALL: BitMap([0, 1, 2, 3, 4]),
        keys.word("zelda", in_title=True): BitMap([0]),
        keys.word("zelda", in_title=False): BitMap([0, 2]),
        keys.prefix("zeld", in_title=True): BitMap([0, 1]),
        keys.prefix("zeld", in_title=False): BitMap([0, 1, 2, 3]),
        keys.facet("platform", "NES"): BitMap([0, 3]),
        keys.facet("platform", "SNES"): BitMap([1]),
    },
    {
        keys.word_range("zelda", in_title=True): BitMap([0, 1]),
        keys.word_range("zelda", in_title=False): BitMap([0, 1, 2, 3]),
    },
)


def test_match_sorts_documents_into_tiers() -> None:
    found = match(parse_query("zelda"), _POSTINGS)

    assert found.all == BitMap([0, 1, 2, 3])
    assert found.tiers == (BitMap([0]), BitMap([1]), BitMap([2]), BitMap([3]))


def test_match_takes_short_beginnings_from_their_own_postings() -> None:
    assert match(parse_query("zeld"), _POSTINGS).all == BitMap([0, 1, 2, 3])


def test_match_requires_every_word() -> None:
    assert match(parse_query("absent zeld"), _POSTINGS).all == BitMap()


def test_match_of_no_word_is_everything() -> None:
    found = match(parse_query(""), _POSTINGS)

    assert found.all == BitMap([0, 1, 2, 3, 4])
    assert found.within(BitMap([4, 9])).tiers == (BitMap([4]),)


def test_needs_names_all_that_match_asks_for() -> None:
    wanted = needs(parse_query("new zelda"), {"platform": ("NES", "SNES")})

    assert wanted.keys == {"*", "wnew", "tnew", "wzelda", "tzelda", "fplatform\x1fNES", "fplatform\x1fSNES"}
    assert wanted.ranges == {keys.word_range("zelda", in_title=True), keys.word_range("zelda", in_title=False)}
    assert needs(parse_query("ze"), {}).keys == {"*", "wze", "tze", "pze", "qze"}


def test_filter_documents_takes_the_values_of_one_field_as_alternatives() -> None:
    assert filter_documents({"platform": ("NES", "SNES", "none")}, _POSTINGS) == {"platform": BitMap([0, 1, 3])}


def test_in_range_includes_its_ends_and_leaves_out_missing_numbers() -> None:
    numbers = np.array([1.0, 2.0, np.nan, 4.0])

    assert in_range(numbers, 2, 4) == BitMap([1, 3])
    assert in_range(numbers, None, 2) == BitMap([0, 1])
    assert in_range(numbers, None, None) == BitMap([0, 1, 3])

"""What a misspelled word may have been meant to be."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from livesearch.search.beginnings import Beginnings
from livesearch.search.edits import edit_table
from livesearch.search.terms import SortedTerms
from livesearch.search.typos import Correction, best_beginnings, best_terms, edit_budget

# Few letters, so that many words are near each other; one of another script, and one outside the basic plane.
LETTERS = "abcж𐐨"
WORDS = st.text(LETTERS, min_size=1, max_size=12)
FREQUENCIES = st.dictionaries(WORDS, st.integers(1, 1000), max_size=40)


def beginnings_of(frequencies: Mapping[str, int]) -> Beginnings:
    rows = sorted(frequencies.items())
    terms = SortedTerms(" ".join(term for term, _ in rows))
    return Beginnings(terms, np.array([frequency for _, frequency in rows], np.uint32))


def term(text: str, distance: int = 1, frequency: int = 1) -> Correction:
    return Correction(text, distance, frequency, is_prefix=False)


def beginning(text: str, distance: int = 1, frequency: int = 1) -> Correction:
    return Correction(text, distance, frequency, is_prefix=True)


@pytest.mark.parametrize(
    ("word", "budget"),
    [
        ("zel", 0),
        ("zeld", 1),
        ("pokemon", 1),
        ("nintendo", 2),
        ("a" * 32, 2),
        ("a" * 33, 0),
        ("ps2slim", 0),
        ("two words", 0),
        ("ελλάδα", 1),
        ("москва", 1),
        ("", 0),
    ],
)
def test_edit_budget_is_one_from_four_letters_two_from_eight(word: str, budget: int) -> None:
    assert edit_budget(word) == budget


@pytest.mark.parametrize("budget", [1, 2])
def test_edit_table_has_few_states(budget: int) -> None:
    table = edit_table(budget)

    assert len(table.distances) == {1: 12, 2: 124}[budget]
    assert table.steps.max() < len(table.distances)


@given(FREQUENCIES, WORDS, st.sampled_from([1, 2]))
def test_terms_near_are_those_within_the_optimal_string_alignment_distance(
    frequencies: dict[str, int], word: str, budget: int
) -> None:
    terms = sorted(frequencies)

    found = beginnings_of(frequencies).terms_near(word, budget)

    distances = {place: OSA.distance(word, term) for place, term in enumerate(terms)}
    assert dict(found) == {place: distance for place, distance in distances.items() if distance <= budget}
    assert len(dict(found)) == len(found)


@given(FREQUENCIES, WORDS, st.sampled_from([1, 2]))
def test_beginnings_near_are_those_within_the_optimal_string_alignment_distance(
    frequencies: dict[str, int], word: str, budget: int
) -> None:
    every = {term[:length] for term in frequencies for length in range(1, len(term) + 1)}

    found = beginnings_of(frequencies).beginnings_near(word, budget)

    totals = {text: sum(count for term, count in frequencies.items() if term.startswith(text)) for text in every}
    near = {(text, OSA.distance(word, text), totals[text]) for text in every}
    assert sorted(found) == sorted(row for row in near if row[1] <= budget)


def test_nothing_is_near_without_terms() -> None:
    none = beginnings_of({})

    assert none.terms_near("zelda", 1) == []
    assert none.beginnings_near("zelda", 1) == []


def test_beginnings_that_many_documents_have_count_as_many_as_fit() -> None:
    found = beginnings_of({"zelda": 3_000_000_000, "zeldas": 3_000_000_000}).beginnings_near("zelds", 1)

    assert ("zelda", 1, 2**32 - 1) in found


def test_best_terms_puts_fewer_edits_before_more_documents() -> None:
    near = [term("nintendos", 2, 1000), term("nintendo", 1, 2)]

    assert [found.term for found in best_terms("nintndo", near, 5)] == ["nintendo", "nintendos"]


def test_best_terms_puts_more_documents_first_and_takes_few() -> None:
    near = [term("label", frequency=30), term("table", frequency=50), term("cabel", frequency=1)]

    assert [found.term for found in best_terms("sabel", near, 2)] == ["table", "label"]


@pytest.mark.parametrize(
    ("word", "likelier", "other"),
    [
        ("tabel", "table", "tabby"),  # neighbours swapped
        ("adress", "address", "adresy"),  # a letter doubled
        ("zelba", "zelda", "melba"),  # the first letter as typed
    ],
)
def test_best_terms_knows_what_mistakes_are_common(word: str, likelier: str, other: str) -> None:
    near = [term(other, frequency=7), term(likelier, frequency=1)]

    assert [found.term for found in best_terms(word, near, 5)] == [likelier, other]


def test_best_beginnings_takes_the_longer_one_when_it_says_nearly_as_much() -> None:
    near = [beginning("zeld", frequency=120), beginning("zelda", frequency=118), beginning("zeldo", frequency=2)]

    assert [found.term for found in best_beginnings("zelad", near, 5)] == ["zelda", "zeldo"]


def test_best_beginnings_takes_the_shorter_one_when_many_go_on_from_it() -> None:
    near = [beginning("pla", frequency=90), beginning("play", frequency=50), beginning("plan", frequency=30)]

    assert [found.term for found in best_beginnings("plax", near, 5)] == ["pla"]


def test_best_beginnings_keeps_the_shorter_one_when_the_longer_one_is_farther() -> None:
    near = [beginning("playst", 1, 100), beginning("playsta", 2, 90)]

    assert [found.term for found in best_beginnings("plaist", near, 5)] == ["playst"]


def test_best_beginnings_knows_that_the_longer_one_begins_fewer() -> None:
    near = [beginning("taxl", frequency=50), beginning("tasxel", frequency=10)]

    assert [found.term for found in best_beginnings("taxel", near, 5)] == ["tasxel", "taxl"]


def test_best_beginnings_gives_none_that_begins_with_another() -> None:
    near = [beginning("playst", 2, 200), beginning("playstat", 1, 50), beginning("playset", 2, 10)]

    assert [found.term for found in best_beginnings("playsatt", near, 5)] == ["playstat", "playset"]


def test_best_beginnings_leaves_out_what_the_word_begins() -> None:
    near = [beginning("zelda", 0, 5), beginning("zeldas", 1, 4), beginning("zelma", 1, 1)]

    assert [found.term for found in best_beginnings("zelda", near, 5)] == ["zelma"]


@given(st.dictionaries(WORDS, st.tuples(st.integers(1, 2), st.integers(1, 1000))), st.text(LETTERS, min_size=4))
def test_best_beginnings_are_disjoint_and_in_order(near: dict[str, tuple[int, int]], word: str) -> None:
    found = best_beginnings(word, [beginning(text, *found) for text, found in near.items()], 5)

    texts = [correction.term for correction in found]
    assert len(texts) <= 5
    assert [correction.distance for correction in found] == sorted(correction.distance for correction in found)
    assert not any(one.startswith(other) for one in texts for other in [*texts, word] if one is not other)

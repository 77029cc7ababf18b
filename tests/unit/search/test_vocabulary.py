"""The words of a collection, in memory."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from livesearch.search.terms import SortedTerms
from livesearch.search.typos import edit_budget
from livesearch.search.vocabulary import Vocabulary

GAMES = {
    "play": 40,
    "played": 4,
    "playing": 9,
    "plays": 12,
    "playstation": 30,
    "station": 50,
    "zelda": 20,
    "zeldas": 1,
    "zen": 20,
    "zorro": 3,
}

LETTERS = "abcж"
WORDS = st.text(LETTERS, min_size=3, max_size=11)
TYPED = st.text(LETTERS, min_size=1, max_size=11)
FREQUENCIES = st.dictionaries(WORDS, st.integers(1, 1000), max_size=40)


def vocabulary_of(frequencies: Mapping[str, int], *, version: int = 1, language: str = "english") -> Vocabulary:
    rows = sorted(frequencies.items())
    counts = np.array([frequency for _, frequency in rows], np.uint32)
    return Vocabulary.build(" ".join(term for term, _ in rows), counts, version=version, language=language)


@given(st.sets(WORDS), WORDS)
def test_sorted_terms_find_terms_and_what_begins_so(terms: set[str], word: str) -> None:
    ordered = sorted(terms)
    found = SortedTerms(" ".join(ordered))

    assert list(found) == ordered
    assert [found.find(term) for term in ordered] == list(range(len(ordered)))
    assert found.find(word) == (ordered.index(word) if word in terms else None)
    assert [found[place] for place in found.beginning(word[:2])] == [t for t in ordered if t.startswith(word[:2])]


@given(st.sets(WORDS), st.sets(WORDS))
def test_sorted_terms_are_merged_in_order(terms: set[str], others: set[str]) -> None:
    text, places = SortedTerms(" ".join(sorted(terms))).merged(SortedTerms(" ".join(sorted(others - terms))))

    assert text.split() == sorted(terms | others)
    assert places == [sum(term < other for term in terms) for other in sorted(others - terms)]


def test_sorted_terms_are_found_among_many() -> None:
    terms = sorted({f"{number:x}" for number in range(0, 50_000, 7)})
    found = SortedTerms(" ".join(terms))

    assert [found.find(term) for term in terms] == list(range(len(terms)))
    assert found.find("zz") is None
    assert len(found.beginning("a")) == sum(term.startswith("a") for term in terms)


def test_frequency_of_what_is_no_term_is_zero() -> None:
    games = vocabulary_of(GAMES)

    assert games.frequency("zelda") == 20
    assert games.frequency("zeld") == 0
    assert len(games) == 10


def test_beginning_gives_the_most_frequent_first() -> None:
    games = vocabulary_of(GAMES)

    assert games.beginning("play", 3) == ["play", "playstation", "plays"]
    assert games.beginning("z", 10) == ["zelda", "zen", "zorro", "zeldas"]
    assert games.beginning("q", 10) == []
    assert games.count_beginning("play") == 5
    assert games.count_beginning("q") == 0


def test_forms_have_the_same_stem_most_frequent_first() -> None:
    games = vocabulary_of(GAMES)

    assert games.forms("play") == ("plays", "playing", "played")
    assert games.forms("playing") == ("play", "plays", "played")
    assert games.forms("zen") == ()


def test_forms_are_found_for_a_word_that_is_no_term() -> None:
    assert vocabulary_of({"library": 3, "librarian": 1}).forms("libraries") == ("library",)


def test_forms_are_at_most_eight() -> None:
    terms = {
        "connect" + end: 1 for end in ("", "ed", "ing", "ion", "ions", "ive", "ively", "s", "ings", "edly", "ively")
    }

    assert len(vocabulary_of(terms).forms("connects")) == 8


@pytest.mark.parametrize("language", ["none", "klingon"])
def test_forms_need_a_language(language: str) -> None:
    assert vocabulary_of(GAMES, language=language).forms("play") == ()


def test_forms_follow_the_language() -> None:
    terms = {"новости": 2, "новость": 1, "новостей": 1}

    assert vocabulary_of(terms, language="russian").forms("новость") == ("новости", "новостей")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("zedla", ["zelda"]),
        ("zelad", ["zelda"]),
        ("elda", ["zelda"]),
        ("zeldda", ["zelda"]),
        ("pelda", ["zelda"]),
        ("playstaiton", ["playstation"]),
        ("palystaiton", ["playstation"]),
        ("ztation", ["station"]),
        ("staation", ["station"]),
        ("plays", ["play"]),
        ("zel", []),
        ("zelda2", []),
        ("zebra", []),
        ("ゼルダの伝説", []),
    ],
)
def test_corrections_of_whole_words(word: str, meant: list[str]) -> None:
    assert [found.term for found in vocabulary_of(GAMES).corrections(word, is_prefix=False)] == meant


def test_corrections_tell_distance_and_frequency() -> None:
    found = vocabulary_of(GAMES).corrections("palystaiton", is_prefix=False)

    assert [(one.distance, one.frequency, one.is_prefix) for one in found] == [(2, 30, False)]


def test_corrections_of_an_unfinished_word_are_beginnings() -> None:
    games = vocabulary_of(GAMES)

    found = games.corrections("plasyt", is_prefix=True)

    assert [(one.term, one.distance, one.frequency, one.is_prefix) for one in found] == [("playst", 1, 30, True)]
    assert [one.term for one in games.corrections("zelad", is_prefix=True)] == ["zelda"]


@pytest.mark.parametrize(
    ("terms", "word", "meant"),
    [({"москва": 3}, "мсоква", "москва"), ({"ελλαδα": 3}, "ελαδα", "ελλαδα"), ({"ירושלים": 3}, "ירושלם", "ירושלים")],
)
def test_corrections_know_other_alphabets(terms: dict[str, int], word: str, meant: str) -> None:
    assert [found.term for found in vocabulary_of(terms).corrections(word, is_prefix=False)] == [meant]


@given(FREQUENCIES, TYPED)
def test_corrections_are_all_terms_near_enough(frequencies: dict[str, int], word: str) -> None:
    found = vocabulary_of(frequencies).corrections(word, is_prefix=False, limit=1000)

    distances = {term: OSA.distance(word, term) for term in frequencies if term != word}
    assert {one.term: (one.distance, one.frequency) for one in found} == {
        term: (distance, frequencies[term]) for term, distance in distances.items() if distance <= edit_budget(word)
    }
    assert [one.distance for one in found] == sorted(one.distance for one in found)


@given(FREQUENCIES, TYPED)
def test_corrections_of_unfinished_words_begin_terms_near_enough(frequencies: dict[str, int], word: str) -> None:
    found = vocabulary_of(frequencies).corrections(word, is_prefix=True, limit=1000)

    every = {term[:length] for term in frequencies for length in range(1, len(term) + 1)}
    near = {text for text in every if not text.startswith(word) and OSA.distance(word, text) <= edit_budget(word)}
    assert {one.term for one in found} <= near
    assert bool(found) == bool(near)
    for one in found:
        assert one.distance == OSA.distance(word, one.term)
        assert one.frequency == sum(count for term, count in frequencies.items() if term.startswith(one.term))


def test_splits_are_two_terms_in_two_documents_each() -> None:
    games = vocabulary_of({**GAMES, "playsta": 1, "tion": 9, "sta": 5, "playst": 2, "ation": 3})

    assert games.splits("playstation") == (("play", "station"), ("playst", "ation"))
    assert games.splits("zelda") == ()
    assert games.splits("") == ()


def test_joined_words_are_a_term() -> None:
    games = vocabulary_of(GAMES)

    assert games.joined("play", "station") == "playstation"
    assert games.joined("play", "zelda") is None


def test_extended_keeps_the_one_before_as_it_was() -> None:
    before = vocabulary_of(GAMES)

    after = before.extended([("zelma", 2), ("zelda", 99)], version=2)

    assert (before.version, before.frequency("zelma")) == (1, 0)
    assert (after.version, after.frequency("zelma"), after.frequency("zelda")) == (2, 2, 20)


def test_extended_sums_what_terms_of_both_ages_begin_with() -> None:
    games = vocabulary_of({"zelda": 3}).extended([("zeldas", 2)], version=2)

    assert [(found.term, found.frequency) for found in games.corrections("zelad", is_prefix=True)] == [("zelda", 5)]


def test_extended_takes_the_latest_of_what_came_twice() -> None:
    twice = vocabulary_of(GAMES).extended([("zelma", 2)], version=2).extended([("zelma", 5)], version=3)

    assert (twice.frequency("zelma"), twice.recent_count) == (5, 1)


@given(FREQUENCIES, st.lists(FREQUENCIES, max_size=3), TYPED)
def test_extended_and_compacted_are_as_if_built_at_once(
    first: dict[str, int], later: list[dict[str, int]], word: str
) -> None:
    extended, together = vocabulary_of(first), dict(first)
    for version, rows in enumerate(later, 2):
        extended = extended.extended([*rows.items()], version=version)
        together |= rows | first
    built = vocabulary_of(together)

    for vocabulary in (extended, extended.compacted()):
        assert vocabulary.version == len(later) + 1
        assert answers(vocabulary, word) == answers(built, word)


def answers(vocabulary: Vocabulary, word: str) -> tuple[object, ...]:
    return (
        len(vocabulary),
        vocabulary.frequency(word),
        vocabulary.beginning(word[:1], 5),
        vocabulary.count_beginning(word[:2]),
        vocabulary.forms(word),
        vocabulary.corrections(word, is_prefix=False),
        vocabulary.corrections(word, is_prefix=True),
        vocabulary.splits(word),
    )


def test_lopsided_is_one_with_many_recent_terms() -> None:
    rows = [
        (f"zelda{chr(97 + number // 26 // 26)}{chr(97 + number // 26 % 26)}{chr(97 + number % 26)}", 1)
        for number in range(1001)
    ]
    games = vocabulary_of(GAMES)

    assert not games.extended(rows[:1000], version=2).is_lopsided
    assert games.extended(rows, version=2).is_lopsided
    assert not games.extended(rows, version=2).compacted().is_lopsided


def test_size_is_that_of_its_arrays_and_texts() -> None:
    terms = {f"{first}{second}{third}zelda": 1 for first in "abcdefghij" for second in "abcdefghij" for third in "abc"}

    assert 15_000 < vocabulary_of(terms).size < 60_000

"""Words that stand for what was typed."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from livesearch.domain import Synonym
from livesearch.search.expansion import Correction, corrected, expand, propose, rewritten, with_forms
from livesearch.search.query import Alternative, Clause, Kind, ParsedQuery, parse_query
from livesearch.search.synonyms import SynonymMap, folded_words
from livesearch.search.vocabulary import Vocabulary

_WORDS = {
    "green": 400,
    "greet": 3,
    "play": 40,
    "playstation": 30,
    "quest": 60,
    "speak": 1,
    "speaker": 50,
    "speakers": 20,
    "station": 50,
    "zelda": 300,
    "zeldas": 2,
}
_NO_SYNONYMS = SynonymMap()


def _vocabulary(frequencies: Mapping[str, int]) -> Vocabulary:
    rows = sorted(frequencies.items())
    counts = np.array([frequency for _, frequency in rows], np.uint32)
    return Vocabulary.build(" ".join(term for term, _ in rows), counts, version=1, language="english")


_VOCABULARY = _vocabulary(_WORDS)


def _ways(query: ParsedQuery) -> list[list[str]]:
    """By clause, what else is looked for."""
    return [[way.text for way in clause.alternatives if way.kind is not Kind.TYPED] for clause in query.clauses]


def _expanded(text: str, synonyms: SynonymMap = _NO_SYNONYMS) -> list[list[str]]:
    return _ways(expand(parse_query(text), _VOCABULARY, synonyms))


def _proposed(text: str, *, at: int = 0, frequency: int = 0) -> list[str]:
    proposal = propose(parse_query(text), _VOCABULARY, at, frequency=frequency)
    return [way.text for way in proposal.ways] if proposal else []


def test_other_forms_of_finished_words_are_looked_for() -> None:
    assert _expanded("speakers quest ") == [["speaker"], []]
    assert _expanded("quest speakers") == [[], []]


def test_forms_that_are_far_rarer_are_left_out() -> None:
    assert _expanded("zelda ") == [[]]  # “zeldas” stands in two documents of 300
    assert _expanded("zeldas ") == [["zelda"]]


def test_what_was_quoted_has_no_forms() -> None:
    assert _expanded('"speakers" "speakers quest" ') == [[], []]


def test_each_of_several_ways_has_its_forms() -> None:
    assert _expanded("speaker OR zeldas ") == [["speakers", "zelda"]]


def test_word_of_one_field_has_its_forms() -> None:
    (typed,) = parse_query("speakers ").clauses
    query = ParsedQuery((replace(typed, field_name="title"),))

    (clause,) = expand(query, _VOCABULARY, _NO_SYNONYMS).clauses

    assert [way.text for way in clause.alternatives] == ["speakers", "speaker"]
    assert clause.field_name == "title"


def test_each_of_several_ways_has_its_synonyms() -> None:
    synonyms = SynonymMap([Synonym(1, "plane", ("jet",), is_two_way=False)])

    (clause,) = expand(parse_query("party OR plane "), _VOCABULARY, synonyms).clauses

    assert [way.text for way in clause.alternatives] == ["party", "plane", "jet"]


def test_run_of_a_script_without_spaces_has_its_synonyms_as_a_whole() -> None:
    synonyms = SynonymMap([Synonym(1, folded_words("ゼルダ"), ("party",), is_two_way=True)])

    for text, expected in {
        "ゼルダ ": ["ゼル ルダ", "party"],
        "ゼルダの伝説 ": ["ゼル ルダ ダの の伝 伝説"],
        "party ": ["party", "ゼル ルダ"],
    }.items():
        (clause,) = expand(parse_query(text), _VOCABULARY, synonyms).clauses
        assert [way.text for way in clause.alternatives] == expected


def test_what_is_excluded_is_as_typed() -> None:
    found = expand(parse_query("quest -speakers "), _VOCABULARY, _NO_SYNONYMS)

    assert found.excluded == parse_query("quest -speakers ").excluded


def test_alternatives_come_behind_what_was_typed() -> None:
    (clause,) = expand(parse_query("speakers "), _VOCABULARY, _NO_SYNONYMS).clauses

    assert [(way.text, way.kind) for way in clause.alternatives] == [("speakers", Kind.TYPED), ("speaker", Kind.FORM)]


def test_synonyms_stand_for_single_words_and_for_several() -> None:
    synonyms = SynonymMap(
        [
            Synonym(1, "tv", ("television", "telly set"), is_two_way=False),
            Synonym(2, "ps5", ("play station 5",), is_two_way=True),
        ]
    )

    assert _expanded("new tv ", synonyms) == [[], ["television", "telly set"]]
    assert _expanded("television ", synonyms) == [[]]
    assert _expanded("ps5 ", synonyms) == [["play station 5"]]
    assert [ways[0] for ways in _expanded("play station 5 ", synonyms)] == ["ps5", "ps5", "ps5"]


def test_synonyms_stand_for_a_word_that_is_still_being_typed() -> None:
    synonyms = SynonymMap([Synonym(1, "tv", ("television",), is_two_way=False)])

    assert _expanded("tv", synonyms) == [["television"]]


def test_neighbouring_words_may_be_one() -> None:
    assert _expanded("play station") == [["playstation"], ["playstation"]]
    assert _expanded("station play ") == [[], []]


def test_neighbouring_words_of_prose_are_none() -> None:
    assert _expanded("a b c play station ")[3:] == [[], []]


def test_alternatives_are_bounded() -> None:
    many = SynonymMap([Synonym(1, "speakers", tuple(f"a{number}" for number in range(30)), is_two_way=False)])

    assert "speaker" not in _expanded("speakers ", many)[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("zelad ", ["zelda"]),
        ("zelxa ", ["zelda"]),
        # The first letter may be wrong where nothing else is.
        ("xelda ", ["zelda"]),
        ("plaistatoin ", ["playstation"]),
        ("xlaystation ", ["playstation"]),
        ("xlaystatoin ", []),
        # What is still being typed is the beginning of what is meant.
        ("zleda", ["zelda"]),
        # Too short, or near nothing.
        ("zld ", []),
        ("mario ", []),
        # Quoted, chosen, or of one field: as typed.
        ('"zelad"', []),
        ("title OR zelad ", []),
    ],
)
def test_a_word_that_nothing_holds_is_what_is_near(text: str, expected: list[str]) -> None:
    assert _proposed(text) == expected


def test_a_word_that_some_documents_hold_was_meant_otherwise_only_where_that_is_far_more_frequent() -> None:
    assert _proposed("greet ", frequency=3) == ["green"]
    assert _proposed("greet ", frequency=30) == []
    assert _proposed("xelda ", frequency=1) == []
    assert _proposed("speaer ", frequency=1) == ["speaker"]


def test_what_is_proposed_is_marked_as_a_correction() -> None:
    proposal = propose(parse_query("zelad "), _VOCABULARY, 0, frequency=0)

    assert proposal == Correction(0, (Alternative(("zelda",), kind=Kind.CORRECTED, distance=1),))


def test_a_word_that_was_run_together_is_taken_apart() -> None:
    assert _proposed("questplay ") == ["quest play"]
    assert _proposed("questplay ", frequency=1) == []
    assert _proposed("a b c d questplay ", at=4) == []


def test_digits_stay_as_they_are() -> None:
    assert all("2000" in way for way in _proposed("zelad2000 "))
    assert "zelda 2000" in _proposed("zelad2000 ")
    assert _proposed("zelad2000 ", frequency=1) == []
    assert _proposed("2000 ") == []
    assert _proposed("z2000 ") == []  # without the z it would be another code


def test_corrections_bring_their_most_frequent_form() -> None:
    ways = [Alternative(("speakers",), kind=Kind.CORRECTED, distance=1)]

    assert [way.text for way in with_forms(ways, _VOCABULARY)] == ["speakers", "speaker"]
    assert with_forms([Alternative(("speak",), is_prefix=True, kind=Kind.CORRECTED)], _VOCABULARY)[1:] == ()


def test_corrected_adds_to_the_clauses_that_are_meant() -> None:
    query = parse_query("zelad quest ")
    way = Alternative(("zelda",), kind=Kind.CORRECTED)
    found = corrected(query, [Correction(0, (way,))])

    assert [clause.alternatives[1:] for clause in found.clauses] == [(way,), ()]
    assert corrected(query, []) == query


def _rewrite(text: str, **words: str) -> str:
    """The text with typed words replaced."""
    chosen: list[tuple[Clause, Alternative]] = [
        (clause, Alternative(tuple(words[clause.typed.text].split())))
        for clause in parse_query(text).clauses
        if clause.typed.text in words
    ]
    return rewritten(text, chosen)


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("Zelad  quest!", {"zelad": "zelda"}, "zelda  quest!"),
        ("the qeust of zelad ", {"zelad": "zelda", "qeust": "quest"}, "the quest of zelda "),
        ("zelad -link", {"zelad": "zelda"}, "zelda -link"),
        ('zelad "of time"', {"zelad": "zelda"}, 'zelda "of time"'),
        ("supernintedo", {"supernintedo": "super nintendo"}, "super nintendo"),
        ("ply staton", {"ply": "playstation", "staton": "playstation"}, "playstation"),
        # Two words that were meant to be the same, and something between them.
        ("zelad quest zeldda", {"zelad": "zelda", "zeldda": "zelda"}, "zelda quest zelda"),
        ("zelda", {}, "zelda"),
    ],
)
def test_rewritten_replaces_words_where_they_stand(text: str, words: dict[str, str], expected: str) -> None:
    assert _rewrite(text, **words) == expected

from livesearch.domain import Synonym
from livesearch.search.synonyms import SynonymMap, SynonymSpan, folded_words


def one_way(words: str, *alternatives: str) -> Synonym:
    return Synonym(1, words, alternatives, is_two_way=False)


def two_way(words: str, *alternatives: str) -> Synonym:
    return Synonym(1, words, alternatives, is_two_way=True)


def test_folded_words_keeps_words_and_nothing_else() -> None:
    assert folded_words("  Pokémon—the  F-16! ") == "pokemon the f 16"
    assert folded_words("?!") == ""


def test_one_way_synonym_stands_for_its_alternatives_only() -> None:
    found = SynonymMap([one_way("tv", "television", "tele")])

    assert found.alternatives(("tv",)) == (SynonymSpan(0, 1, (("television",), ("tele",))),)
    assert found.alternatives(("television",)) == ()


def test_two_way_synonym_stands_for_each_other() -> None:
    found = SynonymMap([two_way("ps5", "playstation 5", "playstation five")])

    assert found.alternatives(("ps5",)) == (SynonymSpan(0, 1, (("playstation", "5"), ("playstation", "five"))),)
    assert found.alternatives(("playstation", "5")) == (SynonymSpan(0, 2, (("ps5",), ("playstation", "five"))),)


def test_spans_are_found_anywhere_longest_first() -> None:
    found = SynonymMap([two_way("new york", "nyc"), one_way("new york city", "nyc"), one_way("new", "recent")])

    spans = found.alternatives(("hotels", "new", "york", "city", "new"))

    assert [(span.start, span.length) for span in spans] == [(1, 3), (1, 2), (1, 1), (4, 1)]
    assert spans[0].alternatives == (("nyc",),)


def test_a_span_never_reaches_past_the_query() -> None:
    found = SynonymMap([one_way("new york city", "nyc"), one_way("new york", "big apple")])

    assert [(span.start, span.length) for span in found.alternatives(("new", "york"))] == [(0, 2)]


def test_alternatives_of_several_synonyms_are_united_once() -> None:
    found = SynonymMap([one_way("tv", "television"), two_way("tv", "television", "tele")])

    assert found.alternatives(("tv",)) == (SynonymSpan(0, 1, (("television",), ("tele",))),)
    assert found.widest() == ("tv", 2)


def test_synonyms_are_not_chained() -> None:
    found = SynonymMap([one_way("a", "b"), one_way("b", "c")])

    assert found.alternatives(("a",)) == (SynonymSpan(0, 1, (("b",),)),)


def test_without_synonyms_nothing_is_found() -> None:
    found = SynonymMap()

    assert found.alternatives(("tv",)) == ()
    assert (len(found), found.widest()) == (0, ("", 0))

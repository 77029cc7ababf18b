"""Completions of an unfinished word."""

import pytest
from pyroaring import BitMap

from livesearch.domain import CHUNK_BITS, Segment, Suggestion
from livesearch.search.analysis import QueryToken
from livesearch.search.indexing import IndexSchema
from livesearch.search.matching import Postings
from livesearch.search.query import parse_query
from livesearch.search.suggesting import (
    complete,
    completion,
    densest_chunks,
    unfinished_word,
    without_unwritten,
    written_words,
)
from tests.naughty import naughty_strings

_SCHEMA = IndexSchema(("title",), ("note",), ())


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("zel", QueryToken("zel", 0, 3)),
        ("Legend, Zel", QueryToken("zel", 8, 11)),
        ("Pokém", QueryToken("pokem", 0, 5)),
        ("zel ", None),
        ("zel!", None),
        ("legend -zel", None),
        ('"the leg', None),
        ("zelda OR li", None),
        ("ゼル", None),
        ("wii版", None),
        ("", None),
    ],
)
def test_unfinished_word_is_the_word_that_can_go_on(text: str, typed: QueryToken | None) -> None:
    assert unfinished_word(text, parse_query(text)) == typed


@pytest.mark.parametrize(
    ("text", "term", "completed"),
    [
        ("zel", "zelda", "zelda"),
        ("The Zel", "zelda", "The Zelda"),
        ("THE ZEL", "zelda", "THE ZELDA"),
        ("Z", "zelda", "Zelda"),
        ("Straß", "strasse", "Straße"),
    ],
)
def test_completion_keeps_what_was_typed(text: str, term: str, completed: str) -> None:
    typed = unfinished_word(text, parse_query(text))

    assert typed
    assert completion(text, typed, term).text == completed


def test_completion_tells_the_typed_part_apart() -> None:
    assert completion("a Zel", QueryToken("zel", 2, 5), "zelda") == Suggestion(
        "a Zelda", (Segment("a "), Segment("Zel", is_match=True), Segment("da"))
    )


def test_written_words_prefers_titles_then_counts() -> None:
    documents = [
        {"title": "Zen", "note": "zest zero"},
        {"title": "Zen Spider-Man", "note": "zest"},
        {"title": "Zorro", "note": "zest zz"},
    ]

    assert written_words(documents, _SCHEMA, "z") == ["zen", "zorro", "zest", "zero", "zz"]
    assert written_words(documents, _SCHEMA, "spid") == ["spider"]
    assert written_words(documents, _SCHEMA, "zen") == []


def test_densest_chunks_leaves_out_empty_ones() -> None:
    size = 1 << CHUNK_BITS

    documents = BitMap([1, 2 * size, 2 * size + 5, 3 * size + 1])

    assert densest_chunks(documents, range(4), 2) == [2, 0]
    assert densest_chunks(documents, range(4), 8) == [2, 0, 3]


def test_complete_counts_in_the_context() -> None:
    postings = Postings(
        {
            "wzen": BitMap([1, 2, 3]),
            "wzoo": BitMap([7, 8, 9, 10]),
            "wzip": BitMap([1, 2]),
            "tzip": BitMap([2]),
            "wzulu": BitMap([4]),
        }
    )

    found = complete(["zulu", "zoo", "zip", "zen"], BitMap([1, 2, 3, 9]), postings, limit=3)

    assert found == {"zip": [1, 2], "zen": [1, 2], "zoo": [9]}
    assert list(found) == ["zip", "zen", "zoo"]


def test_without_unwritten_asks_for_one_example() -> None:
    documents = {1: {"title": "Spider-Man"}, 2: {"title": "Spiderman"}}

    assert without_unwritten({"spiderman": [1, 2], "spider": [1]}, documents, _SCHEMA) == ["spiderman", "spider"]
    assert without_unwritten({"spiderman": [1]}, documents, _SCHEMA) == []


def test_unfinished_word_of_any_text_can_be_completed() -> None:
    for text in naughty_strings():
        typed = unfinished_word(text, parse_query(text))
        if typed:
            found = completion(text, typed, typed.text + "x")

            assert found.text.lower() == f"{text}x".lower()
            assert "".join(segment.text for segment in found.label) == found.text

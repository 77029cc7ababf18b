"""What postings do not tell."""

import pytest

from livesearch.domain import Collection, Document, Field, FieldType, Role
from livesearch.search.checking import Checker
from livesearch.search.query import parse_query

_BOOKS = Collection(
    1,
    "books",
    1,
    2,
    (
        Field("title", FieldType.TEXT, Role.TITLE),
        Field("about", FieldType.TEXT, Role.TEXT),
        Field("genres", FieldType.TEXT, Role.FACET, is_list=True),
        Field("year", FieldType.NUMBER, Role.SORT),
        Field("sold", FieldType.BOOLEAN, Role.FACET),
        Field("secret", FieldType.TEXT, Role.HIDDEN),
    ),
)


def _holds(text: str, document: Document) -> bool:
    return Checker(parse_query(text, _BOOKS), _BOOKS).holds(document)


@pytest.mark.parametrize(
    ("text", "document", "is_held"),
    [
        ('"new york"', {"title": "In New York, again"}, True),
        ('"new york"', {"title": "York New"}, False),
        ('"new york"', {"title": "New", "about": "York"}, False),
        ('"new york"', {"genres": ["New", "York"]}, False),
        ('"new york"', {"genres": ["Old", "New York"]}, True),
        ('"new york', {"title": "New Yorkers"}, True),
        ('"new york"', {"title": "New Yorkers"}, False),
        ('"new york city" ', {"title": "new new york city"}, True),
        ('"a b"', {"title": "a"}, False),
        ('"a b"', {}, False),
        ('"in 1990"', {"about": "In 1990"}, True),
        ('"new york"', {"secret": "New York"}, False),
        ('"ゼルダ の伝説"', {"title": "ゼルダ の伝説"}, True),
        ('"ゼルダ"', {"title": "新ゼルダ伝"}, True),
        ('"ゼルダ"', {"title": "ルダゼル"}, False),
        ('-"new york"', {"title": "New York"}, False),
        ('-"new york"', {"title": "York, New"}, True),
        ('red -"new york"', {"title": "red"}, True),
    ],
)
def test_phrases_stand_together_in_one_text(text: str, document: Document, is_held: bool) -> None:
    assert _holds(text, document) is is_held


@pytest.mark.parametrize(
    ("text", "document", "is_held"),
    [
        ("title:york", {"title": "New York"}, True),
        ("title:york", {"about": "New York"}, False),
        ("title:yor", {"title": "New York"}, True),
        ("title:yor ", {"title": "New York"}, False),
        ("title:york-new ", {"title": "New York"}, True),
        ('title:"york new" ', {"title": "New York"}, False),
        ("-title:york", {"about": "New York"}, True),
        ("-title:york", {"title": "New York"}, False),
        # Titles are found by joined words too, other texts are not.
        ("title:spiderman ", {"title": "Spider-Man"}, True),
        ("about:spiderman ", {"about": "Spider-Man"}, False),
    ],
)
def test_words_stand_in_the_field_they_were_asked_for_in(text: str, document: Document, is_held: bool) -> None:
    assert _holds(text, document) is is_held


def test_one_of_several_ways_is_enough() -> None:
    assert _holds('"new york" OR paris ', {"title": "Paris"})
    assert _holds('"new york" OR paris ', {"title": "New York"})
    assert not _holds('"new york" OR paris ', {"title": "York"})


def test_words_that_postings_tell_of_are_not_looked_for() -> None:
    assert _holds('absent "new york"', {"title": "New York"})
    assert _holds("-york absent ", {"title": "New York"})


def test_numbers_are_words_as_they_are_written_and_flags_are_none() -> None:
    checker = Checker(parse_query("1990 "), _BOOKS)
    clause = parse_query("1990 ").clauses[0]

    assert checker.satisfies({"year": 1990}, clause)
    assert not checker.satisfies({"sold": True}, parse_query("true ").clauses[0])

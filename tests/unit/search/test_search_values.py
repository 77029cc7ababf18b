"""What a field's value means to the index."""

from livesearch.domain import Field, FieldType, Role
from livesearch.search.values import format_number, is_searched, texts, title_of


def test_texts_gives_one_for_each_value() -> None:
    assert texts(["a", 1, None, True, {"x": 2.5}]) == ["a", "1", "true", "2.5"]
    assert texts(None) == []


def test_title_of_falls_back_to_the_key() -> None:
    title = Field("title", FieldType.TEXT, Role.TITLE)

    assert title_of({"title": "Dune"}, title, "k") == "Dune"
    assert title_of({"title": " "}, title, "k") == "k"
    assert title_of({}, None, "k") == "k"


def test_format_number_gives_what_a_form_field_takes() -> None:
    assert format_number(1994.0, Field("year", FieldType.NUMBER, Role.SORT)) == "1994"
    assert format_number(4.34, Field("rating", FieldType.NUMBER, Role.SORT)) == "4.34"
    assert format_number(1260403200.0, Field("released", FieldType.DATE, Role.DATE)) == "2009-12-10"


def test_format_number_keeps_to_the_years_a_form_can_show() -> None:
    released = Field("released", FieldType.DATE, Role.DATE)

    assert format_number(-1e15, released) == "0001-01-01"
    assert format_number(1e15, released) == "9999-12-31"


def test_is_searched_takes_texts_dates_and_years() -> None:
    assert is_searched(Field("brand", FieldType.TEXT, Role.FACET))
    assert is_searched(Field("release_year", FieldType.NUMBER, Role.SORT))
    assert not is_searched(Field("price", FieldType.NUMBER, Role.SORT))
    assert not is_searched(Field("sold", FieldType.BOOLEAN, Role.FACET))

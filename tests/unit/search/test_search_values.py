"""What a field's value means to the index."""

from livesearch.domain import Collection, Field, FieldType, Role
from livesearch.search.values import format_number, is_searched, texts, title_of


def test_texts_gives_one_for_each_value() -> None:
    assert texts(["a", 1, None, True, {"x": 2.5}]) == ["a", "1", "true", "2.5"]
    assert texts(None) == []


_TITLE = Field("title", FieldType.TEXT, Role.TITLE)
_NOTE = Field("note", FieldType.TEXT, Role.TEXT)
_KIND = Field("kind", FieldType.TEXT, Role.FACET)


def test_title_of_falls_back_to_the_key() -> None:
    books = Collection(1, "books", 1, 1, (_TITLE, _NOTE), key_field="id")

    assert title_of({"title": "Dune"}, books, "k") == "Dune"
    assert title_of({"title": " ", "note": "worms"}, books, "k") == "k"


def test_title_of_a_row_without_key_is_its_first_values() -> None:
    rows = Collection(1, "rows", 1, 1, (_KIND, _TITLE, _NOTE))

    assert title_of({"kind": "a", "note": "b"}, rows, "0f3c") == "b · a"
    assert title_of({}, rows, "0f3c") == "0f3c"


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

import math
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livesearch.domain import Field, FieldType, Role
from livesearch.ingest import coerce, coercer, number_of

DAY = 86_400.0


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (3, 3.0), (2.5, 2.5), (True, 1.0), ("12", 12.0), (" -1.5 ", -1.5), ("1e3", 1000.0), (".5", 0.5), ("007", 7.0),
        ("1,234", 1234.0), ("$1,234.50", 1234.5), ("3 €", 3.0), ("45%", 45.0), ("1,5", None), ("", None), ("n/a", None),
        ("inf", None), ("nan", None), ("1_000", None), ("1e999", None),
        (math.inf, None), (math.nan, None), (None, None),
        ([1], None), ("٣", None), (10**400, None),
    ],
)  # fmt: skip
def test_number_of_number(value: object, number: float | None) -> None:
    assert number_of(value, FieldType.NUMBER) == number


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("1970-01-01", 0.0), ("1970-01-02", DAY), ("1969-12-31", -DAY), ("1970", 0.0), ("1970-02", 31 * DAY),
        (1971, 365 * DAY), ("1970/1/2", DAY), ("2.1.1970", DAY), ("31/12/1969", -DAY), ("12/31/1969", -DAY),
        ("01/01/1970", 0.0), ("02/01/1970", None), ("1970-01-01T00:01", 60.0), ("1970-01-01 00:00:01.5", 1.5),
        ("1970-01-01T01:00:00+01:00", 0.0), ("1970-01-01T00:00:00Z", 0.0), ("1970-13-01", None),
        ("1970-02-30", None), ("soon", None), ("", None), (None, None), (True, None), (1.5, None),
        ("0000-00-00", None), ("1970-01-01T99:00", None),
    ],
)  # fmt: skip
def test_number_of_date_is_seconds_since_1970(value: object, number: float | None) -> None:
    assert number_of(value, FieldType.DATE) == number


@pytest.mark.parametrize(("value", "number"), [(True, 1.0), (False, 0.0), ("TRUE", 1.0), ("false", 0.0), ("yes", None)])
def test_number_of_boolean(value: object, number: float | None) -> None:
    assert number_of(value, FieldType.BOOLEAN) == number


FIELDS = {
    "n": Field("n", FieldType.NUMBER, Role.SORT),
    "b": Field("b", FieldType.BOOLEAN, Role.FACET),
    "t": Field("t", FieldType.TEXT, Role.TEXT),
    "d": Field("d", FieldType.DATE, Role.DATE),
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1994", 1994), ("0", 0), ("-3", -3), ("1.5", 1.5), (" 7 ", 7), ("1e3", 1000.0), ("007", "007"), ("n/a", "n/a"),
        ("$5", "$5"), ("1e999", "1e999"), ("9223372036854775807", 9223372036854775807),
        ("9223372036854775808", "9223372036854775808"), ("9" * 5_000, "9" * 5_000), ("²", "²"),
    ],
)  # fmt: skip
def test_coerce_types_numbers_that_come_back_the_same(text: str, value: object) -> None:
    coerced = coerce({"n": text}, FIELDS)

    assert coerced == {"n": value}
    assert type(coerced["n"]) is type(value)


def test_coerce_leaves_out_what_is_absent() -> None:
    assert coerce({"n": "", "t": None, "b": [], "d": "", "x": 0, "y": False}, FIELDS) == {"x": 0, "y": False}


def test_coerce_types_truths_and_lists() -> None:
    document = {"b": "True", "n": ["1", "x", 2, None, ""], "t": ["a", "", None, "b"], "unknown": ["1"]}

    assert coerce(document, FIELDS) == {"b": True, "n": [1, "x", 2], "t": ["a", "b"], "unknown": ["1"]}


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("a\tb\nc", "a\tb\nc"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("\x02a\x03\x1b", "a"),
        ("a\u2028b\x7f\xa0", "a\u2028b\x7f\xa0"),
    ],
)
def test_coerce_strips_control_characters(text: str, clean: str) -> None:
    assert coerce({"t": text, "n": text}, FIELDS) == {"t": clean, "n": clean}
    assert coerce({"t": [text, "x"]}, FIELDS) == {"t": [clean, "x"]}


def test_coerce_leaves_out_text_of_controls_only() -> None:
    assert coerce({"t": "\x02\x03"}, FIELDS) == {}


@settings(max_examples=300, deadline=None)
@given(st.text(string.printable + "éß東\x00\x1f", max_size=30))
def test_coercing_twice_changes_nothing_more(text: str) -> None:
    coerced = coercer(FIELDS)
    once = coerced({"n": text, "t": text, "b": text, "d": text})

    assert coerced(once) == once

import pytest

from livesearch.errors import SourceError
from livesearch.ingest import SynonymLine, read_synonyms


def test_rules_are_read_with_their_lines() -> None:
    text = "\ufeff# consoles\nps5, playstation 5\n\ni-pod, i pod => ipod, music player\n"

    assert read_synonyms(text.encode()) == [
        SynonymLine(2, "ps5", ("playstation 5",), is_two_way=True),
        SynonymLine(4, "i-pod", ("ipod", "music player"), is_two_way=False),
        SynonymLine(4, "i pod", ("ipod", "music player"), is_two_way=False),
    ]


def test_a_backslash_takes_a_sign_as_it_is() -> None:
    assert read_synonyms(rb"a\,b, c\=>d") == [SynonymLine(1, "a,b", ("c=>d",), is_two_way=True)]


@pytest.mark.parametrize("line", ["tv", "tv =>", "=> television", "a => b => c", ","])
def test_a_line_that_is_no_rule_is_named(line: str) -> None:
    with pytest.raises(SourceError, match="Line 2 is no synonym"):
        read_synonyms(f"a, b\n{line}".encode())


def test_a_file_that_is_no_text_is_refused() -> None:
    with pytest.raises(SourceError, match="Line 2 of the synonyms is not UTF-8"):
        read_synonyms(b"a, b\n\xff\xfe, c")


def test_a_large_file_is_refused() -> None:
    with pytest.raises(SourceError, match="1,000,000 bytes"):
        read_synonyms(b"a, b\n" * 200_001)

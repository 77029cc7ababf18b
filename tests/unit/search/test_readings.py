"""What scoring reads of a document."""

import gc

import orjson

from livesearch.domain import Document
from livesearch.search.readings import Layout, ReadingMemo, read

_LAYOUT = Layout(titles=("title",), texts=("about", "notes"), labels=(("maker", "tags"), ("region",)))


def test_read_takes_fields_apart_by_what_they_are() -> None:
    document = {
        "title": "Dune: Messiah",
        "about": "The Sands, again",
        "maker": "Cryo",
        "tags": ["Sci-Fi", "sand"],
        "region": "Japan",
        "secret": "unread",
    }

    reading = read(document, _LAYOUT)

    assert reading.fields == (" dune messiah ", " the sands again ", "", " cryo  sci fi sand ", " japan ")
    assert reading.everything == " the sands again  cryo  sci fi sand  japan "
    assert reading.length == 5
    assert reading.document is document


def test_read_stops_in_long_texts() -> None:
    assert read({"about": "ab " * 5000}, _LAYOUT).length == 1334


class _Decoder:
    """Gives a document, and counts how often it was asked."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.call_count = 0

    def __call__(self) -> Document:
        self.call_count += 1
        return self.document


def test_memo_reads_a_document_once_until_its_body_is_another() -> None:
    memo, first, second = ReadingMemo(), _Decoder({"title": "Dune"}), _Decoder({"title": "Arrakis"})

    readings = [memo.read(_LAYOUT, "1", b"one", first) for _ in range(3)]
    changed = memo.read(_LAYOUT, "1", b"two", second)

    assert [reading.fields[0] for reading in readings] == [" dune "] * 3
    assert changed.fields[0] == " arrakis "
    assert (first.call_count, second.call_count) == (1, 1)


def test_memo_tells_keys_and_layouts_apart() -> None:
    memo, document = ReadingMemo(), {"title": "Dune", "about": "sand"}
    other = Layout(titles=("about",), texts=(), labels=())

    assert memo.read(_LAYOUT, "1", b"one", lambda: document).fields[0] == " dune "
    assert memo.read(other, "1", b"one", lambda: document).fields[0] == " sand "
    assert memo.read(_LAYOUT, "2", b"one", lambda: {"title": "Another"}).fields[0] == " another "


def test_what_is_kept_leaves_the_collector_little_to_look_through() -> None:
    memo, document = (
        ReadingMemo(),
        orjson.loads(b'{"title": "Dune Messiah", "about": "The Sands, again", "year": 1969}'),
    )
    memo.read(_LAYOUT, "0", b"body", lambda: document)
    gc.collect()
    before = len(gc.get_objects())
    for number in range(100):
        memo.read(_LAYOUT, str(number), b"another body", lambda: document)
    gc.collect()

    # The reading itself; its fields and the place where it is kept are plain.
    assert len(gc.get_objects()) - before < 150


def test_memo_forgets_what_was_not_asked_for_the_longest() -> None:
    # Room for two: each is told as 1,500 bytes and seven times its body.
    memo, decoders = ReadingMemo(3100), [_Decoder({"title": str(number)}) for number in range(3)]

    for number in (0, 1, 0, 2, 0, 1):
        memo.read(_LAYOUT, str(number), b"body", decoders[number])

    assert [decoder.call_count for decoder in decoders] == [1, 2, 1]


def test_memo_keeps_nothing_that_has_no_room() -> None:
    memo, decoder = ReadingMemo(1500), _Decoder({"title": "Dune"})

    memo.read(_LAYOUT, "1", b"body", decoder)
    memo.read(_LAYOUT, "1", b"body", decoder)

    assert decoder.call_count == 2

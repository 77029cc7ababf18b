"""Shortlists as pages show them, and as files hold them."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from zlib import crc32

import orjson

from livesearch.domain import Collection, Document, Place, Role, SharedShortlist, ShortlistedDocument, ShortlistEntry
from livesearch.search.values import title_of
from livesearch.web.contexts.shortlists import HeaderShortlist, SharedShortlistPage, ShortlistFragment, ShortlistRow
from livesearch.web.presenters.addresses import document_url
from livesearch.web.presenters.formats import format_count, format_values, shorten

# Values told beside the collection.
_FACT_COUNT = 3
_COLUMNS = ("collection", "key", "title", "note", "url")
_GONE = "This document is gone, or not for you to see."

# What spreadsheets take for a formula: OWASP's list, with the full-width signs that some of them read alike.
_FORMULA = re.compile("[=+@\t\r\n\uff1d\uff0b\uff0d\uff20-]")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


def value_of(place: Place) -> str:
    """Which document is meant, as forms say it: names of collections have no slash."""
    return f"{place.collection}/{place.key}"


def present_header_shortlist(entries: Sequence[ShortlistEntry]) -> HeaderShortlist:
    """What is kept, for the header."""
    count = len(entries)
    return HeaderShortlist(
        count=format_count(count) if count else "",
        announcement=f"Shortlist: {_documents(count)}",
        documents=orjson.dumps([value_of(entry.place) for entry in entries]).decode(),
    )


def present_shortlist(
    found: Sequence[ShortlistedDocument], *, can_share: bool = False, share_url: str = ""
) -> ShortlistFragment:
    """One's shortlist."""
    return ShortlistFragment(_documents(len(found)), present_shortlist_rows(found), can_share, share_url)


def present_shared(shared: SharedShortlist, found: Sequence[ShortlistedDocument]) -> SharedShortlistPage:
    """Somebody's shortlist as a link shows it; what is gone is left out."""
    shown = [one for one in found if one.collection is not None]
    return SharedShortlistPage(
        title=f"Shortlist of {shared.owner}", status=_documents(len(shown)), rows=present_shortlist_rows(shown)
    )


def present_shortlist_rows(found: Sequence[ShortlistedDocument]) -> tuple[ShortlistRow, ...]:
    """The rows of a shortlist, in order."""
    last = len(found) - 1
    return tuple(_row(one, is_first=at == 0, is_last=at == last) for at, one in enumerate(found))


def _row(one: ShortlistedDocument, *, is_first: bool, is_last: bool) -> ShortlistRow:
    place, collection = one.entry.place, one.collection
    value = value_of(place)
    return ShortlistRow(
        id=f"kept-{crc32(value.encode()):08x}",
        value=value,
        title=shorten(place.key) if collection is None else title_of(one.document, collection, place.key),
        url="" if collection is None else document_url(place.collection, place.key),
        facts=(_GONE,) if collection is None else _facts(collection, one.document),
        note=one.entry.note,
        is_first=is_first,
        is_last=is_last,
    )


def _facts(collection: Collection, document: Document) -> tuple[str, ...]:
    values = [shorten(", ".join(format_values(document.get(f.name)))) for f in collection.by_role(Role.FACET)]
    return (collection.label, *[value for value in values if value][:_FACT_COUNT])


def _documents(count: int) -> str:
    return f"{format_count(count)} {'document' if count == 1 else 'documents'}" if count else "No documents"


def shortlist_json(found: Iterable[ShortlistedDocument], root: str) -> bytes:
    """A shortlist for programs.

    Args:
        root: The site's address, without the slash at its end.
    """
    rows = [_exported(one, root) | {"document": _shown(one)} for one in found]
    return orjson.dumps({"documents": rows}, option=orjson.OPT_INDENT_2)


def shortlist_csv(found: Sequence[ShortlistedDocument], root: str) -> bytes:
    """A shortlist for spreadsheets; what they would take for a formula is told to be text by an apostrophe.

    Args:
        root: The site's address, without the slash at its end.
    """
    rows = [
        {name: str(value) for name, value in _exported(one, root).items()}
        | {_column(name): "; ".join(format_values(value)) for name, value in _shown(one).items()}
        for one in found
    ]
    names = list(dict.fromkeys([*_COLUMNS, *(name for row in rows for name in row)]))
    file = io.StringIO()
    writer = csv.DictWriter(file, names, restval="", quoting=csv.QUOTE_ALL)
    writer.writerow({name: harmless_cell(name) for name in names})
    writer.writerows({name: harmless_cell(cell) for name, cell in row.items()} for row in rows)
    # With a byte order mark, by which spreadsheets know UTF-8.
    return file.getvalue().encode("utf-8-sig")


def _column(name: str) -> str:
    """What a field of documents is called beside our own columns."""
    return f"document.{name}" if name in _COLUMNS else name


def harmless_cell(text: str) -> str:
    """A cell that no spreadsheet computes: what begins like a formula, and is no number, begins with an apostrophe."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def _exported(one: ShortlistedDocument, root: str) -> dict[str, object]:
    place = one.entry.place
    title = "" if one.collection is None else title_of(one.document, one.collection, place.key)
    return {
        "collection": place.collection,
        "key": place.key,
        "title": title,
        "note": one.entry.note,
        "url": root + document_url(place.collection, place.key),
    }


def _shown(one: ShortlistedDocument) -> dict[str, object]:
    if one.collection is None:
        return {}
    hidden = {field.name for field in one.collection.by_role(Role.HIDDEN)}
    return {name: value for name, value in one.document.items() if name not in hidden}

"""Entering: one row or document, from whoever wrote it, typed and checked before it is stored."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import orjson

from livesearch.domain import Collection, Document, Reject, Role, Row
from livesearch.ingest import coercer
from livesearch.ingest.source import cut_raw
from livesearch.search.values import texts
from livesearch.store.documents import decode, digest_of, encode, without_key

# PostgreSQL cannot index longer keys (2,704 bytes with all that stands in the index row); no key of use is longer.
KEY_LENGTH = 512
# Bytes of a facet's name and value together: the rest of the 2,704 is the index row's own.
_FACET_SIZE = 2680


@dataclass(frozen=True, slots=True)
class Entry:
    """A row that can be taken: its key, its document, the body its row will have, and the whole document's digest."""

    key: str
    document: Document
    body: bytes
    digest: bytes


def enterer(collection: Collection) -> Callable[[Row], Entry | Reject]:
    """Make the function that types a row of a collection, and says whether it can be taken."""
    coerce = coercer({f.name: f for f in collection.fields})
    # A character has four bytes at most: only a name of more than 632 leaves less room than KEY_LENGTH.
    facet_lengths = {
        f.name: min(KEY_LENGTH, (_FACET_SIZE - len(f.name.encode())) // 4) for f in collection.by_role(Role.FACET)
    }
    key_field = collection.key_field

    def enter(row: Row) -> Entry | Reject:
        document = coerce(row.document)
        body = encode(document)
        digest = digest_of(body)
        # Without a key field equal rows are one document, whichever file they come from.
        values = [digest.hex()] if key_field is None else texts(document.get(key_field))
        fault = _key_fault(values, key_field) or _facet_fault(document, facet_lengths)
        if fault:
            raw = orjson.dumps(row.document).decode()
            return Reject(row.line, fault, cut_raw(raw))
        return Entry(values[0], document, without_key(body, document, values[0], collection), digest)

    return enter


def _key_fault(values: list[str], key_field: str | None) -> str | None:
    if len(values) > 1:
        return f"The key field “{key_field}” has no single value."
    if not values or not values[0].strip():
        return f"The key field “{key_field}” has no value."
    if len(values[0]) > KEY_LENGTH:
        return f"The key has {len(values[0])} characters; {KEY_LENGTH} at most."
    if "\0" in values[0]:  # from inside an object
        return f"The key field “{key_field}” holds a character of code 0."
    return None


def _facet_fault(document: Document, lengths: Mapping[str, int]) -> str | None:
    for name, length in lengths.items():
        value = document.get(name)
        if type(value) is str and len(value) <= length:  # the common case, without a call
            continue
        found = texts(value)
        longest = max(map(len, found), default=0)
        if longest > length:
            return (
                f"The facet “{name}” has a value of {longest} characters; {length} at most."
                f" Import with --role {name}=text to search it as text."
            )
        if any("\0" in text for text in found):  # from inside an object
            return f"The facet “{name}” holds a character of code 0."
    return None


# Gives an entry, or why there cannot be one, in words for people.
Enter = Callable[[str | None, Document], Entry | str]


def document_enterer(collection: Collection) -> Enter:
    """Make the function that types and checks single documents of a collection, just as rows of an import.

    It takes a key, or None where the document says it itself; a key that is given stands over the document's own.
    """
    enter_row = enterer(collection)
    key_field = collection.key_field

    def enter(key: str | None, document: Document) -> Entry | str:
        try:
            if key is not None and key_field is not None and texts(document.get(key_field)) != [key]:
                rest = {name: value for name, value in document.items() if name != key_field}
                document = decode(encode(rest), key, collection)  # the key stands where an imported row has it
            found = enter_row(Row(0, document))
        except (RecursionError, orjson.JSONEncodeError):
            return "It holds values nested too deeply, or an integer beyond 64 bits."
        if isinstance(found, Reject):
            return found.reason
        if key is None or key_field is not None:
            return found
        # Rows that were told apart by their content have a hash as their key, and keep it when the content changes.
        return _given_key_fault(key) or Entry(key, found.document, found.body, found.digest)

    return enter


def _given_key_fault(key: str) -> str | None:
    """What keeps a text from being the key of a document that has no key field."""
    if not key.strip() or not key.isprintable():
        return "The key is empty, or has characters that nobody can see."
    return _key_fault([key], None)

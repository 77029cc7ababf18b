"""What can be done to a shortlist, whoever keeps it: pure functions from what was kept to what is kept then."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from livesearch.domain import Place, ShortlistEntry
from livesearch.errors import ConflictError, InvalidInputError, NotFoundError

Entries = tuple[ShortlistEntry, ...]
Change = Callable[[Entries], Entries]

# Entries of a visitor, whose cookie has 4,093 bytes, and of a user; more is no shortlist.
VISITOR_LIMIT, USER_LIMIT = 100, 500
# Characters.
NOTE_LENGTH = 500


def adding(place: Place, *, limit: int) -> Change:
    """Keep a document, last; once.

    Raises (what it gives):
        ConflictError: There are as many as may be kept.
    """

    def change(entries: Entries) -> Entries:
        if _has(entries, place):
            return entries
        if len(entries) >= limit:
            raise full(limit)
        return (*entries, ShortlistEntry(place))

    return change


def full(limit: int) -> ConflictError:
    """Say that no more can be kept, and the way out."""
    more = f" Signed in, you can keep {USER_LIMIT}." if limit < USER_LIMIT else ""
    return ConflictError(f"Your shortlist is full: it holds {limit} documents. Open it and remove some first.{more}")


def removing(place: Place) -> Change:
    """Keep a document no longer; nothing happens where it is not kept."""
    return lambda entries: tuple(entry for entry in entries if entry.place != place)


def moving(place: Place, step: int) -> Change:
    """Move a document by so many places, down for a positive number, as far as there are any.

    Raises (what it gives):
        NotFoundError: It is not kept.
    """

    def change(entries: Entries) -> Entries:
        at = _index(entries, place)
        rest = [*entries[:at], *entries[at + 1 :]]
        rest.insert(min(max(at + step, 0), len(rest)), entries[at])
        return tuple(rest)

    return change


def annotating(place: Place, note: str) -> Change:
    """Say something about a document; empty takes it back.

    Raises (what it gives):
        InvalidInputError: The note is longer than 500 characters.
        NotFoundError: The document is not kept.
    """
    # One line: what a form sends of others, a browser that follows the rules does not.
    text = " ".join(note.split())

    def change(entries: Entries) -> Entries:
        if len(text) > NOTE_LENGTH:
            raise InvalidInputError(f"A note has {NOTE_LENGTH} characters at most, and this one {len(text)}.")
        at = _index(entries, place)
        return (*entries[:at], replace(entries[at], note=text), *entries[at + 1 :])

    return change


def clearing() -> Change:
    """Keep nothing."""
    return lambda _: ()


def merging(brought: Iterable[ShortlistEntry]) -> Change:
    """Keep what another list holds as well, after what is kept already. Nothing is lost for want of room."""

    def change(entries: Entries) -> Entries:
        return (*entries, *(entry for entry in brought if not _has(entries, entry.place)))

    return change


def _has(entries: Entries, place: Place) -> bool:
    return any(entry.place == place for entry in entries)


def _index(entries: Entries, place: Place) -> int:
    for at, entry in enumerate(entries):
        if entry.place == place:
            return at
    raise NotFoundError("This is not on your shortlist any more.")

"""What visitors keep in mind: in their session cookie, so that the store knows nothing of them.

A browser that sends several changes at once sends the same cookie with each, and keeps the answer that comes last: all
others would be lost. So this process remembers for a minute what it answered, by the session's CSRF token, and goes on
from whichever is newer. Over several processes that does not help; there, as everywhere, the page sends one change
after the other.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import cast

from flask import Flask, current_app, session

from livesearch.domain import Place, ShortlistEntry
from livesearch.services.shortlisting import VISITOR_LIMIT, Change, Entries, full
from livesearch.web.cookies import has_session_cookie

_NAME = "shortlist"
_EXTENSION = "livesearch.shortlists"
# Browsers keep 4,096 bytes of a cookie, name and all; the rest of the session changes by less than what is left.
_LONGEST_COOKIE = 3_800
# Seconds, and visitors at most: some 4 MB when all of them keep as much as they can.
_REMEMBERED_SECONDS = 60.0
_REMEMBERED_COUNT = 1_000

# How often it was changed, and the entries as JSON has them.
_Kept = tuple[int, list[list[str]]]


@dataclass(slots=True)
class _Remembered:
    """What was answered last, by session; the latest change last."""

    by_session: OrderedDict[str, tuple[float, _Kept]] = field(default_factory=OrderedDict)

    def get(self, key: str) -> _Kept | None:
        at, kept = self.by_session.get(key, (0.0, None))
        return kept if time.monotonic() - at < _REMEMBERED_SECONDS else None

    def put(self, key: str, kept: _Kept) -> None:
        self.by_session[key] = (time.monotonic(), kept)
        self.by_session.move_to_end(key)
        while len(self.by_session) > _REMEMBERED_COUNT:
            self.by_session.popitem(last=False)


def init_app(app: Flask) -> None:
    """Let an application remember."""
    app.extensions[_EXTENSION] = _Remembered()


def entries_of_visitor() -> Entries:
    """What the visitor keeps; nothing where they have no session, which is not made to look."""
    if not has_session_cookie() or not session:
        return ()
    return tuple(ShortlistEntry(Place(name, key), *note) for name, key, *note in _newest()[1])


def change_of_visitor(change: Change) -> Entries:
    """Change what the visitor keeps.

    Raises:
        ConflictError: As the change has it, or a browser could not keep so much; also InvalidInputError and
            NotFoundError.
    """
    count, before = _newest()
    after = change(tuple(ShortlistEntry(Place(name, key), *note) for name, key, *note in before))
    kept = (count + 1, [[*entry.place, *filter(None, [entry.note])] for entry in after])
    earlier = session.get(_NAME)
    session[_NAME] = kept
    if len(kept[1]) >= len(before) and _cookie_length() > _LONGEST_COOKIE:
        session[_NAME] = earlier
        raise full(min(VISITOR_LIMIT, len(before)))
    if (key := _session_key()) is not None:
        _remembered().put(key, kept)
    return after


def _newest() -> _Kept:
    """The cookie's, or what this process has answered since the browser took that cookie."""
    count, entries = session.get(_NAME) or (0, [])
    key = _session_key()
    remembered = _remembered().get(key) if key is not None else None
    return remembered if remembered is not None and remembered[0] > count else (count, entries)


def heal_cookie() -> None:
    """Give the browser the newest list, where an older answer came last."""
    if has_session_cookie() and session and (newest := _newest())[0] > (session.get(_NAME) or (0, []))[0]:
        session[_NAME] = newest


def _remembered() -> _Remembered:
    return cast("_Remembered", current_app.extensions[_EXTENSION])


def _session_key() -> str | None:
    # Made for each session, of 160 random bits, and there before anything is changed.
    return session.get(current_app.config["WTF_CSRF_FIELD_NAME"])


def _cookie_length() -> int:
    serializer = current_app.session_interface.get_signing_serializer(current_app)  # type: ignore[attr-defined]  # ours has it
    return len(serializer.dumps(dict(session)))

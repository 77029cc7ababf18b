"""What goes wrong in a driver, in our own words."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from livesearch.errors import ConflictError, LivesearchError, QueryTimeoutError, StoreError, StoreUnavailableError

SQLITE_UNAVAILABLE = {
    sqlite3.SQLITE_BUSY: "another program keeps it locked",
    sqlite3.SQLITE_LOCKED: "another program keeps it locked",
    sqlite3.SQLITE_FULL: "the disk is full; free some space",
    sqlite3.SQLITE_CANTOPEN: "its file cannot be opened; check that the folder exists and may be written",
    sqlite3.SQLITE_IOERR: "its disk reports an error",
    sqlite3.SQLITE_CORRUPT: "its file looks damaged; run `livesearch db check`",
    sqlite3.SQLITE_NOTADB: "its file is not a SQLite database; check LIVESEARCH_STORE_URL",
}
# By the first letters of SQLSTATE: connection, serialization, resources, intervention, locks (PostgreSQL, appendix A).
POSTGRES_UNAVAILABLE = ("08", "40", "53", "57P", "55P03", "28", "3D")
POSTGRES_CANCELLED = "57014"


def unavailable(reason: str) -> StoreUnavailableError:
    """Say that the store does not answer, and why."""
    return StoreUnavailableError(f"The store does not answer: {reason}.")


def _first_line(error: BaseException | None) -> str:
    return str(error).partition("\n")[0].rstrip(".")


def store_error(error: exc.DBAPIError) -> LivesearchError:
    """Put an error of a driver in our own words."""
    if isinstance(error, exc.IntegrityError):
        return ConflictError(
            "The change does not fit what is stored; someone may have changed it meanwhile. Try again."
        )
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF  # the primary code
    if code in SQLITE_UNAVAILABLE:
        return unavailable(SQLITE_UNAVAILABLE[code])
    state = getattr(error.orig, "sqlstate", None) or ""
    if state == POSTGRES_CANCELLED:
        return QueryTimeoutError("The query took too long and was stopped. Ask for less.")
    if error.connection_invalidated or state.startswith(POSTGRES_UNAVAILABLE):
        return unavailable(_first_line(error.orig))
    return StoreError(f"The store could not do this: {_first_line(error.orig)}.")


def damage_of(error: LivesearchError) -> str | None:
    """What SQLite says of a damaged file; None where something else is the matter."""
    cause = error.__cause__
    if not isinstance(cause, exc.DBAPIError):
        return None
    code = getattr(cause.orig, "sqlite_errorcode", 0) & 0xFF  # the primary code
    return _first_line(cause.orig) if code == sqlite3.SQLITE_CORRUPT else None


@contextmanager
def wrapped_faults() -> Iterator[None]:
    """Wrap what leaves the block.

    Raises:
        ConflictError: A constraint of the store was violated.
        QueryTimeoutError: The store ended a statement that ran too long.
        StoreUnavailableError: The store does not answer, or all its connections are taken.
        StoreError: Anything else that a driver raised.
    """
    try:
        yield
    except exc.TimeoutError as error:
        raise unavailable("all its connections are busy; try again in a moment") from error
    except TimeoutError as error:
        raise QueryTimeoutError("The store took too long to answer. Try again, or ask for less.") from error
    except exc.DBAPIError as error:
        raise store_error(error) from error

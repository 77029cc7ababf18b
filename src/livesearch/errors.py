"""Everything livesearch raises on purpose.

LivesearchError
├── ConfigError                  a setting or option is wrong
├── SourceError                  a file or table cannot be read as rows
│   └── KeyUndecidedError        two or more fields could be the key
├── InvalidInputError            a request or command holds a value that cannot be used
├── UnauthorizedError            who asks has not said who they are, or cannot prove it
├── ForbiddenError               who asks may not do this
├── TooManyAttemptsError         something was tried too often
├── OverloadedError              more is asked for at once than can be answered
├── NotFoundError
│   ├── CollectionNotFoundError
│   └── DocumentNotFoundError
├── ConflictError                the change does not fit what is stored
│   └── NameTakenError           somebody has the name
├── MailError                    a mail could not be handed over
└── StoreError                   the store failed
    ├── SchemaOutdatedError      the store was made by an older livesearch
    ├── StoreUnavailableError    the store does not answer
    └── QueryTimeoutError        a query ran past its time limit

Messages are written for people: what failed, with which value, and what to do next. They hold no secrets: show them.
"""

from collections.abc import Sequence


class LivesearchError(Exception):
    """The root of the tree."""


class ConfigError(LivesearchError):
    """A setting or option is wrong."""


class SourceError(LivesearchError):
    """A file or table cannot be read as rows."""


class KeyUndecidedError(SourceError):
    """Two or more fields could be the key.

    Attributes:
        candidates: Names of the fields, most likely first.
    """

    def __init__(self, candidates: Sequence[str]) -> None:
        self.candidates = tuple(candidates)
        super().__init__(
            f"More than one field could be the key: {', '.join(candidates)}. Choose one with --key {candidates[0]}."
        )


class InvalidInputError(LivesearchError):
    """A request or command holds a value that cannot be used."""


class UnauthorizedError(LivesearchError):
    """Who asks has not said who they are, or cannot prove it."""


class ForbiddenError(LivesearchError):
    """Who asks may not do this."""


class TooManyAttemptsError(LivesearchError):
    """Something was tried too often.

    Attributes:
        retry_after: Seconds until it may be tried again.
    """

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        minutes = -(-retry_after // 60)
        super().__init__(f"There were too many attempts. Try again in {minutes} minute{'s' if minutes > 1 else ''}.")


class OverloadedError(LivesearchError):
    """More is asked for at once than can be answered."""

    def __init__(self, message: str = "Too many requests at once. Try again in a moment.") -> None:
        super().__init__(message)


class NotFoundError(LivesearchError):
    """What was asked for does not exist."""


class CollectionNotFoundError(NotFoundError):
    """No collection has this name."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"There is no collection named “{name}”.")


class DocumentNotFoundError(NotFoundError):
    """No document has this key."""

    def __init__(self, collection: str, key: str) -> None:
        self.collection, self.key = collection, key
        super().__init__(f"There is no document “{key}” in “{collection}”.")


class ConflictError(LivesearchError):
    """The change does not fit what is stored."""


class NameTakenError(ConflictError):
    """Somebody has the name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Somebody is named “{name}” already. Choose another name.")


class MailError(LivesearchError):
    """A mail could not be handed over."""


class StoreError(LivesearchError):
    """The store failed."""


class SchemaOutdatedError(StoreError):
    """The store was made by an older livesearch."""


class StoreUnavailableError(StoreError):
    """The store does not answer."""


class QueryTimeoutError(StoreError):
    """A query ran past its time limit."""

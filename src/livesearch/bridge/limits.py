"""How much a request may bring, and how long a client may take."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from asgiref.typing import HTTPScope

from livesearch.config import Settings

# Bodies up to this size (bytes) stay in memory, larger ones go to a temporary file.
SPOOL_SIZE = 1 << 20
DEFAULT_BODY_LIMIT = 1 << 20
# A client gets so many seconds to send, and to take, each piece of so many bytes: any usable line is faster.
RECEIVE_SECONDS, SEND_SECONDS = 8.0, 10.0
PIECE_SIZE = 1 << 16
# Seconds and bytes in which a client may notice that its body is refused.
LINGER_SECONDS = 0.5
LINGER_SIZE = 1 << 20
# Answers up to this size (bytes) leave their thread whole: a client that does not read them must not hold it.
HELD_SIZE = 8 << 20
# What is answered however many wait: signs of life, and files that are in memory.
UNCOUNTED_PATHS = ("/healthz", "/readyz", "/metrics", "/static/")
# What a client that leaves no longer wants. Anything else may have changed something: it runs to its end.
CANCELLABLE_METHODS = frozenset({"GET", "HEAD"})


class Uploads(Protocol):
    """Where bodies go that are too large for memory, and who may send them."""

    def folder(self) -> Path:
        """A folder on a disk; not one that is memory, as ``/tmp`` may be."""
        ...

    async def may_send(self, scope: HTTPScope) -> bool:
        """Whether the sender of a request may upload; asked before its body is read."""
        ...


def default_body_limit(_path: str) -> int:
    """Bytes that a request body may have, whatever its path."""
    return DEFAULT_BODY_LIMIT


def body_limit(settings: Settings) -> Callable[[str], int]:
    """Bytes that a body may have, by path: uploads go to ``/imports``."""
    upload_limit = settings.max_upload_mb * 1_000_000
    return lambda path: upload_limit if path.startswith("/imports") else DEFAULT_BODY_LIMIT

"""Which requests are alike: what of a request an answer may depend on, and nothing else.

Everything is read from the ASGI scope, before Flask, and on every hit: so it is done with bytes, in one pass.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

# Path, query string, scheme, and names and values of the headers that answers vary by.
Key = tuple[str, bytes, str, tuple[bytes, ...]]

_PREFIXES = ("/c/", "/htmx/c/", "/api/v1/collections")
_HOME = "/"
# More would be refused, as the bridge counts them: those requests go there.
_HEADER_COUNT = 100
# Characters of a value; who sends more, of a search or of a header, is answered, but not remembered.
_LONGEST = 2_000

# What an answer may differ by. ``HX-Current-URL`` is not among them, it changes with every letter: no view that is kept
# may read it. Who asks from where (``X-Forwarded-For``) is nobody's business here.
_VARYING = frozenset(
    {
        b"host",
        b"hx-request",
        b"hx-request-type",
        b"hx-boosted",
        b"hx-history-restore-request",
        b"hx-source",
        b"hx-trigger",
        b"hx-trigger-name",
        b"hx-target",
        b"hx-prompt",
        b"x-forwarded-proto",
    }
)
# A body, or something else to wait for; a program's token: not ours.
_FOREIGN = frozenset({b"authorization", b"transfer-encoding", b"expect", b"upgrade"})
_COOKIE, _LENGTH, _ETAGS, _ID = b"cookie", b"content-length", b"if-none-match", b"x-request-id"
_READ = _VARYING | _FOREIGN | {_COOKIE, _LENGTH, _ETAGS, _ID}

# The names an answer may have in ``Vary``: what is told apart above, or sends a request past the cache.
KNOWN_VARY = _VARYING | {b"cookie", b"authorization"}


@dataclass(slots=True)
class CacheableRequest:
    """A request that may be answered from what was kept.

    Attributes:
        key: As it was written; two keys may mean the same.
        etags: The value of ``If-None-Match``; empty without.
        request_id: As the client, or a proxy, sent it.
    """

    key: Key
    is_head: bool
    etags: bytes
    request_id: bytes
    _canonical_key: Key | None = None

    def canonical_key(self) -> Key:
        """The key that stands for all that mean the same search."""
        if self._canonical_key is None:
            path, query, scheme, varying = self.key
            self._canonical_key = path, _canonical(query), scheme, _canonical_headers(varying)
        return self._canonical_key


def read_request(scope: dict[str, Any], private_cookies: Iterable[bytes]) -> CacheableRequest | None:  # noqa: C901  # one pass
    """Read a request; None where it must be answered by the application itself.

    Args:
        scope: An HTTP scope of a GET or HEAD. Any: as ASGI has it.
        private_cookies: What stands in the name of a cookie that may make an answer somebody's own.
    """
    path = scope["path"]
    headers = scope["headers"]
    query = scope["query_string"]
    if not (path.startswith(_PREFIXES) or path == _HOME):
        return None
    if len(path) + len(query) > _LONGEST or len(headers) > _HEADER_COUNT:
        return None
    varying: list[bytes] = []
    etags = request_id = b""
    for header in headers:
        name, value = header
        if name not in _READ:
            continue
        if name in _VARYING and len(value) <= _LONGEST:
            varying += header
        elif name == _ETAGS:
            etags += value
        elif name == _ID:
            request_id += value
        elif name == _COOKIE:
            if any(cookie in value for cookie in private_cookies):
                return None
        elif name != _LENGTH or value != b"0":
            return None
    key = (path, query, scope.get("scheme", "http"), _known(tuple(varying)))
    return CacheableRequest(key, scope["method"] == "HEAD", etags, request_id)


# Browsers send the same few headers with every letter: thousands of keys share one tuple.
@lru_cache(maxsize=256)
def _known(varying: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return varying


@lru_cache(maxsize=256)
def _canonical_headers(varying: tuple[bytes, ...]) -> tuple[bytes, ...]:
    headers = sorted(zip(varying[::2], varying[1::2], strict=True))
    return tuple([b":".join(header) for header in headers])


def _canonical(query: bytes) -> bytes:
    """The query string without empty parameters, in one way of writing.

    Order is kept, for filters are shown in it; and a name that comes twice leaves everything as it is, for then the
    first may count, or their order.
    """
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError:
        return query
    if len({name for name, _ in pairs}) < len(pairs):
        return query
    return urlencode([(name, value) for name, value in pairs if value]).encode()

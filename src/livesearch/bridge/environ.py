"""A request as WSGI has it (PEP 3333), made from one of ASGI."""

import re
import sys
from functools import lru_cache
from typing import IO, Any

from asgiref.typing import HTTPScope

from livesearch.bridge.limits import CANCELLABLE_METHODS

_NAME = re.compile(r"[!#$%&'*+.^`|~\w-]+", re.ASCII)


def is_without_body(scope: HTTPScope) -> bool:
    """Whether nothing but its head belongs to a request that reads: in HTTP/1 a body is announced (RFC 9112, 6.3)."""
    if scope["method"] not in CANCELLABLE_METHODS or not scope["http_version"].startswith("1"):
        return False
    return all(
        name != b"transfer-encoding" and (name != b"content-length" or value == b"0")
        for name, value in scope["headers"]
    )


# Names are few: of headers that browsers send, and of those that we do. Whoever makes up others fills this, no more.
@lru_cache(1000)
def _environ_name(name: bytes) -> str:
    """How WSGI calls a header of a request."""
    text = name.decode("latin-1").upper().replace("-", "_")
    return text if name in (b"content-length", b"content-type") else f"HTTP_{text}"


@lru_cache(1000)
def sent_name(name: str) -> bytes:
    """How ASGI has the name of a header that is sent.

    Raises:
        ValueError: It is no name (RFC 9110, 5.1).
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a header.")
    return name.lower().encode()


def build_environ(scope: HTTPScope, body: IO[bytes], duplicate_header_limit: int) -> dict[str, Any]:
    """What asgiref makes of a request.

    Args:
        duplicate_header_limit: Times that one header may come; 0 for any number.

    Raises:
        ValueError: One comes more often, or the query string is not ASCII.
    """
    headers: dict[str, str] = {}
    counts: dict[str, int] = {}
    for raw_name, raw_value in scope["headers"]:
        name = _environ_name(raw_name)
        value = raw_value.decode("latin-1")
        if name not in headers:
            headers[name] = value
            continue
        counts[name] = counts.get(name, 1) + 1
        if duplicate_header_limit and counts[name] > duplicate_header_limit:
            raise ValueError(f"{name} comes too often.")
        headers[name] = f"{headers[name]},{value}"
    script_name = scope.get("root_path", "").encode().decode("latin-1")
    server, client = scope.get("server") or ("localhost", 80), scope.get("client")
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": script_name,
        "PATH_INFO": scope["path"].encode().decode("latin-1").removeprefix(script_name),
        "QUERY_STRING": scope["query_string"].decode("ascii"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or 0),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        # The body is all here: without this mark Werkzeug would take a chunked one for empty.
        "wsgi.input_terminated": True,
    }
    if client is not None:
        environ["REMOTE_ADDR"] = client[0]
    environ.update(headers)
    return environ

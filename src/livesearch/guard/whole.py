"""Sending an answer in one piece, past uvicorn's reading of each header.

To search a dozen headers for line ends, one by one, costs more than everything else about an answer that is kept, and a
thirtieth of one that is computed. A kept one's are searched once, when it is first sent; others all at once. This knows
how uvicorn 0.54, which the project pins, keeps account of a response; where anything is unusual it leaves the answer to
uvicorn.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

_OK = STATUS_LINE[HTTPStatus.OK]
# What no header may contain (RFC 9110, 5.5); each line of a head ends with two of them.
_CONTROLS = bytes(code for code in range(128) if (code < 32 and code != 9) or code == 127)  # noqa: PLR2004  # ASCII's
# What uvicorn draws conclusions from.
_OF_CONNECTION = frozenset({b"connection", b"transfer-encoding"})


def send_whole(send: Any, head: bytes, body: bytes) -> bool:
    """Send a whole answer to a GET, if that can be done at once.

    Args:
        send: ASGI's. Any: what it belongs to is looked at.
        head: Lines of headers that uvicorn has sent before, with the line end of the last; ``Content-Length`` is there.
        body: As long as the head says.

    Returns:
        Whether it was sent; otherwise nothing was.
    """
    cycle = _usual_cycle(send)
    if cycle is not None:
        _write(cycle, head, body)
    return cycle is not None


def send_computed(send: Any, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> bool:
    """The same, with headers that uvicorn has not seen: their names are in small letters, and names."""
    cycle = _usual_cycle(send)
    if cycle is None:
        return False
    by_name = dict(headers)
    if by_name.get(b"content-length") != b"%d" % len(body) or not _OF_CONNECTION.isdisjoint(by_name):
        return False
    head = b"".join([b"%b: %b\r\n" % header for header in headers])
    if len(head) - len(head.translate(None, _CONTROLS)) != 2 * len(headers):
        return False
    _write(cycle, head, body)
    return True


def _usual_cycle(send: Any) -> RequestResponseCycle | None:
    """The account that uvicorn keeps of a GET that can be answered at once, on a connection that is kept."""
    cycle = getattr(send, "__self__", None)
    if (
        type(cycle) is not RequestResponseCycle
        or cycle.response_started
        or cycle.disconnected
        or not cycle.keep_alive
        or cycle.access_log
        or cycle.flow.write_paused
        or cycle.scope["method"] != "GET"
    ):
        return None
    return cycle


def _write(cycle: RequestResponseCycle, head: bytes, body: bytes) -> None:
    cycle.response_started = cycle.response_complete = True
    cycle.waiting_for_100_continue = False
    own = [b"%b: %b\r\n" % header for header in cycle.default_headers]
    cycle.transport.write(b"".join([_OK, *own, head, b"\r\n", body]))
    cycle.message_event.set()
    cycle.on_response()

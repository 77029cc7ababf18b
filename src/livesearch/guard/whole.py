"""Sending an answer in one piece, past uvicorn's reading of each header.

For an answer that is kept, that reading and a second system call cost more than everything else together: 20 headers of
which every one is searched for line ends, each time. They are searched once, when the answer is first sent. This knows
how uvicorn 0.54, which the project pins, keeps account of a response; where anything is unusual it leaves the answer to
uvicorn.
"""

from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

_OK = STATUS_LINE[HTTPStatus.OK]


def send_whole(send: Any, head: bytes, body: bytes) -> bool:
    """Send a whole answer to a GET, if that can be done at once.

    Args:
        send: ASGI's. Any: what it belongs to is looked at.
        head: Lines of headers that uvicorn has sent before, with the line end of the last; ``Content-Length`` is there.
        body: As long as the head says.

    Returns:
        Whether it was sent; otherwise nothing was.
    """
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
        return False
    cycle.response_started = cycle.response_complete = True
    cycle.waiting_for_100_continue = False
    own = [b"%b: %b\r\n" % header for header in cycle.default_headers]
    cycle.transport.write(b"".join([_OK, *own, head, b"\r\n", body]))
    cycle.message_event.set()
    cycle.on_response()
    return True

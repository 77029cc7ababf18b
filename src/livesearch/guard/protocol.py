"""uvicorn's HTTP protocol with the limits it lacks: size and deadline of a request's head, and one clear reading of it.

uvicorn over httptools takes a head of 20 MB, waits for its end for ever, and passes on what proxies and WSGI read
differently. A request that oversteps is answered in plain text, as far as its connection can still be answered, and the
connection is closed. Bodies are the bridge's: it knows their limits.
"""

import asyncio
import re
import socket
from http import HTTPStatus
from typing import NoReturn

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from livesearch.web.headers import SECURITY_HEADERS

# Bytes. Room for fifty filters, in scripts that take nine bytes a character.
MAX_URL = 16 << 10
# Bytes and lines; browsers send about 1 kB in 15 lines, and cookies may add 4 kB.
MAX_HEAD = 32 << 10
MAX_HEADERS = 100
# Seconds from a connection's, or a request's, first byte to the end of its head.
HEAD_SECONDS = 8.0

# Seconds in which a client must take something of what is sent to it. The bridge gives up such an answer earlier; this
# ends the connection, which would otherwise wait for ever to send the rest. Linux has it.
STALL_SECONDS = 15.0
_UNTAKEN: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)

_HOST = re.compile(rb"(?:[\w.~%-]+|\[[\da-f:.]+\])(?::\d{1,5})?", re.ASCII | re.IGNORECASE)
_SECURITY = "".join(f"{name.lower()}: {value}\r\n" for name, value in SECURITY_HEADERS.items()).encode()


class RefusedRequestError(Exception):
    """The parser is to stop: the protocol will answer with its ``refusal``."""


class GuardedProtocol(HttpToolsProtocol):
    """One connection. Give it to uvicorn as ``http="livesearch.guard.protocol:GuardedProtocol"``."""

    refusal = HTTPStatus.BAD_REQUEST
    _deadline: asyncio.TimerHandle | None = None
    _is_in_head = False
    _head_size = _header_count = 0
    # Bytes since the parser last had something whole: an endless header, trailer or chunk extension is all pending.
    _pending_size = 0
    _has_progressed = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Wait for a request, but not for ever."""
        super().connection_made(transport)
        if _UNTAKEN is not None:
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, _UNTAKEN, int(1000 * STALL_SECONDS))
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._forget_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        if self.transport.is_closing():
            return
        self._has_progressed = False
        super().data_received(data)
        if self.transport.is_closing():
            return
        self._pending_size = 0 if self._has_progressed else self._pending_size + len(data)
        if self._pending_size > MAX_HEAD:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self._is_in_head or not self._is_answering():
            self._expect_head()

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._is_in_head, self._head_size, self._header_count = True, 0, 0

    def on_url(self, url: bytes) -> None:
        """Take a part of the URL."""
        super().on_url(url)
        if len(self.url) > MAX_URL:
            self._stop(HTTPStatus.REQUEST_URI_TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; those at the end of a chunked body are counted, too, but not believed."""
        self._head_size += len(name) + len(value) + len(b": \r\n")
        self._header_count += 1
        if self._head_size > MAX_HEAD or self._header_count > MAX_HEADERS:
            self._stop(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        # WSGI has one name for `X-Forwarded-For` and `X_Forwarded_For`: a proxy sets the first and passes the other on.
        if self._is_in_head and b"_" not in name:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to answer, if the head can be read in one way only."""
        self._is_in_head, self._has_progressed = False, True
        self._forget_deadline()
        if not self._is_plain():
            self._stop(HTTPStatus.BAD_REQUEST)
        if self._get_upgrade() == b"websocket":
            self._stop(HTTPStatus.FORBIDDEN)
        super().on_headers_complete()

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: to offer another protocol, as curl does HTTP/2, asks for no more than an answer in this one."""

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._has_progressed = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request."""
        self._has_progressed = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # uvicorn's own words say less than the status
        """Answer what could not be parsed, or was not to be."""
        self._refuse(self.refusal)

    def _is_plain(self) -> bool:
        version = self.parser.get_http_version()
        hosts = [value for name, value in self.headers if name == b"host"]
        codings = [value.lower() for name, value in self.headers if name == b"transfer-encoding"]
        return (
            version in ("1.0", "1.1")
            # Not an address of another site, as for a proxy: `Host` would be one of two.
            and self.url.startswith(b"/")
            and len(hosts) <= 1
            and all(_HOST.fullmatch(host) for host in hosts)
            and (bool(hosts) or version == "1.0")
            and (not codings or (codings == [b"chunked"] and version == "1.1"))
        )

    def _is_answering(self) -> bool:
        return bool(self.cycle) and not self.cycle.response_complete

    def _stop(self, status: HTTPStatus) -> NoReturn:
        """From a callback of the parser: nothing after this is parsed."""
        self.refusal = status
        raise RefusedRequestError

    def _refuse(self, status: HTTPStatus) -> None:
        self._forget_deadline()
        if not self._is_answering():  # Otherwise it would stand in the middle of an earlier request's answer.
            text = status.phrase.encode()
            self.transport.write(
                b"%scontent-type: text/plain\r\ncontent-length: %d\r\nconnection: close\r\n%s\r\n%s"
                % (STATUS_LINE[status], len(text), _SECURITY, text)
            )
        self.transport.close()

    def _expect_head(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        if self._is_in_head:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:  # Silence, as of a browser that connects ahead: an answer would be taken for that to a later request.
            self.transport.close()

"""One request, on the server's loop."""

import asyncio
import contextvars
import logging
import time
from collections.abc import Awaitable, Coroutine, Iterable
from contextlib import suppress
from http import HTTPStatus
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any, cast

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, ASGISendEvent, HTTPScope
from asgiref.wsgi import WsgiToAsgiInstance

from livesearch.bridge import limits
from livesearch.bridge.environ import build_environ, is_without_body, sent_name
from livesearch.bridge.listening import Listening, turns
from livesearch.errors import OverloadedError
from livesearch.guard.patience import within
from livesearch.guard.whole import send_computed
from livesearch.web.caching import SCOPE_KEY
from livesearch.web.greenlets import await_, spawn
from livesearch.web.logs import CLIENT_LEFT, UNKNOWN

if TYPE_CHECKING:
    from livesearch.bridge.application import LoopBridge

log = logging.getLogger(__name__)


# asgiref's constructors and methods are not annotated, hence `no-untyped-call` wherever they are called.
class LoopInstance(WsgiToAsgiInstance):
    """One request. ``bridge`` holds what requests share."""

    scope: HTTPScope
    response_start: dict[str, Any]  # Any: an ASGI message

    def __init__(self, bridge: "LoopBridge") -> None:
        super().__init__(bridge.wsgi_application, bridge.duplicate_header_limit)  # type: ignore[no-untyped-call]  # asgiref has no types there
        self.bridge = bridge
        self.is_complete = False  # The last message is on its way: what `receive` says now is no hang-up.
        self.is_gone = False
        self.is_working = False  # Between being admitted and having an answer.
        self.is_read = False  # The whole body.
        self.is_seen = False  # By the application, which logs it.
        self.began = time.perf_counter()

    async def __call__(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Serve the request; return once it is answered or nobody waits for the answer."""
        self.scope, self.asgi_send = scope, send
        if not self.bridge.trusts(scope):
            await self.refuse(400, receive)
        elif is_without_body(scope):
            self.is_read = True
            await self.serve(BytesIO(), 0, receive)
        else:
            limit, folder = await self.room(scope)
            with SpooledTemporaryFile(max_size=limits.SPOOL_SIZE, dir=folder) as body:
                await self.serve(body, await self.read_body(body, receive, limit), receive)
        if self.is_gone and not self.is_seen:
            self.log(CLIENT_LEFT)

    async def serve(self, body: IO[bytes], status: int, receive: ASGIReceiveCallable) -> None:
        """Answer a request whose body was read, with a refusal when there is a status for it."""
        try:
            environ = self.build_environ(self.scope, body)
        except ValueError:  # too many duplicate headers, or a query string that is not ASCII
            status = status or 400
        if status and not self.is_gone:
            await self.refuse(status, receive)
        elif not self.is_gone:
            environ[SCOPE_KEY] = self.scope.get(SCOPE_KEY)
            await self.work(environ, receive)

    def work(self, environ: dict[str, Any], receive: ASGIReceiveCallable) -> Awaitable[None]:
        """Run the application, and listen for the client meanwhile."""
        # A server may start a pipelined request inside the previous one's task: without an empty context
        # one visitor's `g` would reach another's request (github.com/python/cpython/issues/140947).
        # uvicorn gives each request one when it is told to (`reset_contextvars`); then its task will do.
        working = self.work_alone(environ, receive)
        if contextvars.copy_context():
            return asyncio.get_running_loop().create_task(working, context=contextvars.Context())
        return working

    async def work_alone(self, environ: dict[str, Any], receive: ASGIReceiveCallable) -> None:
        """Run the application in this task, which is cancelled when the client hangs up before it has its answer."""
        if self.scope["method"] not in limits.CANCELLABLE_METHODS:
            await self.run_in_turn(environ)
            return
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # this is one
        is_cancelled = False

        def cancel() -> None:
            nonlocal is_cancelled
            if not self.is_complete:
                self.is_gone = is_cancelled = task.cancel()

        try:
            with Listening(receive, cancel):
                await self.run_in_turn(environ)
        except asyncio.CancelledError:
            if not self.is_gone or task.cancelling() > is_cancelled:
                raise  # the server's
        finally:
            if is_cancelled:
                task.uncancel()

    async def run_in_turn(self, environ: dict[str, Any]) -> None:
        """Run the application when there is room for one more at work, or refuse the request."""
        # A server needs three turns of the loop to tell of a client that has hung up already. Without them each such
        # request began its work: the next one after 300 of them waited 1,000 ms, and 10 ms now.
        await turns(3)
        admission = self.bridge.admission
        if admission and not self.scope["path"].startswith(limits.UNCOUNTED_PATHS):
            try:
                await admission.enter()
            except OverloadedError:
                await self.refuse(503)
                return
            self.is_working = True
        self.is_seen = True
        try:
            await self.run_wsgi_app(environ)
        finally:
            self.end_turn()

    def end_turn(self) -> None:
        """Let another request work; sending the answer is no work, however slowly it is taken."""
        if self.is_working and self.bridge.admission:
            self.is_working = False
            self.bridge.admission.leave()

    async def room(self, scope: HTTPScope) -> tuple[int, str | None]:
        """Bytes that the body may have, and the folder for one that is too large for memory."""
        limit, uploads = self.bridge.body_limit(scope["path"]), self.bridge.uploads
        if limit <= limits.SPOOL_SIZE or uploads is None or scope["method"] in limits.CANCELLABLE_METHODS:
            return limit, None
        if not await uploads.may_send(scope):
            return min(limit, limits.DEFAULT_BODY_LIMIT), None
        return limit, str(await asyncio.to_thread(uploads.folder))

    async def read_body(self, body: IO[bytes], receive: ASGIReceiveCallable, limit: int) -> int:
        """Take the body in; answers a status to refuse the request with, 0 when there is nothing to refuse."""
        size, more, held = 0, True, bytearray()
        for name, value in self.scope["headers"]:
            if name == b"content-length" and int(value) > limit:
                return 413
        now = asyncio.get_running_loop().time
        deadline = now() + limits.RECEIVE_SECONDS
        while more:
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                return 408
            if message["type"] != "http.request":
                self.is_gone = True
                return 0
            piece = message.get("body", b"")
            size, more = size + len(piece), message.get("more_body", False)
            if size > limit:
                return 413
            held += piece
            if len(held) > limits.SPOOL_SIZE:  # a disk may make one wait
                await asyncio.to_thread(body.write, bytes(held))
                held.clear()
            # Time is earned by what arrives, and cannot be saved up: neither a trickle nor a stop lasts.
            deadline = min(
                deadline + len(piece) * limits.RECEIVE_SECONDS / limits.PIECE_SIZE, now() + limits.RECEIVE_SECONDS
            )
        if size > limits.SPOOL_SIZE:
            await asyncio.to_thread(body.write, bytes(held))
        else:
            body.write(held)
        body.seek(0)
        self.is_read = True
        return 0

    def build_environ(self, scope: HTTPScope, body: IO[bytes]) -> dict[str, Any]:
        """What asgiref makes of a request, at a third of its cost."""
        return build_environ(scope, body, self.duplicate_header_limit)

    async def refuse(self, status: int, receive: ASGIReceiveCallable | None = None) -> None:
        """Answer without the application.

        Args:
            receive: What the client may still send is not wanted: the connection ends with the answer.
        """
        headers, body = self.bridge.refusals.answer(status, self.scope)
        if receive:
            headers.append((b"connection", b"close"))
        self.is_complete = True
        self.log(status)
        await self.deliver({"type": "http.response.start", "status": status, "headers": headers, "trailers": False})
        if receive:
            await self.deliver({"type": "http.response.body", "body": body, "more_body": True})
            await self.let_it_read(receive)
            body = b""
        await self.deliver({"type": "http.response.body", "body": body, "more_body": False})

    async def let_it_read(self, receive: ASGIReceiveCallable) -> None:
        """Take a little more of a refused body: closed at once, the connection is reset, and the answer often lost."""
        size, more = 0, not self.is_read
        with suppress(TimeoutError):
            async with asyncio.timeout(limits.LINGER_SECONDS):
                while more and size < limits.LINGER_SIZE:
                    message = cast("dict[str, Any]", await receive())
                    size, more = size + len(message.get("body", b"")), message.get("more_body", False)
                if more:  # It sends faster than it reads: it is read no further, and still has time to look.
                    await asyncio.sleep(limits.LINGER_SECONDS)

    def log(self, status: int) -> None:
        """Write the line of a request that the application has not seen."""
        method, milliseconds = self.scope["method"], 1000 * (time.perf_counter() - self.began)
        self.bridge.lines.write(method, status, UNKNOWN, None, milliseconds)
        if self.bridge.metrics:
            self.bridge.metrics.note_unrouted(method, status)

    async def deliver(self, *messages: ASGISendEvent) -> None:
        """Send messages; a client that does not take them in time counts as one that hung up."""
        try:
            await within(limits.SEND_SECONDS, self.send_all(messages))
        except TimeoutError:
            log.warning("%s %s: the client does not read; given up.", self.scope["method"], self.scope["path"])
            self.is_gone = True
            raise asyncio.CancelledError from None
        if messages[-1].get("more_body"):
            # Servers return at once while their buffer has room: let others have the loop, and hear of a hang-up.
            await asyncio.sleep(0)

    async def send_all(self, messages: Iterable[ASGISendEvent]) -> None:
        """Send messages, and keep account of the answer."""
        for message in messages:
            if message["type"] == "http.response.start":
                self.end_turn()
                # The next request of this client is to go to another process.
                if self.bridge.is_stopping and (b"connection", b"close") not in message["headers"]:
                    message["headers"] = [*message["headers"], (b"connection", b"close")]
            elif not message.get("more_body"):
                self.is_complete = True
            await self.asgi_send(message)

    def sync_send(self, *messages: ASGISendEvent) -> None:  # type: ignore[override]  # asgiref's is an AsyncToSync
        """Send from the WSGI side."""
        if len(messages) == 1 or not self.send_at_once(*cast("tuple[dict[str, Any], ...]", messages)):
            await_(self.deliver(*messages))

    def send_at_once(self, start: dict[str, Any], end: dict[str, Any]) -> bool:
        """Send a usual answer that is whole, if the server can; says whether it has."""
        if start["status"] != HTTPStatus.OK or end["more_body"] or self.bridge.is_stopping:
            return False
        if not send_computed(self.asgi_send, start["headers"], end["body"]):
            return False
        self.is_complete = True
        self.end_turn()
        return True

    def run_wsgi_app(self, environ: dict[str, Any]) -> Coroutine[Any, Any, None]:
        """Run the WSGI side to the last message."""
        return spawn(self.drive, environ)

    def start_response(self, status: str, response_headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        """Take status and headers; asgiref encodes them as ASCII, WSGI (PEP 3333) means latin-1.

        ``exc_info`` is what ``sys.exc_info`` gives.
        """
        super().start_response(status, [], exc_info)  # type: ignore[no-untyped-call]  # asgiref has no types there
        headers = [(sent_name(name), value.encode("latin-1")) for name, value in response_headers]
        self.response_start["headers"] = headers
        length = dict(headers).get(b"content-length")
        self.response_content_length = None if length is None else int(length)

    def drive(self, environ: dict[str, Any]) -> None:
        """Call the application and send what it answers: a WSGI server in short."""
        chunks: Iterable[bytes] = self.wsgi_application(environ, self.start_response)
        try:
            last = self.send_chunks(chunks)
        finally:
            if close := getattr(chunks, "close", None):
                close()
        self.send_piece({"type": "http.response.body", "body": last, "more_body": False})

    def send_piece(self, message: ASGISendEvent) -> None:
        """Send a piece of the body; before the first, status and headers."""
        if self.response_started:
            self.sync_send(message)
        else:
            self.response_started = True
            self.sync_send(cast("ASGISendEvent", self.response_start), message)

    def send_chunks(self, chunks: Iterable[bytes]) -> bytes:
        """Send the body but for its end, which is returned: it must wait for ``close()``.

        Nothing beyond ``Content-Length`` is sent.
        """
        left = self.response_content_length
        for chunk in chunks:
            left = self.response_content_length if left is None else left
            for start in range(0, len(chunk), limits.PIECE_SIZE):
                piece = chunk[start : start + limits.PIECE_SIZE]
                if left is not None:
                    piece = piece[:left]
                    left -= len(piece)
                    if not left:
                        return piece
                self.send_piece({"type": "http.response.body", "body": piece, "more_body": True})
        return b""

"""The bridge: an async Flask application served on the event loop, on top of asgiref's ``WsgiToAsgi``.

asgiref's own bridge runs one request at a time on one thread, answers errors to reused connections, and never hears of
a client that hung up. This one keeps its translation between ASGI and WSGI (environ, duplicate headers, response state)
and changes who runs what:

- The WSGI call runs in a greenlet on the server's loop, a task for each request; ``LoopFlask`` awaits views there.
- A client that hangs up cancels its GET or HEAD, which interrupts the query in the database. A write runs to its end.
- The last message is sent after ``close()``: the server may start the next request on that connection at once.

``ThreadBridge`` keeps the same promises with a thread for each request, for synchronous code that would hold the loop.
"""

import asyncio
import contextvars
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, nullcontext
from tempfile import SpooledTemporaryFile
from typing import IO, Any, ClassVar, cast

from asgiref.sync import AsyncToSync, sync_to_async
from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, ASGISendEvent, HTTPScope, Scope
from asgiref.wsgi import WsgiToAsgi, WsgiToAsgiInstance

from livesearch.app import create_app
from livesearch.config import Settings, load_settings
from livesearch.errors import LivesearchError
from livesearch.web.greenlets import await_, spawn
from livesearch.web.headers import SECURITY_HEADERS

log = logging.getLogger(__name__)

Lifespan = Callable[[], AbstractAsyncContextManager[object]]

# Bodies up to this size (bytes) stay in memory, larger ones go to a temporary file.
SPOOL_SIZE = 1 << 20
DEFAULT_BODY_LIMIT = 1 << 20
# Seconds without a byte after which an upload is given up.
RECEIVE_SECONDS = 30.0
# A client gets this many seconds to take each piece of at most this many bytes: 6.4 kB/s, slower than any usable line.
SEND_SECONDS = 10.0
PIECE_SIZE = 1 << 16
# What a client that leaves no longer wants. Anything else may have changed something: it runs to its end.
CANCELLABLE_METHODS = frozenset({"GET", "HEAD"})


def default_body_limit(_path: str) -> int:
    """Bytes that a request body may have, whatever its path."""
    return DEFAULT_BODY_LIMIT


# asgiref's constructors and methods are not annotated, hence `no-untyped-call` wherever they are called.
class LoopInstance(WsgiToAsgiInstance):
    """One request. ``bridge`` holds what requests share."""

    scope: HTTPScope
    response_start: dict[str, Any]  # Any: an ASGI message

    def __init__(self, bridge: "LoopBridge") -> None:
        super().__init__(bridge.wsgi_application, bridge.duplicate_header_limit)  # type: ignore[no-untyped-call]
        self.bridge = bridge
        self.is_complete = False  # The last message is on its way: what `receive` says now is no hang-up.
        self.is_gone = False

    async def __call__(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Serve the request; return once it is answered or nobody waits for the answer."""
        self.scope, self.asgi_send = scope, send
        with SpooledTemporaryFile(max_size=SPOOL_SIZE) as body:
            refusal = await self.read_body(body, receive)
            if self.is_gone:
                return
            try:
                environ = self.build_environ(scope, body)  # type: ignore[no-untyped-call]
            except ValueError:  # too many duplicate headers, or a query string that is not ASCII
                refusal = refusal or 400
            if refusal:
                await self.refuse(refusal)
            else:
                await self.work(environ, receive)

    async def work(self, environ: dict[str, Any], receive: ASGIReceiveCallable) -> None:
        """Run the application, and listen for the client meanwhile."""
        # A server may start a pipelined request inside the previous one's task: without an empty context
        # one visitor's `g` would reach another's request (github.com/python/cpython/issues/140947).
        running = asyncio.get_running_loop().create_task(self.run_wsgi_app(environ), context=contextvars.Context())
        watching = asyncio.create_task(self.watch(receive, running))
        try:
            await running
        except asyncio.CancelledError:
            if not self.is_cancelled_by_us():
                raise
        finally:
            watching.cancel()

    def is_cancelled_by_us(self) -> bool:
        """Whether a cancellation has no other reason than a client that went away."""
        task = asyncio.current_task()
        return self.is_gone and not (task and task.cancelling())

    async def read_body(self, body: IO[bytes], receive: ASGIReceiveCallable) -> int:
        """Take the body in; answers a status to refuse the request with, 0 when there is nothing to refuse."""
        limit, size, more = self.bridge.body_limit(self.scope["path"]), 0, True
        for name, value in self.scope["headers"]:
            if name == b"content-length" and int(value) > limit:
                return 413
        while more:
            try:
                async with asyncio.timeout(RECEIVE_SECONDS):
                    message = await receive()
            except TimeoutError:
                return 408
            if message["type"] != "http.request":
                self.is_gone = True
                return 0
            body.write(message.get("body", b""))
            size, more = size + len(message.get("body", b"")), message.get("more_body", False)
            if size > limit:
                return 413
        body.seek(0)
        return 0

    async def watch(self, receive: ASGIReceiveCallable, running: asyncio.Task[None]) -> None:
        """Cancel the application when the client hangs up before it has its answer."""
        while (await receive())["type"] != "http.disconnect":
            pass
        if not self.is_complete and self.scope["method"] in CANCELLABLE_METHODS:
            self.is_gone = True
            running.cancel()

    async def refuse(self, status: int) -> None:
        """Answer without the application, and close the connection: what the client still sends is not read."""
        text = {400: b"Bad Request", 408: b"Request Timeout", 413: b"Content Too Large"}[status]
        self.is_complete = True
        headers = [
            (b"content-type", b"text/plain"),
            (b"content-length", str(len(text)).encode()),
            (b"connection", b"close"),
            (b"vary", b"HX-Request, HX-Request-Type"),
            *((name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()),
        ]
        await self.deliver({"type": "http.response.start", "status": status, "headers": headers, "trailers": False})
        await self.deliver({"type": "http.response.body", "body": text, "more_body": False})

    async def deliver(self, message: ASGISendEvent) -> None:
        """Send one message; a client that does not take it in time counts as one that hung up."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self.asgi_send(message)
        except TimeoutError:
            log.warning("%s %s: the client does not read; given up.", self.scope["method"], self.scope["path"])
            self.is_gone = True
            raise asyncio.CancelledError from None
        if message.get("more_body"):
            # Servers return at once while their buffer has room: let others have the loop, and hear of a hang-up.
            await asyncio.sleep(0)

    def sync_send(self, message: ASGISendEvent) -> None:  # type: ignore[override]  # asgiref's is an AsyncToSync
        """Send from the WSGI side."""
        await_(self.deliver(message))

    async def run_wsgi_app(self, environ: dict[str, Any]) -> None:
        """Run the WSGI side to the last message."""
        await spawn(self.drive, environ)

    def start_response(self, status: str, response_headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        """Take status and headers; asgiref encodes them as ASCII, WSGI (PEP 3333) means latin-1.

        ``exc_info`` is what ``sys.exc_info`` gives.
        """
        super().start_response(status, [], exc_info)  # type: ignore[no-untyped-call]
        self.response_start["headers"] = [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response_headers
        ]
        lengths = [int(value) for name, value in response_headers if name.lower() == "content-length"]
        self.response_content_length = lengths[-1] if lengths else None

    def drive(self, environ: dict[str, Any]) -> None:
        """Call the application and send what it answers: a WSGI server in short."""
        # The body is all here: without this mark Werkzeug would take a chunked one for empty.
        environ["wsgi.input_terminated"] = True
        chunks: Iterable[bytes] = self.wsgi_application(environ, self.start_response)
        try:
            last = self.send_chunks(chunks)
        finally:
            if close := getattr(chunks, "close", None):
                close()
        self.send_start()
        self.is_complete = True
        self.sync_send({"type": "http.response.body", "body": last, "more_body": False})

    def send_start(self) -> None:
        """Send status and headers, once."""
        if not self.response_started:
            self.response_started = True
            self.sync_send(cast("ASGISendEvent", self.response_start))

    def send_chunks(self, chunks: Iterable[bytes]) -> bytes:
        """Send the body but for its end, which is returned: it must wait for ``close()``.

        Nothing beyond ``Content-Length`` is sent.
        """
        left = self.response_content_length
        for chunk in chunks:
            left = self.response_content_length if left is None else left
            for start in range(0, len(chunk), PIECE_SIZE):
                piece = chunk[start : start + PIECE_SIZE]
                if left is not None:
                    piece = piece[:left]
                    left -= len(piece)
                    if not left:
                        return piece
                self.send_start()
                self.sync_send({"type": "http.response.body", "body": piece, "more_body": True})
        return b""


class LoopBridge(WsgiToAsgi):
    """An ASGI application over a WSGI one.

    Attributes:
        lifespan: Entered before the first request and left after the last, on the loop that serves them.
        body_limit: Bytes that a request body may have, by path.
    """

    instance_class: ClassVar[type[LoopInstance]] = LoopInstance

    def __init__(
        self,
        wsgi_application: Callable[..., Iterable[bytes]],
        *,
        lifespan: Lifespan = nullcontext,
        body_limit: Callable[[str], int] = default_body_limit,
        duplicate_header_limit: int = 100,
    ) -> None:
        super().__init__(wsgi_application, duplicate_header_limit)  # type: ignore[no-untyped-call]
        self.lifespan, self.body_limit = lifespan, body_limit

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "http":
            await self.instance_class(self)(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self.run_lifespan(receive, send)
        else:  # Closed before it was accepted, a websocket is answered 403.
            await receive()
            await send({"type": "websocket.close", "code": 1000, "reason": None})

    async def run_lifespan(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Start and stop what the application needs; a failure stops the server with its message."""
        await receive()
        is_started = False
        try:
            async with self.lifespan():
                is_started = True
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except Exception as error:
            if not isinstance(error, LivesearchError):  # their messages say all
                log.exception("The application did not %s.", "stop well" if is_started else "start")
            if is_started:
                await send({"type": "lifespan.shutdown.failed", "message": str(error)})
            else:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
        else:
            await send({"type": "lifespan.shutdown.complete"})


class ThreadInstance(LoopInstance):
    """One request, its WSGI side in a thread of ``ThreadBridge.pool``."""

    bridge: "ThreadBridge"

    async def run_wsgi_app(self, environ: dict[str, Any]) -> None:
        """Run the WSGI side in a thread. The last message is sent when that has returned."""
        self.held: list[ASGISendEvent] = []
        self.send_from_thread = AsyncToSync(self.deliver)
        await sync_to_async(self.drive, thread_sensitive=False, executor=self.bridge.pool)(environ)
        for message in self.held:
            await self.deliver(message)

    def sync_send(self, message: ASGISendEvent) -> None:  # type: ignore[override]  # as above
        """Hold the start and the last message back; between them, wait in this thread until a chunk is taken."""
        if self.is_gone:
            raise asyncio.CancelledError
        self.held.append(message)
        while message.get("more_body") and self.held:
            self.send_from_thread(self.held.pop(0))


class ThreadBridge(LoopBridge):
    """The bridge with a thread for each request.

    A client that hangs up while synchronous code runs is noticed at the next message only.
    """

    instance_class = ThreadInstance
    pool: ClassVar = ThreadPoolExecutor(32, thread_name_prefix="wsgi")


def body_limit(settings: Settings) -> Callable[[str], int]:
    """Bytes that a body may have, by path: uploads go to ``/imports``."""
    upload_limit = settings.max_upload_mb * 1_000_000
    return lambda path: upload_limit if path.startswith("/imports") else DEFAULT_BODY_LIMIT


def create_asgi() -> LoopBridge:
    """Build the application that uvicorn serves, from the environment.

    Raises:
        ConfigError: A setting cannot be used.
    """
    settings = load_settings()
    app = create_app(settings)
    return LoopBridge(app, lifespan=app.lifespan, body_limit=body_limit(settings))

"""What requests share: an ASGI application over a WSGI one."""

import logging
from collections.abc import Awaitable, Callable, Collection, Iterable
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from typing import Any, ClassVar, cast

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope
from asgiref.wsgi import WsgiToAsgi
from werkzeug.sansio.utils import host_is_trusted

from livesearch.bridge import limits
from livesearch.bridge.instance import LoopInstance
from livesearch.errors import LivesearchError
from livesearch.guard.admission import Admission
from livesearch.web.caching import ResponseCache, UnchangedPolls, is_poll
from livesearch.web.metrics import Metrics
from livesearch.web.refusals import Refusals
from livesearch.web.request_lines import RequestLines
from livesearch.web.routes import health

log = logging.getLogger(__name__)

Lifespan = Callable[[], AbstractAsyncContextManager[object]]


class LoopBridge(WsgiToAsgi):
    """An ASGI application over a WSGI one.

    Attributes:
        lifespan: Entered before the first request and left after the last, on the loop that serves them.
        body_limit: Bytes that a request body may have, by path.
        admission: Bounds how many requests are at work at once; without it nothing does.
        trusted_hosts: Host names that are answered, as Flask's ``TRUSTED_HOSTS`` has them; empty for any.
        refusals: Makes the answers to what the application does not get; plain text where none is given.
        cache: Answers what was asked before; without it everything is computed.
        polls: Answers open pages that have nothing to hear; without it the application does.
        metrics: Told of what the application does not see.
        lines: Where the lines go of requests that the application does not see.
        uploads: Where large bodies go; without it to a temporary file, whoever sends them.
        is_stopping: Whether clients are told to connect anew, to another process.
    """

    instance_class: ClassVar[type[LoopInstance]] = LoopInstance

    def __init__(
        self,
        wsgi_application: Callable[..., Iterable[bytes]],
        *,
        lifespan: Lifespan = nullcontext,
        body_limit: Callable[[str], int] = limits.default_body_limit,
        duplicate_header_limit: int = 100,
        admission: Admission | None = None,
        trusted_hosts: Collection[str] = (),
        refusals: Refusals | None = None,
        cache: ResponseCache | None = None,
        polls: UnchangedPolls | None = None,
        metrics: Metrics | None = None,
        lines: RequestLines | None = None,
        uploads: limits.Uploads | None = None,
    ) -> None:
        super().__init__(wsgi_application, duplicate_header_limit)  # type: ignore[no-untyped-call]  # asgiref has no types there
        self.lifespan, self.body_limit = lifespan, body_limit
        self.admission, self.trusted_hosts, self.refusals = admission, trusted_hosts, refusals or Refusals()
        self.cache, self.polls, self.metrics, self.uploads = cache, polls, metrics, uploads
        self.lines = lines or RequestLines()
        self.is_stopping = False

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "http":
            # Who stops says so in each answer, which kept ones do not.
            if scope["method"] not in limits.CANCELLABLE_METHODS or self.is_stopping or not self.trusts(scope):
                await self.compute(scope, receive, send)
            elif self.polls and await self.polls.answer(cast("dict[str, Any]", scope), send):
                pass
            elif self.cache:
                compute = (
                    partial(self.polls.in_turn, self.compute) if self.polls and is_poll(scope["path"]) else self.compute
                )
                await self.cache(cast("dict[str, Any]", scope), receive, send, compute)
            else:
                await self.compute(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self.run_lifespan(receive, send)
        else:  # Closed before it was accepted, a websocket is answered 403.
            await receive()
            await send({"type": "websocket.close", "code": 1000, "reason": None})

    def compute(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> Awaitable[None]:
        """Have the application answer a request."""
        return self.instance_class(self)(scope, receive, send)

    def trusts(self, scope: HTTPScope) -> bool:
        """Whether a request names a host that is answered; the probes answer on every one."""
        if not self.trusted_hosts or scope["path"] in health.PATHS:
            return True
        host = next((value for name, value in scope["headers"] if name == b"host"), b"")
        return host_is_trusted(host.decode("latin-1").lower(), self.trusted_hosts)

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

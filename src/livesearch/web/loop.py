"""Flask on one event loop.

Wherever a request comes from, its coroutines run on one loop, so one pool of connections serves them all:

- under ``LoopBridge``, on the server's loop: the request is a greenlet there, and ``async_to_sync`` waits in it;
- under ``ThreadBridge`` and in ``blocking`` code, on the server's loop too: asgiref leads the way back from the thread;
- under a plain WSGI server, Flask's test client or a command, on one background loop a process, the portal.

Synchronous code that a view awaits its way into (a template helper, say) is on the loop already and cannot wait there:
load what it needs before.
"""

import asyncio
import atexit
import contextvars
import functools
import inspect
import os
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import FunctionType
from typing import Any, ClassVar, ParamSpec, TypeVar, cast

from asgiref.sync import SyncToAsync, sync_to_async
from flask import current_app

from livesearch.web.greenlets import await_, in_greenlet
from livesearch.web.responses import PlainResponse
from livesearch.web.routing import RoutedFlask

P = ParamSpec("P")
T = TypeVar("T")

# Scrypt, archives and the like: what takes a processor for itself. More threads than that only queue for the GIL.
BLOCKING_THREADS = 8


# `functools.cache` lets two threads compute at once, and there must not be two portals.
_portal_lock = threading.Lock()


@functools.cache
def _portal() -> asyncio.AbstractEventLoop:
    """The loop for coroutines of processes that run none; it lives as long as the process."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="portal", daemon=True)
    thread.start()

    def close() -> None:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    atexit.register(close)
    return loop


# A forked worker inherits the loop but not its thread.
os.register_at_fork(after_in_child=_portal.cache_clear)


def _is_on_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _run_in_portal(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the portal; this thread waits, and sees what the coroutine set in its context."""
    context, result = contextvars.copy_context(), Future[T]()

    async def run() -> None:
        try:
            result.set_result(await coroutine)
        except BaseException as error:  # noqa: BLE001  # whatever ended it is raised in the waiting thread
            result.set_exception(error)

    with _portal_lock:
        loop = _portal()
    loop.call_soon_threadsafe(lambda: loop.create_task(run(), context=context))
    try:
        return result.result()
    finally:
        for variable, value in context.items():
            if variable.get(None) is not value:
                variable.set(value)


class LoopFlask(RoutedFlask):
    """A Flask application whose coroutines share one event loop."""

    response_class = PlainResponse
    blocking_pool: ClassVar = ThreadPoolExecutor(BLOCKING_THREADS, thread_name_prefix="blocking")

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:  # Any: hooks and views of any kind
        """Flask's; functions are told by a flag: Flask asks this for each hook at every request."""
        if type(func) is FunctionType:
            if func.__code__.co_flags & inspect.CO_COROUTINE:
                return self.async_to_sync(func)
            if not func.__dict__:
                return func
        return super().ensure_sync(func)

    def async_to_sync(self, func: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
        """Make a coroutine function callable from synchronous code; the seam that Flask documents for this.

        Raises:
            RuntimeError: On call, when this thread runs an event loop and no greenlet is there to wait in.
        """
        # No function of its own: Flask calls this for each request, for the sake of the call alone.
        return functools.partial(self._wait_for, func)

    def _wait_for(self, func: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> T:
        if in_greenlet():
            return await_(func(*args, **kwargs))
        if _is_on_loop():
            raise RuntimeError(f"{func.__qualname__} was called on the event loop: await it there.")
        if hasattr(SyncToAsync.threadlocal, "main_event_loop"):  # a thread that asgiref started
            return cast("T", super().async_to_sync(func)(*args, **kwargs))
        return _run_in_portal(func(*args, **kwargs))

    def run_blocking(self, func: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function that blocks, in a thread when it would block the loop.

        Raises:
            RuntimeError: Called from a coroutine; use ``asyncio.to_thread`` there.
        """
        if in_greenlet():
            # asgiref tells the thread which loop it came from: ``async_to_sync`` in it comes back here.
            return await_(sync_to_async(func, thread_sensitive=False, executor=self.blocking_pool)(*args, **kwargs))
        if _is_on_loop():
            raise RuntimeError("run_blocking was called from a coroutine: use asyncio.to_thread there.")
        return func(*args, **kwargs)


def _current_app() -> LoopFlask:
    return cast("LoopFlask", current_app)


def blocking(view: Callable[P, T]) -> Callable[P, T]:
    """Mark a synchronous view that blocks or computes for more than about 5 ms: it runs in a thread."""

    @functools.wraps(view)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        return _current_app().run_blocking(view, *args, **kwargs)

    return call


def aiter_sync(chunks: AsyncGenerator[T, None]) -> Iterator[T]:
    """Turn an asynchronous generator into a body that Flask can stream; it is closed when the client goes away."""
    async_to_sync = _current_app().async_to_sync
    end = object()

    async def step() -> T | object:
        return await anext(chunks, end)

    async def close() -> None:
        await chunks.aclose()

    def iterate() -> Iterator[T]:
        try:
            while (chunk := async_to_sync(step)()) is not end:
                yield cast("T", chunk)
        finally:
            async_to_sync(close)()

    return iterate()

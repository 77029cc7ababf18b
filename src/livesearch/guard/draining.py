"""Draining: between SIGTERM and the end, the site still answers, and says that it is about to go."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def draining(begin: Callable[[], None], seconds: float) -> Iterator[None]:
    """Put off what SIGTERM does, so that whoever spreads the load sees ``/readyz`` and sends requests elsewhere.

    Use it on the server's loop, after the server has set its own handler. SIGINT, as of Ctrl+C, stops at once as ever.

    Args:
        begin: Called when the signal comes.
        seconds: How long the server goes on from then.
    """
    server_handler = signal.getsignal(signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread() or not callable(server_handler):
        yield  # Not a process of our own.
        return
    loop = asyncio.get_running_loop()
    is_draining = False

    def drain(number: int, _frame: FrameType | None) -> None:
        nonlocal is_draining
        if not is_draining:  # A service manager may tell each process, and the parent its children as well.
            is_draining = True
            begin()
            loop.call_soon_threadsafe(loop.call_later, seconds, server_handler, number, None)

    signal.signal(signal.SIGTERM, drain)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, server_handler)

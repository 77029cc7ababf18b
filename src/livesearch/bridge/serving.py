"""The bridge that uvicorn serves, with everything that belongs to it."""

import ctypes
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from livesearch.app import LivesearchApp, create_app
from livesearch.bridge.application import LoopBridge
from livesearch.bridge.limits import body_limit
from livesearch.bridge.threads import ThreadBridge
from livesearch.config import load_settings
from livesearch.guard.admission import Admission
from livesearch.guard.draining import draining
from livesearch.guard.lag import lag_watched, log_lag
from livesearch.guard.server import end_with_parent
from livesearch.guard.whole import send_computed, send_whole
from livesearch.web.refusals import Refusals
from livesearch.web.routes import health

# New objects before garbage is looked for among them; Python's own is 700. A search makes thousands, hardly any in
# circles. At 1.65 million rows a keystroke's p99 is a sixth lower than with 700, and no lower with 20,000.
_YOUNG_COUNT = 5_000


def create_asgi() -> LoopBridge:
    """Build the application that uvicorn serves, from the environment.

    Raises:
        ConfigError: A setting cannot be used.
    """
    end_with_parent()
    settings = load_settings()
    app = create_app(settings)
    bridge_class = ThreadBridge if settings.bridge == "thread" else LoopBridge
    bridge = bridge_class(
        app,
        body_limit=body_limit(settings),
        admission=Admission(),
        trusted_hosts=settings.trusted_hosts,
        refusals=Refusals(app),
        cache=app.response_cache,
        polls=app.unchanged_polls,
        metrics=app.metrics,
        lines=app.request_lines,
        uploads=app.uploads,
    )
    if app.response_cache:
        app.response_cache.shortcut, app.response_cache.new_shortcut = send_whole, send_computed
    bridge.lifespan = lambda: _run(app, bridge, settings.drain_seconds)
    return bridge


@asynccontextmanager
async def _run(app: LivesearchApp, bridge: LoopBridge, drain_seconds: int) -> AsyncIterator[None]:
    def begin_stopping() -> None:
        health.begin_stopping(app)
        bridge.is_stopping = True

    def tell_lag(held: float, busy: float) -> None:
        log_lag(held, busy)
        app.metrics.note_held(held)

    async with app.lifespan(), lag_watched(tell_lag):
        spare_collector()
        _give_back_memory()
        with draining(begin_stopping, drain_seconds):
            yield


def spare_collector() -> None:
    """Let the collector of garbage pass over what there is, and look among new objects less often."""
    # What is there now stays: to look through it would take 40 ms and more in the midst of a request.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_COUNT, 10, 10)


def _give_back_memory() -> None:
    """Give the system what is free since the demo was imported, 20 MiB, where the C library would keep it (glibc)."""
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)

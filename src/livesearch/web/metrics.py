"""What an operator measures: counts and times of requests, of the store and of the cache, as Prometheus reads them.

Whatever happens for every request is counted in plain numbers, or in counters that are looked up once: some
microseconds. With several workers set ``PROMETHEUS_MULTIPROC_DIR`` to an empty folder, as ``livesearch serve`` does:
each worker then writes there, and whichever is asked answers for all.
"""

import asyncio
import hmac
import os
import time
from collections import Counter as Tally
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Any, cast

from flask import Blueprint, Flask, Response, current_app, g, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from livesearch.errors import ForbiddenError
from livesearch.web.audience import Audience, declare
from livesearch.web.caching import ResponseCache
from livesearch.web.caching.recording import current_reading, face
from livesearch.web.current import current_request
from livesearch.web.logs import CLIENT_LEFT

blueprint = Blueprint("metrics", __name__)
declare(blueprint, reading=Audience.EVERYONE)

_NAME = "livesearch.metrics"
_SHARED = "PROMETHEUS_MULTIPROC_DIR"
# Seconds: from an answer that takes no search to the longest that a search may take, and more.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})
# Seconds after which numbers that are kept plainly are seen by other workers.
_PUBLISH_SECONDS = 1.0
_UNROUTED = ("unknown", "none")


class Metrics:
    """The numbers of one application."""

    def __init__(self, *, token: str | None = None) -> None:
        """Args: token: Whoever shows it may read; without one, whoever asks on this machine."""
        self._token = token
        self._is_shared = _SHARED in os.environ
        self.registry = registry = CollectorRegistry()
        if not self._is_shared:  # of the worker that is asked, it would be
            ProcessCollector(registry=registry)
        requests = Counter(
            "livesearch_requests",
            "Requests that were answered; 499: the client left first.",
            ["route", "face", "method", "status"],
            registry=registry,
        )
        seconds = Histogram(
            "livesearch_request_seconds",
            "From a request to its answer, where that was not kept from an earlier one.",
            ["route", "face"],
            buckets=_BUCKETS,
            registry=registry,
        )
        search_seconds = Histogram(
            "livesearch_search_seconds",
            "How long a request had the store open to search or read.",
            ["route"],
            buckets=_BUCKETS,
            registry=registry,
        )
        cache = Counter(
            "livesearch_cache_requests", "Requests by what the cache did for them.", ["answer"], registry=registry
        )
        self._cache_size = Gauge(
            "livesearch_cache_bytes", "Memory of kept answers.", registry=registry, multiprocess_mode="livesum"
        )
        self._cache_count = Gauge(
            "livesearch_cache_entries", "Kept answers.", registry=registry, multiprocess_mode="livesum"
        )
        self._active_gauge = Gauge(
            "livesearch_requests_in_progress",
            "Requests at work in the application.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._held = Counter(
            "livesearch_loop_held_seconds",
            "Time in which the event loop did not turn, of 0.1 s or more.",
            registry=registry,
        )
        self._requests = _Children(requests)
        self._seconds = _Children(seconds)
        self._search_seconds = _Children(search_seconds)
        self._cache = _Children(cache)
        self.active_count = 0
        self._kept: ResponseCache | None = None
        self._hits: dict[tuple[tuple[str, str], str, int], int] = {}
        self._published: Tally[str] = Tally()

    def watch(self, cache: ResponseCache) -> None:
        """Tell of a cache, too."""
        self._kept = cache

    def note_hit(self, method: str, status: int, labels: tuple[str, str]) -> None:
        """Count an answer from the cache."""
        kind = (labels, method, status)
        self._hits[kind] = self._hits.get(kind, 0) + 1

    def note_unrouted(self, method: str, status: int) -> None:
        """Count a request that the application never had."""
        self._count(_UNROUTED, method, status)

    def note_held(self, seconds: float) -> None:
        """Count a time in which nothing was answered."""
        self._held.inc(seconds)

    def begin(self) -> None:
        """Count a request in."""
        self.active_count += 1

    def end(self, labels: tuple[str, str], method: str, status: int, seconds: float, search_seconds: float) -> None:
        """Count a request that was answered, or whose client left.

        Args:
            labels: Route and face.
        """
        self._count(labels, method, status)
        if status != CLIENT_LEFT:
            self._seconds.of(labels).observe(seconds)
        if search_seconds:
            self._search_seconds.of(labels[:1]).observe(search_seconds)

    def _count(self, labels: tuple[str, str], method: str, status: int) -> None:
        self._requests.of((*labels, method if method in _METHODS else "other", str(status))).inc()

    def publish(self) -> None:
        """Put what was counted plainly where it is read."""
        hits, self._hits = self._hits, {}
        for (labels, method, status), count in hits.items():
            self._requests.of((*labels, method, str(status))).inc(count)
        self._active_gauge.set(self.active_count)
        if self._kept is None:
            return
        counts = self._kept.counts
        now = Tally(
            hit=counts.hits,
            wait=counts.waits,
            miss=counts.misses,
            bypass=counts.bypasses,
            unchanged=counts.unchanged,
            evicted=self._kept.entries.evicted_count,
        )
        for answer, count in now.items():
            self._cache.of((answer,)).inc(count - self._published[answer])
        self._published = now
        self._cache_size.set(self._kept.entries.size)
        self._cache_count.set(len(self._kept.entries))

    @asynccontextmanager
    async def publishing(self) -> AsyncIterator[None]:
        """Let other workers see the numbers while the block runs."""
        if not self._is_shared:
            yield
            return
        task = asyncio.create_task(self._publish_on())
        try:
            yield
        finally:
            task.cancel()
            self.publish()

    async def _publish_on(self) -> None:
        while True:
            await asyncio.sleep(_PUBLISH_SECONDS)
            self.publish()

    def render(self) -> bytes:
        """What was published, as Prometheus reads it; by all workers where they share a folder."""
        registry = self.registry
        if self._is_shared:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # it ships no types for it
        return generate_latest(registry)

    def require_reader(self) -> None:
        """See that the request may read the numbers.

        Raises:
            ForbiddenError: It does not show the token; or there is none, and it comes from another machine.
        """
        if self._token is not None:
            shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if not hmac.compare_digest(shown.encode(), self._token.encode()):
                raise ForbiddenError("Send the value of LIVESEARCH_METRICS_TOKEN as “Authorization: Bearer …”.")
        elif not _is_local():
            raise ForbiddenError(
                "Metrics are read on the machine itself. Set LIVESEARCH_METRICS_TOKEN to read them from elsewhere."
            )


class _Children:
    """A metric's children by the values of its labels; to look them up in the metric takes longer than to count."""

    def __init__(self, metric: Counter | Histogram) -> None:
        self._metric = metric
        self._children: dict[tuple[str, ...], Any] = {}  # Any: as below

    def of(self, labels: tuple[str, ...]) -> Any:
        """The child with these values of the labels. Any: a child is of its metric's type."""
        child = self._children.get(labels)
        if child is None:
            child = self._children[labels] = self._metric.labels(*labels)
        return child


def _is_local() -> bool:
    """Whether it was asked on this machine, and not by a proxy for somebody else."""
    if any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via")):
        return False
    try:
        return ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def init_app(app: Flask, metrics: Metrics) -> None:
    """Measure the requests of an application. Call it after the log, which notes when they begin."""
    app.extensions[_NAME] = metrics
    app.before_request(_begin)
    app.after_request(_finish)
    app.teardown_request(_end)
    app.register_blueprint(blueprint)


def _metrics() -> Metrics:
    return cast("Metrics", current_app.extensions[_NAME])


def _begin() -> None:
    g.is_measured = True
    _metrics().begin()


def _finish(response: Response) -> Response:
    _note(response.status_code)
    return response


def _end(error: BaseException | None) -> None:
    if g.get("is_measured"):
        _metrics().active_count -= 1
    if isinstance(error, asyncio.CancelledError):
        _note(CLIENT_LEFT)


def _note(status: int) -> None:
    asked = current_request()
    route = asked.url_rule.rule if asked.url_rule else _UNROUTED[0]
    reading = current_reading()
    search_seconds = reading.seconds if reading is not None else 0.0
    _metrics().end((route, face()), asked.method, status, time.perf_counter() - g.began, search_seconds)


@blueprint.get("/metrics")
async def read() -> Response:
    """All numbers."""
    metrics = _metrics()
    metrics.require_reader()
    metrics.publish()
    response = Response(await asyncio.to_thread(metrics.render), content_type=CONTENT_TYPE_LATEST)
    response.headers["Cache-Control"] = "no-store"
    return response

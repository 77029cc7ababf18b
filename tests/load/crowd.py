"""A crowd of typists under Locust, in a process of its own: Locust makes all of the standard library wait in greenlets.

``python -m tests.load.crowd`` takes a plan (JSON) on standard input and writes what it saw (JSON) to standard output;
``tests.load.running`` does that. With Locust's own pages: ``locust -f tests/load/crowd.py --host http://127.0.0.1:8000``.
"""

import gc
import gzip
import json
import random
import re
import socket
import sys
import time
from collections.abc import Iterator
from functools import lru_cache
from html import unescape
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gevent  # type: ignore[import-untyped]  # its stubs are a package of their own
from locust import LoadTestShape, User, events, task
from locust.env import Environment

from tests.load.typists import Crowd, Game, Step

# Seconds after which a browser that nobody types in counts as unanswered.
_PATIENCE = 10.0
_ECHO = re.compile(rb'data-query="([^"]*)"')
_NEWS = re.compile(rb'hx-get="(/htmx/c/[^"]*/changes[^"]*)"')
_READ_SIZE = 1 << 17
_STRANGERS = Path(__file__).parents[3] / "shared" / "data" / "queries" / "wikipedia_click_titles_2023-06.csv"


def demo_crowd() -> Crowd:
    """People who look for the demo's games, and for names of other things where a list of them is there."""
    packed = files("livesearch").joinpath("demo", "demo_console_games.jsonl.gz").read_bytes()
    rows = [json.loads(line) for line in gzip.decompress(packed).splitlines()]
    games = [Game(row["id"], row["title"], row["platform"], row["popularity"]) for row in rows]
    lines = _STRANGERS.read_text().splitlines()[1:] if _STRANGERS.exists() else []
    return Crowd("games", games, [line.rpartition(",")[0].strip('"') for line in lines])


class Failure(Exception):  # noqa: N818  # what Locust shows as the reason
    """An answer that is not the right one."""


class Record:
    """What was seen: kind, due time, seconds from then, outcome; and how late the crowd itself was.

    Attributes:
        is_shown: Whether Locust is told, for its pages.
    """

    def __init__(self, *, is_shown: bool = True) -> None:
        self.is_shown = is_shown
        self.start = time.perf_counter()
        self.answers: list[tuple[str, float, float, str]] = []
        self.lags: list[tuple[float, float]] = []

    def add(self, step: Step, due: float, outcome: str) -> None:
        """Note the end of a request."""
        seconds = time.perf_counter() - due
        self.answers.append((step.kind, due - self.start, seconds, outcome))
        if not self.is_shown:
            return
        error = None if outcome in {"ok", "aborted"} else Failure(outcome)
        events.request.fire(  # type: ignore[no-untyped-call]  # as Locust has it
            request_type="GET", name=f"{step.kind}{' (aborted)' if outcome == 'aborted' else ''}",
            response_time=1000 * seconds, response_length=0, exception=error, context={},
        )  # fmt: skip


class Person(User):
    """One browser: it keeps connections, and aborts what a newer request on the same channel replaces."""

    crowd = demo_crowd()
    record = Record()
    seeds: Iterator[int] = iter(range(1, 1 << 31))

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        url = urlsplit(self.host or "http://127.0.0.1:8000")
        self.address = _resolve(url.hostname or "127.0.0.1", url.port or 80)
        self.chance = random.Random(next(self.seeds))  # noqa: S311  # a person, no secret
        self.idle: list[socket.socket] = []
        self.under_way: dict[str, gevent.Greenlet] = {}
        self.news = ""
        self.is_new = True

    @task
    def visit(self) -> None:
        """Do one visit; the first is entered somewhere in its middle, or all would begin at once."""
        steps = list(self.crowd.visit(self.chance))
        skipped = self.chance.uniform(0, steps[-1].due) if self.is_new else 0.0
        self.is_new = False
        start = time.perf_counter() - skipped
        for step in steps:
            if step.due >= skipped:
                self.act(step, start + step.due)

    def act(self, step: Step, due: float) -> None:
        """Wait until a request is due, and make it."""
        gevent.sleep(max(0.0, due - time.perf_counter()))
        now = time.perf_counter()
        self.record.lags.append((due - self.record.start, now - due))
        target = step.target if step.kind != "poll" else self.news
        if target:
            if former := self.under_way.get(step.channel):
                former.kill(block=False)
            self.under_way[step.channel] = gevent.spawn(self.ask, step, due, target)

    def ask(self, step: Step, due: float, target: str) -> None:
        """Ask, and judge the answer; killed, hang up."""
        connection: socket.socket | None = None
        try:
            with gevent.Timeout(_PATIENCE, Failure("no answer")):
                connection, head, body = self.exchange(_request(step, target))
            outcome = self.judge(step, head, body)
        except gevent.GreenletExit:
            outcome = "aborted"
        except (OSError, EOFError, Failure) as error:
            outcome = f"{type(error).__name__}: {error}"
        if connection and b"\r\nconnection: close" not in head:
            self.idle.append(connection)
        elif connection:
            connection.close()
        self.record.add(step, due, outcome)

    def exchange(self, request: bytes) -> tuple[socket.socket, bytes, bytes]:
        """Send a request on a kept connection, or on a new one when the server has closed that."""
        while self.idle:
            kept = self.idle.pop()
            try:
                return kept, *_exchange(kept, request)
            except (ConnectionError, EOFError):
                continue
        fresh = _connect(*self.address)
        return fresh, *_exchange(fresh, request)

    def judge(self, step: Step, head: bytes, body: bytes) -> str:
        """What an answer was; remember where the page asks for news."""
        status = head[9:12].decode()
        if status == "503":
            return "refused"
        if status not in {"200", "204"}:
            return f"status {status}"
        if b"/changes" in body and (news := _NEWS.search(body)):
            self.news = unescape(news[1].decode())
        if step.text:
            echo = _ECHO.search(body)
            if not echo or unescape(echo[1].decode()).split() != step.text.split():
                return "wrong answer"
        return "ok"

    def on_stop(self) -> None:
        """Close the browser."""
        gevent.killall(list(self.under_way.values()), block=False)
        for connection in self.idle:
            connection.close()


def _request(step: Step, target: str) -> bytes:
    headers = "HX-Request: true\r\nHX-Request-Type: partial\r\n" if step.kind != "page" else ""
    if step.kind == "poll":
        headers += "X-Poll: 1\r\n"  # as kit.js says
    return f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n".encode()


@lru_cache
def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, Any]:  # Any: an address, by family
    """Look a name up once: gevent does it in threads, and a thousand connections a second would wait for those."""
    with socket.create_connection((host, port)) as connection:  # of several addresses the one that answers
        return connection.family, connection.getpeername()


def _connect(family: socket.AddressFamily, address: Any) -> socket.socket:  # Any: as above
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.connect(address)
    except BaseException:
        connection.close()
        raise
    return connection


def _exchange(connection: socket.socket, request: bytes) -> tuple[bytes, bytes]:
    """One request and its whole answer: head (lower case) and body. Killed in the middle, it closes the connection."""
    try:
        connection.sendall(request)
        received = bytearray()
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += _some(connection)
        head = bytes(received[:end]).lower()
        length = int(head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0] or 0)
        while len(received) < end + 4 + length:
            received += _some(connection)
    except BaseException:
        connection.close()
        raise
    return head, bytes(received[end + 4 :])


def _some(connection: socket.socket) -> bytes:
    if piece := connection.recv(_READ_SIZE):
        return piece
    raise EOFError("the server closed the connection")


class Stages(LoadTestShape):
    """How many people there are, from when to when."""

    use_common_options = False
    abstract = True

    def __init__(self, stages: list[tuple[float, int]]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # as Locust has it
        self.stages = stages

    def tick(self) -> tuple[int, float] | None:
        """People wanted now, and how many of them come or go a second."""
        now, until = time.perf_counter() - Person.record.start, 0.0
        for seconds, people in self.stages:
            until += seconds
            if now < until:
                # A stage is reached within a second, from more people or from fewer.
                return people, max(100.0, people, self.get_current_user_count())  # type: ignore[no-untyped-call]  # as Locust has it
        return None


def main() -> None:
    """Do what the plan on standard input says."""
    plan: dict[str, Any] = json.load(sys.stdin)  # Any: as `running.run_crowd` writes it
    # To look through all that was seen takes a tenth of a second, in which nobody's key is on time.
    gc.disable()
    Person.host = plan["url"]
    Person.seeds = iter(range(plan["seed"] * 1_000_000, 1 << 62))
    environment = Environment(user_classes=[Person], events=events, shape_class=Stages(plan["stages"]))
    runner = environment.create_local_runner()
    Person.record = Record(is_shown=False)
    begun, cpu = time.monotonic(), time.process_time()
    runner.start_shape()
    gevent.joinall([runner.shape_greenlet])
    spent = time.process_time() - cpu
    runner.quit()
    record = Person.record
    json.dump({"begun": begun, "answers": record.answers, "lags": record.lags, "cpu_seconds": spent}, sys.stdout)


if __name__ == "__main__":
    main()

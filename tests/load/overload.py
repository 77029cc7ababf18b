"""What becomes of a server when three times as much is asked for as it can answer.

``python -m tests.load.overload``: first 16 clients that never pause find out how many searches a second are answered.
Then searches are sent at fixed times, whatever has become of the earlier ones (an open load, as people make it): at
three times that rate, and then at half of it. Goodput is what is answered 200 within a second of when it was due.
"""

import argparse
import asyncio
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from statistics import mean
from urllib.parse import quote_plus

from rich.console import Console
from rich.table import Table

from livesearch.guard.admission import CALM_SECONDS
from tests.load.hostile import allow_connections
from tests.load.hostile_server import Served, served
from tests.load.keep_alive import QUERIES, run_clients

GOOD_MS = 1000
# An answer that takes longer than this after the overload still suffers from it.
RECOVERED_MS = 250
_CLIENTS = 16

console = Console(highlight=False, width=160)

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Answer:
    """One search.

    Attributes:
        due: Seconds into the load at which it was to be sent.
        status: 0 for a connection that failed.
        ms: Milliseconds from when it was due.
    """

    due: float
    status: int
    ms: float

    @property
    def is_good(self) -> bool:
        """Whether it came in time to be of use."""
        return self.status == 200 and self.ms <= GOOD_MS


@dataclass(slots=True)
class Load:
    """Searches at one rate, over connections that are kept and as many as it takes."""

    port: int
    rate: float
    seconds: float
    answers: list[Answer] = field(default_factory=list)
    late_ms: float = 0.0
    _idle: list[Connection] = field(default_factory=list)

    @property
    def goodput(self) -> float:
        """Good answers a second."""
        return sum(answer.is_good for answer in self.answers) / self.seconds

    @property
    def recovery_seconds(self) -> float:
        """Until the last answer that was late or none."""
        return max((a.due for a in self.answers if a.status != 200 or a.ms > RECOVERED_MS), default=0.0)

    def quantile(self, status: int, share: float) -> float:
        """Milliseconds that such a share of the answers with this status took at most; NaN of none."""
        ordered = sorted(answer.ms for answer in self.answers if answer.status == status)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else float("nan")

    async def run(self) -> "Load":
        """Send every search when it is due."""
        started = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number in range(int(self.rate * self.seconds)):
                due = number / self.rate
                await asyncio.sleep(max(0.0, started + due - time.perf_counter()))
                self.late_ms = max(self.late_ms, 1000 * (time.perf_counter() - started - due))
                group.create_task(self._search(number, started, due))
        for _, writer in self._idle:
            writer.close()
        return self

    async def _search(self, number: int, started: float, due: float) -> None:
        status = 0
        try:
            async with asyncio.timeout(10):
                connection = self._idle.pop() if self._idle else await asyncio.open_connection("127.0.0.1", self.port)
                status = await _ask(connection, f"/c/games?q={quote_plus(QUERIES[number % len(QUERIES)])}")
                self._idle.append(connection)
        except (OSError, EOFError, ValueError, TimeoutError):
            pass
        self.answers.append(Answer(due, status, 1000 * (time.perf_counter() - started - due)))


async def _ask(connection: Connection, target: str) -> int:
    reader, writer = connection
    writer.write(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nHX-Request: true\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    await reader.readexactly(int(head.partition(b"content-length:")[2].partition(b"\r\n")[0]))
    return int(head[9:12])


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a server made of an overload.

    Attributes:
        best: Answers a second to clients that never pause.
        efficiency: Answers 200 for each second of the server's processor time under overload, as a share of those to
            clients that never pause: what is left when refusals have taken theirs, whoever else uses the machine.
    """

    best: float
    efficiency: float
    overload: Load
    after: Load


async def overloaded(server: Served, *, factor: float = 3, seconds: float = 10) -> Outcome:
    """Ask a server for a multiple of what it can answer, and then for half of it.

    Args:
        seconds: Of the overload, in two halves, and of what follows.
    """
    await run_clients(server.port, "/c/games", client_count=_CLIENTS, request_count=4)  # warms it up
    best, before = await _closed(server)
    first, early = await _overloading(server, factor * best, seconds / 2)
    await asyncio.sleep(CALM_SECONDS + 0.2)  # until it takes everybody again
    _, between = await _closed(server)
    second, late = await _overloading(server, factor * best, seconds / 2)
    after = await Load(server.port, best / 2, seconds).run()
    # Before, between and after the halves: a machine that others use is faster at one moment than at the next.
    _, behind = await _closed(server)
    overload = Load(
        server.port,
        factor * best,
        seconds,
        [*first.answers, *second.answers],
        max(first.late_ms, second.late_ms),
    )
    return Outcome(best, mean((early, late)) / mean((before, between, behind)), overload, after)


async def _overloading(server: Served, rate: float, seconds: float) -> tuple[Load, float]:
    """Ask for too much; gives also the answers 200 for each second of the server's processor time."""
    begun = server.cpu_seconds()
    load = await Load(server.port, rate, seconds).run()
    return load, sum(answer.status == 200 for answer in load.answers) / (server.cpu_seconds() - begun)


async def _closed(server: Served) -> tuple[float, float]:
    """Answers to clients that never pause: a second, and for each second of the server's processor time."""
    begun = server.cpu_seconds()
    closed = await run_clients(server.port, "/c/games", client_count=_CLIENTS, request_count=25)
    count = closed.statuses.get(200, 0)
    return count / closed.wall_seconds, count / (server.cpu_seconds() - begun)


def main() -> None:
    """Print what one server makes of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--factor", type=float, default=3)
    parser.add_argument("--seconds", type=float, default=10)
    arguments = parser.parse_args()
    allow_connections(4000)
    with tempfile.TemporaryDirectory() as folder, served(folder, LIVESEARCH_CACHE_MB="0") as server:
        outcome = asyncio.run(overloaded(server, factor=arguments.factor, seconds=arguments.seconds))
        _print(outcome, server)


def _print(outcome: Outcome, server: Served) -> None:
    table = Table(
        "load", "asked/s", "good/s", "200 p50/p95/p99 ms", "503 p50/p95/p99 ms", "answers", "generator late ms"
    )
    for name, load in (("overload", outcome.overload), ("after it", outcome.after)):
        table.add_row(
            name,
            f"{load.rate:.0f}",
            f"{load.goodput:.0f}",
            *(
                " / ".join(f"{load.quantile(status, share):.0f}" for share in (0.5, 0.95, 0.99))
                for status in (200, 503)
            ),
            str(dict(Counter(answer.status for answer in load.answers))),
            f"{load.late_ms:.0f}",
        )
    console.print(table)
    console.print(f"At best {outcome.best:.0f} a second; kept {outcome.overload.goodput / outcome.best:.0%} of it.")
    console.print(f"For each second of its processor time it answered {outcome.efficiency:.0%} of what it did at best.")
    console.print(f"Recovered after {outcome.after.recovery_seconds:.1f} s. Memory {server.resident_mb():.0f} MB.")
    console.print("Loopback, one worker, the generator on the same cores: read ratios, not absolute figures.")


if __name__ == "__main__":
    main()

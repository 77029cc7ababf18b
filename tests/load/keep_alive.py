"""Clients that keep their connection and search, one request after the other."""

import asyncio
import time
from dataclasses import dataclass, field
from urllib.parse import quote_plus

# What people type, letter by letter; one- and two-letter beginnings match most.
QUERIES = ("z", "ze", "zel", "zelda", "ma", "mario", "son", "sonic the", "final fan", "s", "a", "dragon q")


@dataclass(slots=True)
class Outcome:
    """What a run saw.

    Attributes:
        statuses: Answers by status; 0 stands for a connection that failed.
        seconds: Time of each answered request.
        wall_seconds: Time of the whole run.
    """

    statuses: dict[int, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    wall_seconds: float = 0.0

    def quantile(self, share: float) -> float:
        """The time in milliseconds that this share of requests stayed below."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def run_clients(port: int, path: str, *, client_count: int, request_count: int) -> Outcome:
    """Let clients search at once.

    Args:
        path: Address of the search, to which ``?q=`` is put.
        request_count: Requests of each client.
    """
    outcome = Outcome()
    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(client_count):
            group.create_task(_client(port, path, number, request_count, outcome))
    outcome.wall_seconds = time.perf_counter() - started
    return outcome


async def _client(port: int, path: str, number: int, request_count: int, outcome: Outcome) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for turn in range(request_count):
            query = quote_plus(QUERIES[(number + turn) % len(QUERIES)])
            started = time.perf_counter()
            status = await _request(reader, writer, f"{path}?q={query}")
            outcome.statuses[status] = outcome.statuses.get(status, 0) + 1
            outcome.seconds.append(time.perf_counter() - started)
            if status == 0:
                return
    finally:
        writer.close()


async def _request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: str) -> int:
    """The status of one answer, read to its end; 0 when the connection failed."""
    try:
        writer.write(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nHX-Request: true\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
    except (OSError, EOFError, ValueError):
        return 0
    return int(head[9:12])

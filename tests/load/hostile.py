"""Clients that hold on to a server without wanting anything from it, and one who searches meanwhile.

``python -m tests.load.hostile 1000`` shows what they do to a server with the demo.
"""

import asyncio
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field

from rich.console import Console

console = Console(highlight=False)

_HEAD = b"GET /c/games HTTP/1.1\r\nHost: localhost\r\n"
_BODY = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n"
_CHUNKED = b"POST /login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
# How each kind of connection begins, and what it goes on with now and then.
SLOW = {
    "silent": (b"", b""),
    "head without end": (_HEAD, b"X-a: b\r\n"),
    "body that trickles": (_BODY, b"a"),
    "chunks that trickle": (_CHUNKED, b"1\r\na\r\n"),
}


@dataclass(slots=True)
class Watch:
    """What somebody who searches sees meanwhile.

    Attributes:
        statuses: Answers by status; 0 stands for a connection that failed.
        slowest: Seconds of the slowest answer.
        resident_mb: The most memory the server had.
    """

    statuses: dict[int, int] = field(default_factory=dict)
    slowest: float = 0.0
    resident_mb: float = 0.0


def allow_connections(count: int) -> None:
    """Raise this process's own limit, as far as the machine lets it."""
    present, allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if allowed < 0 else min(count, allowed)
    if 0 <= present < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, allowed))


@asynccontextmanager
async def searching(port: int, resident_mb: Callable[[], float]) -> AsyncIterator[Watch]:
    """Search ten times a second, each time on a new connection, while the block lasts."""
    watch = Watch()

    async def search() -> None:
        while True:
            started = time.perf_counter()
            status = await _search(port)
            watch.statuses[status] = watch.statuses.get(status, 0) + 1
            watch.slowest = max(watch.slowest, time.perf_counter() - started)
            watch.resident_mb = max(watch.resident_mb, resident_mb())
            await asyncio.sleep(0.1)

    await _search(port)  # The first one compiles the templates.
    task = asyncio.create_task(search())
    try:
        yield watch
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _search(port: int) -> int:
    try:
        async with asyncio.timeout(10):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            # Closed also where the watch ends, or time is up, while it waits.
            with closing(writer):
                writer.write(
                    b"GET /c/games?q=zel HTTP/1.1\r\nHost: localhost\r\nHX-Request: true\r\nConnection: close\r\n\r\n"
                )
                answer = await reader.read()
            return int(answer[9:12])
    except (OSError, ValueError, TimeoutError):
        return 0


async def slow_connections(port: int, count: int, *, limit: float) -> list[float]:
    """Hold many slow connections, of every kind.

    Args:
        limit: Seconds after which one that is still open is given up.

    Returns:
        Seconds until the server closed each; `limit` for those it did not.
    """
    kinds = list(SLOW.values())
    return await asyncio.gather(*(_hold(port, *kinds[number % len(kinds)], limit) for number in range(count)))


async def _hold(port: int, beginning: bytes, more: bytes, limit: float) -> float:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    started = time.perf_counter()
    writer.write(beginning)

    async def trickle() -> None:
        while True:
            await asyncio.sleep(0.5)
            writer.write(more)

    trickling = asyncio.create_task(trickle())
    with suppress(TimeoutError, OSError):
        async with asyncio.timeout(limit):
            await reader.read()
    trickling.cancel()
    writer.close()
    return time.perf_counter() - started


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload that was refused.

    Attributes:
        status: What was answered; 0 for nothing.
        seconds: From the first byte sent to the answer.
    """

    status: int
    seconds: float


async def huge_upload(port: int, megabytes: int, *, is_chunked: bool) -> Upload:
    """Send a body far too large, as fast as it is taken."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    started = time.perf_counter()
    framing = b"Transfer-Encoding: chunked" if is_chunked else b"Content-Length: %d" % (megabytes * 1_000_000)
    writer.write(b"POST /login HTTP/1.1\r\nHost: localhost\r\n" + framing + b"\r\n\r\n")
    piece = b"186a0\r\n" + bytes(100_000) + b"\r\n" if is_chunked else bytes(100_000)

    async def send() -> None:
        with suppress(OSError):
            for _ in range(megabytes * 10):
                writer.write(piece)
                await writer.drain()

    sending = asyncio.create_task(send())
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (OSError, EOFError):
        head = b""
    seconds = time.perf_counter() - started
    await asyncio.wait([sending], timeout=10)
    writer.close()
    return Upload(int(head[9:12] or b"0"), seconds)


async def _attack(port: int, resident_mb: Callable[[], float], count: int) -> None:
    async with searching(port, resident_mb) as calm:
        await asyncio.sleep(5)
    async with searching(port, resident_mb) as watch:
        seconds = await slow_connections(port, count, limit=30)
    console.print(f"{count} slow connections: closed after {min(seconds):.1f} to {max(seconds):.1f} s")
    console.print(f"  searches meanwhile: {watch.statuses}")
    console.print(f"  slowest of them: {1000 * watch.slowest:.0f} ms, before {1000 * calm.slowest:.0f} ms")
    console.print(f"  memory: {calm.resident_mb:.0f} MB before, at most {watch.resident_mb:.0f} MB")
    for is_chunked in (False, True):
        upload = await huge_upload(port, 300, is_chunked=is_chunked)
        kind = "chunked" if is_chunked else "declared"
        console.print(f"300 MB, {kind}: {upload.status} after {1000 * upload.seconds:.0f} ms")


def main() -> None:
    """Attack a server with the demo in full."""
    from tests.load.hostile_server import served

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    allow_connections(count + 200)
    with tempfile.TemporaryDirectory() as folder:
        with served(folder):  # The import leaves its traces in memory.
            pass
        with served(folder) as server:
            read_before = server.read_mb()
            asyncio.run(_attack(server.port, server.resident_mb, count))
            console.print(f"read by the server in all: {server.read_mb() - read_before:.1f} MB")


if __name__ == "__main__":
    main()

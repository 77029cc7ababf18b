"""What is compared, and how a window of it is measured."""

import asyncio
import random
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.http_client import Question, Tally, ask_for
from benchmarks.http_page import PATH, STORE_VARIABLE, SYNC_THREADS, build_store
from benchmarks.http_servers import Server, gunicorn_command, running, uvicorn_command
from benchmarks.printing import percentile
from benchmarks.serving import free_port

# Seconds a server is asked before each measured window: connections open, caches of templates and statements fill.
_WARM_SECONDS = 0.15


@dataclass(frozen=True, slots=True)
class Stack:
    """Something that serves the page.

    Attributes:
        factory: What makes it: ``module:function``.
        label: What it is, for people.
        is_ours: Whether it is this project's.
        resets_context: Whether uvicorn is told to give each request a context of its own.
        is_synchronous: Whether it is gunicorn's to serve.
        needs_no_server: Whether it can be asked in process, one request after the other in one context.
    """

    factory: str
    label: str
    is_ours: bool = False
    resets_context: bool = False
    is_synchronous: bool = False
    needs_no_server: bool = True

    def command(self, port: int) -> Sequence[str]:
        """What starts it."""
        if self.is_synchronous:
            return gunicorn_command(self.factory, port, threads=SYNC_THREADS)
        return uvicorn_command(self.factory, port, resets_context=self.resets_context)


STACKS = (
    Stack("http_peers:hello", "bare ASGI: no query, no template"),
    Stack("http_ours:same_bytes", "bare ASGI, the bytes of ours"),
    Stack("http_peers:floor", "query and template alone"),
    Stack("http_peers:floor_our_driver", "query and template alone, our driver"),
    Stack("http_peers:starlette", "Starlette"),
    Stack("http_peers:starlette_our_driver", "Starlette, our driver"),
    Stack("http_peers:starlette_one_greenlet", "Starlette, our driver, a greenlet a block"),
    Stack("http_peers:fastapi", "FastAPI"),
    Stack("http_peers:quart", "Quart"),
    Stack("http_peers:flask_sync", "Flask, synchronous, gunicorn", is_synchronous=True, needs_no_server=False),
    Stack("http_peers:flask_plain_bridge", "Flask, asgiref's bridge as it comes", needs_no_server=False),
    Stack(
        "http_peers:flask_plain_bridge",
        "Flask, asgiref's bridge, contexts reset",
        resets_context=True,
        needs_no_server=False,
    ),
    Stack("http_ours:ours", "ours, stock driver", is_ours=True, resets_context=True),
    Stack("http_ours:ours_our_driver", "ours", is_ours=True, resets_context=True),
    Stack("http_ours:ours_cached", "ours, from its cache", is_ours=True, resets_context=True),
    Stack("http_ours:ours_whole", "ours, with every hook of the product", is_ours=True, resets_context=True),
)


@dataclass(frozen=True, slots=True)
class Window:
    """What one server did for some time.

    Attributes:
        rate: Right answers a second.
        cpu_us: Processor time of all its processes for an answer, in microseconds.
        error_share: Answers that were errors, 0 to 1.
    """

    rate: float
    cpu_us: float
    p50_ms: float
    p99_ms: float
    error_share: float
    wrong_count: int

    @classmethod
    def of(cls, tally: Tally, cpu_seconds: float) -> "Window":
        """Sum up a tally."""
        return cls(
            rate=len(tally.seconds) / tally.wall_seconds,
            cpu_us=1e6 * cpu_seconds / max(1, tally.count),
            p50_ms=1000 * percentile(tally.seconds, 0.5),
            p99_ms=1000 * percentile(tally.seconds, 0.99),
            error_share=tally.error_count / max(1, tally.count),
            wrong_count=tally.wrong_count,
        )

    @classmethod
    def median(cls, windows: Sequence["Window"]) -> "Window":
        """The median of each figure; wrong answers are added up."""
        figures = [asdict(window) for window in windows]
        middle = {name: statistics.median(figure[name] for figure in figures) for name in figures[0]}
        return cls(**middle | {"wrong_count": sum(window.wrong_count for window in windows)})


@contextmanager
def served(stacks: Sequence[Stack]) -> Iterator[tuple[Sequence[Server], Sequence[Question]]]:
    """Start a server for each stack over one store; gives them, and the requests to make."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running_servers:
        store = Path(folder, "titles.db")
        questions = [Question.get(f"{PATH}?q={prefix}", f'data-query="{prefix}"') for prefix in build_store(store)]
        ports = [free_port() for _ in stacks]
        servers = [
            running_servers.enter_context(running(stack.command(port), port, {STORE_VARIABLE: str(store)}))
            for stack, port in zip(stacks, ports, strict=True)
        ]
        yield servers, questions


def measure(
    servers: Mapping[str, Server],
    questions: Mapping[str, Sequence[Question]],
    *,
    connection_counts: Sequence[int],
    round_count: int,
    seconds: float,
    on_window: Callable[[], object] = lambda: None,
) -> Mapping[str, Mapping[int, Window]]:
    """Ask every server in rounds, each in another order, and take the medians.

    Args:
        questions: What each server is asked, by the server's name.
        seconds: Length of one window.
        on_window: Called after each window.

    Returns:
        By name, and by connections at once.
    """
    windows: dict[tuple[str, int], list[Window]] = defaultdict(list)
    chance = random.Random(1)  # noqa: S311  # an order, no secret
    for _ in range(round_count):
        turns = [(name, count) for name in servers for count in connection_counts]
        chance.shuffle(turns)
        for name, count in turns:
            windows[name, count].append(_measure_window(servers[name], questions[name], count, seconds))
            on_window()
    return {name: {count: Window.median(windows[name, count]) for count in connection_counts} for name in servers}


def _measure_window(server: Server, questions: Sequence[Question], connection_count: int, seconds: float) -> Window:
    asyncio.run(ask_for(_WARM_SECONDS, server.port, questions, connection_count=connection_count))
    before = server.cpu_seconds()
    tally = asyncio.run(ask_for(seconds, server.port, questions, connection_count=connection_count))
    return Window.of(tally, server.cpu_seconds() - before)

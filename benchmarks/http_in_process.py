"""The same pages without a server: requests handed to each application in a process of its own, in turn.

What a server and the kernel do for a request differs from run to run, and is the same for all. Without them, and with
the least of many short rounds in changing order, processor time is steady even on a busy machine.
"""

import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import uvloop

from benchmarks.http_client import ask_in_process
from benchmarks.http_page import STORE_VARIABLE, build_store
from benchmarks.http_servers import SERVER_CORE, pin
from benchmarks.http_stacks import Stack

# Requests a round, and before the first.
_REQUESTS, _WARM_REQUESTS = 300, 600


def measure_in_process(stacks: Sequence[Stack], rounds: int) -> Mapping[str, float]:
    """Processor time of a request in microseconds, by stack: the least of all rounds, for what else runs only adds."""
    chance = random.Random(1)  # noqa: S311  # an order, no secret
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        store = Path(folder, "titles.db")
        queries = build_store(store)
        workers = {
            stack.label: running.enter_context(_worker(stack.factory, store, queries))
            for stack in stacks
            if stack.needs_no_server
        }
        least = dict.fromkeys(workers, float("inf"))
        for _ in range(rounds):
            for label in chance.sample(list(workers), len(workers)):
                least[label] = min(least[label], _round(workers[label]))
    return least


@contextmanager
def _worker(factory: str, store: Path, queries: Sequence[str]) -> Iterator[Popen[str]]:
    command = (sys.executable, "-m", __name__, factory, *queries)
    environment = os.environ | {STORE_VARIABLE: str(store)}
    with tempfile.TemporaryFile() as log:  # lines about requests
        process = Popen(command, stdin=PIPE, stdout=PIPE, stderr=log, text=True, env=environment)  # noqa: S603  # our own command
        pin(SERVER_CORE, process.pid)
        try:
            yield process
        finally:
            process.communicate()  # the end of its input ends it


def _round(worker: Popen[str]) -> float:
    assert worker.stdin is not None  # as it was opened
    assert worker.stdout is not None
    worker.stdin.write("go\n")
    worker.stdin.flush()
    return float(worker.stdout.readline())


async def _ask_in_turn(application: Any, queries: Sequence[str], count: int) -> None:
    for number in range(count):
        query = queries[number % len(queries)]
        start, *bodies = await ask_in_process(application, f"q={query}".encode())
        if start["status"] != 200 or f'data-query="{query}"'.encode() not in b"".join(m["body"] for m in bodies):
            raise RuntimeError(f"{query} was answered {start['status']}")


async def _serve_rounds(application: Any, queries: Sequence[str]) -> None:
    await _ask_in_turn(application, queries, _WARM_REQUESTS)
    for _ in sys.stdin:
        began = time.process_time()
        await _ask_in_turn(application, queries, _REQUESTS)
        print((time.process_time() - began) / _REQUESTS * 1e6, flush=True)  # to the process that asks


if __name__ == "__main__":
    _module, _, _function = sys.argv[1].partition(":")
    _factory = getattr(import_module(f"benchmarks.{_module}"), _function)
    uvloop.run(_serve_rounds(_factory(), sys.argv[2:]))

"""uvicorn as livesearch runs it: over sockets of its own, each listened to many times."""

import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess

import uvicorn
from prometheus_client.multiprocess import mark_process_dead
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

# Seconds a request may still take after SIGTERM: longer than the longest search, shorter than an orchestrator's 30.
_DRAIN_SECONDS = 20
# Seconds an idle connection is kept: longer than a reader thinks, and than a proxy keeps its own (60 by habit).
_KEEP_ALIVE_SECONDS = 75
# Connections that the system keeps until they are taken.
_BACKLOG = 2048
# Connections taken at a turn of the loop. libuv takes one from each listener (since 1.45): a turn with a search in it
# takes 5 ms, and browsers that abort connect anew with each key. Those of too many people would wait in the system's
# queue, where nobody refuses them, until they have been given up. Each listener costs a connection 2 microseconds.
_LISTENER_COUNT = 16


def bind(host: str, port: int) -> list[socket.socket]:
    """Bind the addresses that a host name stands for; others may still do so until ``listen``.

    Args:
        port: 0 for any that is free, the same for all addresses.

    Raises:
        OSError: One cannot be had.
    """
    found: list[socket.socket] = []
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    try:
        for family, kind, protocol, _, (name, asked, *rest) in dict.fromkeys(addresses):
            address = (name, found[0].getsockname()[1] if found else asked, *rest)
            one = socket.socket(family, kind, protocol)
            found.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind(address)
    except BaseException:
        for one in found:
            one.close()
        raise
    return found


def listen(bound: Sequence[socket.socket]) -> None:
    """Have connections wait for ``run``.

    Raises:
        OSError: Another program listens there by now; uvloop would not tell.
    """
    for one in bound:
        one.listen(_BACKLOG)


def multiplied(bound: Sequence[socket.socket]) -> list[socket.socket]:
    """The sockets, and others that stand for the same addresses: each takes a connection at a turn of the loop."""
    return [*bound, *(one.dup() for one in bound for _ in range(_LISTENER_COUNT - 1))]


def run(bound: Sequence[socket.socket], *, workers: int) -> None:
    """Serve until the process is told to stop.

    Args:
        bound: What ``bind`` gave and ``listen`` had; closed in the end.
        workers: Processes; each reads the settings from the environment.

    Raises:
        SystemExit: The one process could not start, and has said why.
    """
    config = uvicorn.Config(
        "livesearch.bridge:create_asgi",
        factory=True,
        workers=workers,
        http="livesearch.guard.protocol:GuardedProtocol",
        # The guard refuses websockets itself.
        ws="none",
        lifespan="on",
        reset_contextvars=True,
        server_header=False,
        # The application reads the proxy's headers itself: LIVESEARCH_PROXY_COUNT says how many to believe.
        proxy_headers=False,
        access_log=False,
        log_level="warning",
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )
    listeners = multiplied(bound)
    if workers > 1:
        Workers(config, sockets=listeners).run()
        return
    server = uvicorn.Server(config)
    with suppress(KeyboardInterrupt):  # by then it has stopped
        server.run(sockets=listeners)
    if not server.started:
        sys.exit(STARTUP_FAILURE)


class Workers(Multiprocess):
    """uvicorn's parent of several processes, which leaves nothing of them behind."""

    def terminate_all(self) -> None:
        """Stop the workers. Who connects when they listen no more is refused, not kept waiting by the parent."""
        for one in self.sockets:
            one.close()
        super().terminate_all()

    def keep_subprocess_alive(self) -> None:
        """Replace workers that have died."""
        with self._forgetting():
            super().keep_subprocess_alive()

    def handle_signals(self) -> None:
        """Do as told: SIGHUP replaces all workers, SIGTTOU takes one away."""
        with self._forgetting():
            super().handle_signals()

    @contextmanager
    def _forgetting(self) -> Iterator[None]:
        """Count no longer what workers that are gone afterwards had in progress or in memory."""
        before = {process.pid for process in self.processes}
        yield
        for pid in before - {process.pid for process in self.processes}:
            mark_process_dead(pid)  # type: ignore[no-untyped-call]  # prometheus_client types it in part


def end_with_parent() -> None:
    """Have a worker end when its parent is gone, killed for instance: it would keep the port from a new one."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: BaseProcess) -> None:
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)

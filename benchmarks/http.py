"""One page by several web frameworks, side by side: processor time and answers a second of each."""

import asyncio
import itertools
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import click
import uvloop
from rich.progress import track
from rich.table import Table

from benchmarks.http_client import ask_all
from benchmarks.http_in_process import measure_in_process
from benchmarks.http_product import measure_product
from benchmarks.http_servers import CLIENT_CORE, pin
from benchmarks.http_stacks import STACKS, Stack, Window, measure, served
from benchmarks.printing import console, percentile

# Connections at which processor time is compared: enough that a server never waits for the client.
_BUSY_COUNT = 16
# Others are told as multiples of its processor time.
_YARDSTICK = "Starlette"
_KEEP_ALIVE_REQUESTS, _KEEP_ALIVE_CONNECTIONS, _KEEP_ALIVE_SECONDS = 10_000, 64, 120.0


@click.command()
@click.option("--rounds", default=5, show_default=True, help="Rounds; the medians are printed.")
@click.option("--seconds", default=0.8, show_default=True, help="Length of each measured window.")
@click.option("--only", default="", help="Only stacks whose function begins so, comma-separated.")
@click.option("--keep-alive", is_flag=True, help="10,000 requests over 64 connections: errors and wrong answers.")
@click.option("--in-process", is_flag=True, help="Processor time without servers and sockets: the steadiest figures.")
@click.option("--product", is_flag=True, help="The demo's own pages instead of the small page.")
@click.option("--json", "json_path", type=click.Path(dir_okay=False), help="Write all figures to this file.")
@click.option("--chart", type=click.Path(dir_okay=False), help="Draw processor time a request into this SVG file.")
def http(
    *,
    rounds: int,
    seconds: float,
    only: str,
    keep_alive: bool,
    in_process: bool,
    product: bool,
    json_path: str | None,
    chart: str | None,
) -> None:
    """Ask the same page of several frameworks in interleaved rounds, server and client on a core each."""
    uvloop.install()
    pin(CLIENT_CORE)
    stacks = [stack for stack in STACKS if stack.factory.partition(":")[2].startswith(tuple(only.split(",")))]
    if keep_alive:
        _print_keep_alive(stacks)
        return
    if in_process:
        _print_in_process(measure_in_process(stacks, rounds))
        return
    figures = measure_product(rounds, seconds) if product else _compare(stacks, rounds, seconds)
    _print_figures(figures)
    if json_path:
        plain = {label: {count: asdict(window) for count, window in row.items()} for label, row in figures.items()}
        Path(json_path).write_text(json.dumps(plain, indent=1))
    if chart:
        from benchmarks.http_chart import draw

        ours = {stack.label for stack in stacks if stack.is_ours}
        draw({label: row[_BUSY_COUNT].cpu_us for label, row in figures.items()}, ours, Path(chart))


Figures = Mapping[str, Mapping[int, Window]]


def _compare(stacks: list[Stack], rounds: int, seconds: float) -> Figures:
    counts = (1, _BUSY_COUNT, 64)
    ticks = iter(track(range(rounds * len(stacks) * len(counts)), console=console, transient=True))
    with served(stacks) as (servers, questions):
        labels = [stack.label for stack in stacks]
        return measure(
            dict(zip(labels, servers, strict=True)),
            dict.fromkeys(labels, questions),
            connection_counts=counts,
            round_count=rounds,
            seconds=seconds,
            on_window=lambda: next(ticks),
        )


def _print_figures(figures: Figures) -> None:
    counts = list(next(iter(figures.values())))
    columns = [f"{name} c={count}" for count in counts for name in ("answers/s", "p50/p99 ms")]
    table = Table("", "CPU µs", f"÷ {_YARDSTICK}", *columns, "errors", "wrong")
    yard = figures.get(_YARDSTICK)
    for label, row in figures.items():
        busy = row[_BUSY_COUNT]
        ratio = f"{busy.cpu_us / yard[_BUSY_COUNT].cpu_us:.2f}" if yard else ""
        rates = [(f"{w.rate:,.0f}", f"{w.p50_ms:.1f} / {w.p99_ms:.1f}") for w in row.values()]
        errors = max(window.error_share for window in row.values())
        wrong = sum(window.wrong_count for window in row.values())
        table.add_row(label, f"{busy.cpu_us:,.0f}", ratio, *itertools.chain(*rates), f"{errors:.0%}", str(wrong))
    console.print(table)
    console.print(
        f"CPU: processor time of all the server's processes for an answer, {_BUSY_COUNT} connections. Medians of rounds"
        " in changing order. Read ratios, not absolute figures."
    )


def _print_in_process(least: Mapping[str, float]) -> None:
    table = Table("", "CPU µs in process", f"÷ {_YARDSTICK}")
    yard = least.get(_YARDSTICK)
    for label, spent in least.items():
        table.add_row(label, f"{spent:,.0f}", f"{spent / yard:.2f}" if yard else "")
    console.print(table)


def _print_keep_alive(stacks: list[Stack]) -> None:
    """Ten thousand requests of each, and what was answered."""
    table = Table("", "answers", "right", "errors", "wrong", "answers/s", "p99 ms")
    with served(stacks) as (servers, questions):
        turns = list(itertools.islice(itertools.cycle(questions), _KEEP_ALIVE_REQUESTS))
        for stack, server in zip(stacks, servers, strict=True):
            tally = asyncio.run(
                ask_all(server.port, turns, connection_count=_KEEP_ALIVE_CONNECTIONS, limit_seconds=_KEEP_ALIVE_SECONDS)
            )
            right = len(tally.seconds)
            counts = (tally.count, right, tally.error_count, tally.wrong_count)
            rate, p99 = right / tally.wall_seconds, 1000 * percentile(tally.seconds, 0.99)
            table.add_row(stack.label, *(f"{count:,}" for count in counts), f"{rate:,.0f}", f"{p99:.0f}")
    console.print(table)

"""`make load`: people who type against a server of its own, or a given one, and what they felt."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import click
from rich.console import Console
from rich.table import Table

from tests.load.report import GOOD_P99, Answer, Summary, errors, goodput, recovery_seconds, summarize
from tests.load.running import Meter, metered, pinned_server, run_crowd
from tests.load.typists import REQUEST_RATE

# Seconds of the stages of a test of overload: at the limit, past it, and relieved.
_FULL_SECONDS, _OVER_SECONDS, _RELIEF_SECONDS = 15.0, 15.0, 15.0
# Share of the server's core that others may take before its figures are not the server's.
_LARGEST_FOREIGN_LOAD = 0.1
console = Console(width=120)


@click.command()
@click.option("--people", default=100, show_default=True, help="People at once, each with a page open.")
@click.option("--rate", type=float, help="Requests a second instead of people; a person makes about 0.64.")
@click.option("--seconds", default=30.0, show_default=True, help="Length of the steady part.")
@click.option("--warm-up", default=10.0, show_default=True, help="Seconds before it, not counted.")
@click.option("--overload", type=float, help="Then come this many times as many as the server can serve; and go.")
@click.option("--url", help="A running server with the demo, instead of one of its own.")
@click.option("--seed", default=1, show_default=True, help="Other people, other titles.")
def main(
    *,
    people: int,
    rate: float | None,
    seconds: float,
    warm_up: float,
    overload: float | None,
    url: str | None,
    seed: int,
) -> None:
    """Let people search the demo as they do: think, type, mistype, read, filter, open, go on.

    What they ask and when is fixed beforehand and does not wait for the server; a time counts from the moment the
    browser was to ask, 150 ms after the key.
    """
    people = max(1, round(rate / REQUEST_RATE)) if rate else people
    with _server(url) as (address, pid), metered(pid) if pid else _no_meter() as meter:
        steady = _steady(address, people, seconds, warm_up, seed, meter)
        if overload:
            _overloaded(address, people, steady, overload, seed)
    if meter.samples:
        console.print(f"The server's largest resident size: {meter.memory_mib:.0f} MiB.")


def _steady(address: str, people: int, seconds: float, warm_up: float, seed: int, meter: Meter) -> float:
    """Run and print the steady part; gives the server's load (processors), NaN when unknown."""
    seen = run_crowd(address, [(warm_up, people), (seconds, people)], seed=seed)
    answers = seen.between(warm_up, warm_up + seconds)
    begin = seen.begun + warm_up
    load, others = (rate(begin, begin + seconds) for rate in (meter.load, meter.foreign_load))
    _print(f"{people} people for {seconds:.0f} s", summarize(answers))
    searches = sum(answer.kind in {"search", "facet"} for answer in answers)
    console.print(
        f"{len(answers) / seconds:.0f} requests a second, {searches / seconds:.0f} of them searches."
        f" Server: {load:.0%} of a core, others {others:.0%}. Crowd: {seen.crowd_load:.0%} of a core,"
        f" its own delay p99 {1000 * seen.lag(warm_up, warm_up + seconds):.1f} ms."
    )
    _print_verdict(answers, is_void=seen.is_void(warm_up, warm_up + seconds) or others > _LARGEST_FOREIGN_LOAD)
    return load


def _print_verdict(answers: Sequence[Answer], *, is_void: bool) -> None:
    faults = errors(answers)
    p99 = summarize(answers)["all"].p99
    if is_void:
        console.print("VOID: the crowd was late itself, or others used the server's core.", style="bold red")
    elif faults:
        console.print(f"FAILED: {faults}", style="bold red")
    elif p99 < GOOD_P99:
        console.print(f"GOOD: p99 {1000 * p99:.0f} ms, no errors.", style="bold green")
    else:
        console.print(f"SLOW: p99 {1000 * p99:.0f} ms, no errors.", style="bold yellow")


def _overloaded(address: str, people: int, load: float, factor: float, seed: int) -> None:
    """Fill the server, overload it, relieve it; print what was served, and how soon it was itself again."""
    full = round(people / load) if load == load else people  # noqa: PLR0124  # NaN: the load is unknown
    over = round(full * factor)
    stages = [(_FULL_SECONDS, full), (_OVER_SECONDS, over), (_RELIEF_SECONDS, people)]
    seen = run_crowd(address, stages, seed=seed + 1)
    relief = _FULL_SECONDS + _OVER_SECONDS
    # The first seconds of a stage, in which people come, are not counted.
    best, surge = (
        (begin + 3, begin + length) for begin, length in ((0, _FULL_SECONDS), (_FULL_SECONDS, _OVER_SECONDS))
    )
    served = [goodput(seen.between(*stretch), stretch[1] - stretch[0]) for stretch in (best, surge)]
    for name, stretch in ((f"{full} people: all it can serve", best), (f"{over} people: {factor:g} times that", surge)):
        _print(name, summarize(seen.between(*stretch)))
        void = " VOID: the crowd was late itself." if seen.is_void(*stretch) else ""
        console.print(f"Crowd's own delay p99 {1000 * seen.lag(*stretch):.1f} ms.{void}")
    recovered = recovery_seconds(seen.answers, relief, relief + _RELIEF_SECONDS)
    when = f"{recovered:.0f} s after the relief" if recovered < _RELIEF_SECONDS else "not before the end"
    console.print(
        f"Useful answers a second: {served[0]:.0f} at the limit, {served[1]:.0f} past it"
        f" ({served[1] / max(served):.0%} of the best). Itself again: {when}."
    )


def _print(title: str, summaries: Mapping[str, Summary]) -> None:
    table = Table("", "requests", "p50 ms", "p95 ms", "p99 ms", "max ms", "aborted", "refused", "errors", title=title)
    for kind, one in summaries.items():
        times = (f"{1000 * value:.0f}" for value in (one.p50, one.p95, one.p99, one.longest))
        counts = (str(count) for count in (one.aborted_count, one.refused_count, one.error_count))
        table.add_row(kind, str(one.count), *times, *counts)
    console.print(table)


@contextmanager
def _server(url: str | None) -> Iterator[tuple[str, int]]:
    """The address to load, and the server's process: 0 when it is somebody else's."""
    if url:
        yield url, 0
        return
    with tempfile.TemporaryDirectory() as folder, pinned_server(folder) as server:
        yield server


@contextmanager
def _no_meter() -> Iterator[Meter]:
    yield Meter()


if __name__ == "__main__":
    main()

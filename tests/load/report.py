"""What a crowd saw, as figures: pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

# An answer that comes later than this (seconds) is of no use to someone who types.
USEFUL_SECONDS = 1.0
# Later than this (seconds), a person notices.
GOOD_P99 = 0.100
# The crowd's own delay (seconds, p99) from which on a run says nothing about the server.
LARGEST_LAG = 0.010
_FINE = frozenset({"ok", "aborted"})


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of a request.

    Attributes:
        due: When it was to be made, in seconds from the beginning of the run.
        seconds: From then to its end, whatever delayed it.
        outcome: ``ok``, ``aborted`` (a newer one replaced it), ``refused`` (503), or what was wrong.
    """

    kind: str
    due: float
    seconds: float
    outcome: str


@dataclass(frozen=True, slots=True)
class Summary:
    """A kind of request, in one stage. Times are in seconds, of the answers that came."""

    count: int
    p50: float
    p95: float
    p99: float
    longest: float
    aborted_count: int
    refused_count: int
    error_count: int


def percentile(values: Sequence[float], share: float) -> float:
    """The value that such a share of the values does not pass (nearest rank); NaN of none."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else float("nan")


def between(answers: Sequence[Answer], begin: float, end: float) -> Sequence[Answer]:
    """Those that were due in a stretch of time."""
    return [answer for answer in answers if begin <= answer.due < end]


def summarize(answers: Sequence[Answer]) -> Mapping[str, Summary]:
    """Figures by kind, and under ``all`` of all kinds."""
    kinds = sorted({answer.kind for answer in answers})
    by_kind = {kind: [answer for answer in answers if answer.kind == kind] for kind in kinds}
    return {kind: _summary(some) for kind, some in (by_kind | {"all": list(answers)}).items()}


def _summary(answers: Sequence[Answer]) -> Summary:
    times = [answer.seconds for answer in answers if answer.outcome == "ok"]
    outcomes = [answer.outcome for answer in answers]
    aborted, refused = outcomes.count("aborted"), outcomes.count("refused")
    return Summary(
        count=len(answers),
        p50=percentile(times, 0.5),
        p95=percentile(times, 0.95),
        p99=percentile(times, 0.99),
        longest=max(times, default=float("nan")),
        aborted_count=aborted,
        refused_count=refused,
        error_count=len(answers) - outcomes.count("ok") - aborted - refused,
    )


def errors(answers: Sequence[Answer]) -> Mapping[str, int]:
    """What went wrong, and how often."""
    wrong = [answer.outcome for answer in answers if answer.outcome not in _FINE]
    return {outcome: wrong.count(outcome) for outcome in sorted(set(wrong))}


def goodput(answers: Sequence[Answer], seconds: float) -> float:
    """Right answers a second that came while they were of use."""
    return sum(answer.outcome == "ok" and answer.seconds <= USEFUL_SECONDS for answer in answers) / seconds


def recovery_seconds(answers: Sequence[Answer], relief: float, end: float) -> float:
    """Seconds from the relief to the first of two good seconds in a row; infinite when there are none.

    A second is good when what was due in it was answered without an error, 99 % of it in time.
    """
    seconds = [between(answers, relief + second, relief + second + 1) for second in range(int(end - relief))]
    for second, (one, next_one) in enumerate(pairwise(seconds)):
        if _is_good(one) and _is_good(next_one):
            return float(second)
    return float("inf")


def _is_good(answers: Sequence[Answer]) -> bool:
    times = [answer.seconds for answer in answers if answer.outcome == "ok"]
    return bool(times) and percentile(times, 0.99) < GOOD_P99 and not errors(answers)

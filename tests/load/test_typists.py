"""The model of people who search, and a small crowd of them against a real server."""

import random
from itertools import pairwise
from math import isnan
from pathlib import Path

import pytest

from tests.load.report import Answer, errors, goodput, recovery_seconds, summarize
from tests.load.running import Meter, Sample, pinned_server, run_crowd
from tests.load.typists import DEBOUNCE, REQUEST_RATE, Crowd, Game, Step, press

GAMES = [Game(f"snes/{number}", f"Final Quest {number}", "SNES", number) for number in range(1, 30)]


def visits(count: int = 200) -> list[list[Step]]:
    crowd, chance = Crowd("games", GAMES), random.Random(7)  # noqa: S311  # people, no secrets
    return [list(crowd.visit(chance)) for _ in range(count)]


def test_same_seed_makes_the_same_visits() -> None:
    assert visits(3) == visits(3)


def test_what_is_typed_ends_with_the_text_and_mistakes_are_taken_back() -> None:
    typed = [list(press("super mario world", 0.2, random.Random(seed))) for seed in range(200)]  # noqa: S311

    assert {keys[-1][1] for keys in typed} == {"super mario world"}
    lengths = [len(keys) for keys in typed]
    assert min(lengths) == 17  # without a mistake, a key a letter
    assert max(lengths) > 17


def test_keys_come_as_fast_as_people_type() -> None:
    keys = list(press("b" * 20_000, 0.2, random.Random(1)))  # noqa: S311

    assert keys[-1][0] / (len(keys) - 1) == pytest.approx(0.2, rel=0.05)


def test_form_asks_only_where_the_keys_pause_for_its_delay() -> None:
    for steps in visits(50):
        searches = [step.due for step in steps if step.kind == "search"]
        assert all(later - earlier >= DEBOUNCE for earlier, later in pairwise(searches))


def test_search_that_replaces_another_shares_its_channel() -> None:
    channels = {step.kind: step.channel for steps in visits() for step in steps}

    assert channels["search"] == channels["facet"] == "form"
    assert len({channels["search"], channels["suggest"], channels["poll"], channels["page"]}) == 4


def test_person_makes_as_many_requests_as_said() -> None:
    seen = visits()
    rate = sum(map(len, seen)) / sum(steps[-1].due for steps in seen)

    assert rate == pytest.approx(REQUEST_RATE, rel=0.25)


def test_popular_games_are_looked_for_more_often() -> None:
    crowd = Crowd("games", [Game("a", "aaaa", "SNES", 1), Game("b", "bbbb", "SNES", 9)])
    chance = random.Random(3)  # noqa: S311
    first = [step.text[0] for _ in range(300) for step in crowd.visit(chance) if step.kind == "search" and step.text]

    assert 0.85 < first.count("b") / len(first) < 0.95


def test_summary_counts_outcomes_apart_and_times_only_right_answers() -> None:
    answers = [Answer("search", 0, second / 1000, "ok") for second in range(1, 101)]
    answers += [Answer("search", 0, 9, "aborted"), Answer("page", 0, 9, "refused"), Answer("page", 0, 9, "status 500")]

    summary = summarize(answers)

    assert (summary["search"].count, summary["search"].aborted_count, summary["search"].longest) == (101, 1, 0.1)
    assert (summary["all"].p50, summary["all"].p99) == (0.051, 0.1)
    assert (summary["all"].refused_count, summary["all"].error_count) == (1, 1)
    assert errors(answers) == {"refused": 1, "status 500": 1}


def test_meter_tells_the_server_from_others_on_its_core() -> None:
    meter = Meter([Sample(moment, 0.5 * moment, 0.75 * moment, 1 << 20) for moment in range(10)])
    meter.samples.append(Sample(10.0, 99.0, 99.0, 3 << 20))  # after the stretch that counts

    assert (meter.load(2, 9), meter.foreign_load(2, 9), meter.memory_mib) == (0.5, 0.25, 3)


def test_meter_without_samples_claims_nothing() -> None:
    assert isnan(Meter().load(0, 9))
    assert isnan(Meter().foreign_load(0, 9))


def test_goodput_leaves_out_what_came_too_late() -> None:
    answers = [Answer("search", 0, 0.2, "ok"), Answer("search", 0, 1.5, "ok"), Answer("search", 0, 0.1, "aborted")]

    assert goodput(answers, 2.0) == 0.5


def test_recovery_ends_with_two_good_seconds_in_a_row() -> None:
    times = [2.0, 0.01, 0.5, 0.01, 0.01, 0.01]
    answers = [Answer("search", 10.5 + second, time, "ok") for second, time in enumerate(times)]

    assert recovery_seconds(answers, 10.0, 16.0) == 3
    assert recovery_seconds(answers[:3], 10.0, 16.0) == float("inf")


def test_thirty_people_get_right_answers_to_what_they_ask(tmp_path: Path) -> None:
    with pinned_server(tmp_path) as (url, _):
        seen = run_crowd(url, [(5.0, 30)])

    asked = [answer for answer in seen.answers if answer.kind in {"search", "suggest"}]
    assert len(asked) > 30
    assert errors(seen.answers) == {}
    assert sum(answer.outcome == "ok" for answer in asked) > len(asked) / 2

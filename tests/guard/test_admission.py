"""How many requests may be at work and wait, and what becomes of the others."""

import asyncio

import pytest

from livesearch.errors import OverloadedError
from livesearch.guard import admission as module
from livesearch.guard.admission import Admission


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class Crowd:
    """Requests that come one after the other; `working` holds those that have a turn, in order."""

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        self.working: list[int] = []
        self.refused: list[int] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def come(self, count: int) -> None:
        for _ in range(count):
            self.tasks.append(asyncio.create_task(self._enter(len(self.tasks))))
            await settle()

    async def _enter(self, number: int) -> None:
        try:
            await self.admission.enter()
        except OverloadedError:
            self.refused.append(number)
        else:
            self.working.append(number)

    async def finish(self, count: int) -> None:
        for _ in range(count):
            self.admission.leave()
            await settle()


@pytest.fixture(autouse=True)
def _refusals_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REFUSALS_PER_SECOND", 1e9)


@pytest.fixture(autouse=True)
def _small_rooms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING", 4)
    monkeypatch.setattr(module, "WAITING_LONG", 3)
    monkeypatch.setattr(module, "WAITING_OVERLOADED", 2)


async def test_turns_are_given_in_the_order_of_coming() -> None:
    crowd = Crowd(Admission(working=2))
    await crowd.come(5)

    assert crowd.working == [0, 1]
    await crowd.finish(2)
    assert crowd.working == [0, 1, 2, 3]


async def test_a_burst_beyond_the_room_sends_away_who_waited_longest() -> None:
    crowd = Crowd(Admission(working=1))
    await crowd.come(5)
    assert crowd.refused == []
    await crowd.come(1)
    await asyncio.sleep(0.01)

    assert crowd.refused == [1, 2, 3]
    await crowd.finish(2)
    assert crowd.working == [0, 4, 5]


async def test_a_long_wait_makes_the_room_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONG_SECONDS", 0.02)
    crowd = Crowd(Admission(working=1))
    await crowd.come(4)
    await asyncio.sleep(0.05)
    await crowd.come(1)
    await asyncio.sleep(0.01)

    assert crowd.refused == [1, 2]
    await crowd.finish(2)
    assert crowd.working == [0, 3, 4]


async def test_an_overload_refuses_newcomers_until_it_is_past(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CALM_SECONDS", 0.2)
    crowd = Crowd(Admission(working=1))
    await crowd.come(6)
    await asyncio.sleep(0.01)
    assert crowd.refused == [1, 2, 3]
    await crowd.come(2)
    await asyncio.sleep(0.01)
    assert crowd.refused == [1, 2, 3, 6, 7]

    await asyncio.sleep(0.25)
    await crowd.come(1)

    assert crowd.refused == [1, 2, 3, 6, 7]
    await crowd.finish(3)
    assert crowd.working == [0, 4, 5, 8]


async def test_who_leaves_the_queue_takes_no_turn() -> None:
    crowd = Crowd(Admission(working=1))
    await crowd.come(3)
    crowd.tasks[1].cancel()
    await crowd.finish(1)

    assert crowd.working == [0, 2]
    await crowd.finish(1)
    await crowd.come(1)
    assert crowd.working == [0, 2, 3]


async def test_a_turn_that_comes_as_one_leaves_is_passed_on() -> None:
    crowd = Crowd(Admission(working=1))
    await crowd.come(3)
    crowd.admission.leave()
    crowd.tasks[1].cancel()
    await settle()

    assert crowd.working == [0, 2]


async def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.02)
    crowd = Crowd(Admission(working=1))
    await crowd.come(2)
    await asyncio.wait(crowd.tasks, timeout=2)

    assert crowd.refused == [1]
    await crowd.finish(1)
    await crowd.come(1)
    assert crowd.working == [0, 2]


async def test_refusals_are_spaced_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REFUSALS_PER_SECOND", 50)
    crowd = Crowd(Admission(working=1))
    started = asyncio.get_running_loop().time()
    await crowd.come(8)
    assert len(crowd.refused) < 4
    await asyncio.wait(crowd.tasks, timeout=0.5)

    assert asyncio.get_running_loop().time() - started >= 4 / 50
    assert crowd.admission.refused_count == 5

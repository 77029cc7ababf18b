"""Commands that run within the tests' own process."""

import os

import pytest


@pytest.fixture(autouse=True)
def _priority_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process has given up of its priority it cannot take back: the tests after these would have less."""
    monkeypatch.setattr(os, "nice", lambda _: 0)
    monkeypatch.setattr(os, "sched_setscheduler", lambda *_: None, raising=False)

"""Texts that have broken programs before."""

import json
from pathlib import Path

import pytest

_STRINGS = Path(__file__).parents[2] / "shared" / "data" / "malformed" / "naughty-strings" / "blns.json"


def naughty_strings() -> list[str]:
    """The Big List of Naughty Strings; a test that needs it is skipped without it."""
    if not _STRINGS.is_file():
        pytest.skip("the shared data folder is absent")
    strings: list[str] = json.loads(_STRINGS.read_text())
    return strings

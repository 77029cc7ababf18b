"""What the doctor says."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    # Worth knowing; nothing need be done.
    NOTE = "note"
    # The site works, but is slow, unsafe, or will stop working.
    WARNING = "warning"
    # The site, or a part of it, does not work.
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: What it is about, in a word or two.
        text: How it stands, in a sentence.
        remedy: What to do, in a sentence; None where nothing need be done.
    """

    level: Level
    subject: str
    text: str
    remedy: str | None = None


def ok(subject: str, text: str) -> Finding:
    """What is as it should be."""
    return Finding(Level.OK, subject, text)


def note(subject: str, text: str, remedy: str | None = None) -> Finding:
    """What is worth knowing."""
    return Finding(Level.NOTE, subject, text, remedy)


def warning(subject: str, text: str, remedy: str) -> Finding:
    """What should be mended."""
    return Finding(Level.WARNING, subject, text, remedy)


def fault(subject: str, text: str, remedy: str) -> Finding:
    """What must be mended."""
    return Finding(Level.FAULT, subject, text, remedy)

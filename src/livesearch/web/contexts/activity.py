"""What the templates of activity are given."""

from dataclasses import dataclass
from typing import ClassVar

from livesearch.web.contexts import Poll


@dataclass(frozen=True, slots=True)
class RunningImport:
    """An import under way.

    Attributes:
        percent: Of the file; empty where that is not known.
    """

    url: str
    filename: str
    percent: str
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecentChangeRow:
    """What was changed in a collection at about one time.

    Attributes:
        url: The collection's page.
        moment: As machines read it.
    """

    url: str
    label: str
    summary: str
    age: str
    moment: str


@dataclass(frozen=True, slots=True)
class Activity:
    """What goes on.

    Attributes:
        poll: Where it is asked for anew.
        imports_url: The page of all imports; empty for who may not see it.
    """

    poll: Poll
    imports_url: str
    running: tuple[RunningImport, ...]
    recent: tuple[RecentChangeRow, ...]


@dataclass(frozen=True, slots=True)
class ActivityFragment:
    """What goes on, as a part of a page."""

    template: ClassVar[str] = "partials/_activity.html"

    activity: Activity

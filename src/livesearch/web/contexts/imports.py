"""What the templates of imports are given."""

from dataclasses import dataclass
from typing import ClassVar

from livesearch.web.forms.imports import UploadForm


@dataclass(frozen=True, slots=True)
class JobRow:
    """An import in the list.

    Attributes:
        state: In one word.
        kind: The state as a class: ``is-live``, ``is-bad`` or nothing.
        facts: What became of it, when, and whose it is; in words.
    """

    url: str
    filename: str
    state: str
    kind: str
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UploadFragment:
    """The form that sends rows.

    Attributes:
        limit: Bytes of the largest upload.
        limit_text: Likewise, for people.
    """

    template: ClassVar[str] = "partials/_upload.html"

    form: UploadForm
    limit: int
    limit_text: str


@dataclass(frozen=True, slots=True)
class ImportsPage(UploadFragment):
    """Sending rows, and the imports there were.

    Attributes:
        notice: What was done just now; empty where nothing was.
    """

    template: ClassVar[str] = "pages/imports.html"

    jobs: tuple[JobRow, ...]
    notice: str


@dataclass(frozen=True, slots=True)
class RoleChoice:
    """A role that a field may have."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A field of a file.

    Attributes:
        id: The element's id, the same in every answer.
        kind: Its type, in words.
        role: In words, where it cannot be chosen; empty otherwise.
        reason: Why it has the role.
    """

    id: str
    name: str
    kind: str
    role: str
    choices: tuple[RoleChoice, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class DraftFragment:
    """A file that was sent and is looked at.

    Attributes:
        facts: Size, format, what was detected; in words.
        fault: Why it cannot be imported so; empty where it can.
        is_readable: Whether there is anything to choose.
        name: Of the collection.
        exists: Whether there is such a collection; ``existing_text`` says how large it is.
        is_replacing: Whether its rows are to be replaced.
        keys: The fields that could tell rows apart; none where that is settled, as ``key_text`` says.
        columns: Names of the fields of the sample, and its rows, cut.
        sample_text: What was looked at, in words.
        difference: What an import would do, in words; empty where nobody has asked.
        can_start: Whether nothing is in the way.
    """

    template: ClassVar[str] = "partials/_import_draft.html"

    csrf: str
    url: str
    remove_url: str
    filename: str
    facts: tuple[str, ...]
    fault: str
    is_readable: bool
    name: str
    exists: bool
    existing_text: str
    is_replacing: bool
    keys: tuple[RoleChoice, ...]
    key_text: str
    fields: tuple[FieldRow, ...]
    columns: tuple[str, ...]
    sample: tuple[tuple[str, ...], ...]
    sample_text: str
    difference: tuple[str, ...]
    can_start: bool


@dataclass(frozen=True, slots=True)
class DraftPage(DraftFragment):
    """The page of a file that is looked at."""

    template: ClassVar[str] = "pages/import_draft.html"


@dataclass(frozen=True, slots=True)
class ProgressFragment:
    """An import under way.

    Attributes:
        title: What goes on.
        percent: Of the file, 0 to 100, and what the bar says; empty where it is not known.
        facts: Rows, rate, time left; in words.
        poll_url: Asked for again and again, until the answer is another fragment.
        note: What one may do meanwhile.
    """

    template: ClassVar[str] = "partials/_import_progress.html"

    csrf: str
    title: str
    percent: str
    facts: tuple[str, ...]
    note: str
    url: str
    poll_url: str
    cancel_url: str
    is_cancelling: bool


@dataclass(frozen=True, slots=True)
class ProgressPage(ProgressFragment):
    """The page of an import under way."""

    template: ClassVar[str] = "pages/import_progress.html"


@dataclass(frozen=True, slots=True)
class EndedFragment:
    """An import that has ended.

    Attributes:
        is_bad: Whether it failed.
        lines: What became of it, a sentence each.
        counts: New, changed and so on: label and count.
        collection_url: Where the rows are found; empty where none are.
        rejects_url: The rows that could not be taken; empty without any.
        start_url: To start it again; empty where it is done.
    """

    template: ClassVar[str] = "partials/_import_ended.html"

    csrf: str
    title: str
    is_bad: bool
    lines: tuple[str, ...]
    counts: tuple[tuple[str, str], ...]
    collection_url: str
    rejects_url: str
    start_url: str
    remove_url: str


@dataclass(frozen=True, slots=True)
class EndedPage(EndedFragment):
    """The page of an import that has ended."""

    template: ClassVar[str] = "pages/import_ended.html"

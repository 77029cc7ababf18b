"""What pages show of editing, to those who may."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EditLink:
    """Where an editor changes something.

    Attributes:
        url: The page, for those without JavaScript.
        fragment_url: The form alone.
    """

    url: str
    fragment_url: str


@dataclass(frozen=True, slots=True)
class ChangeNotice:
    """What was changed just now.

    Attributes:
        text: In words.
        url: The document's page; empty where it is gone.
        undo_url: Where the change is taken back.
        change_id: Its number; 0 for one that cannot be taken back.
    """

    text: str
    url: str
    undo_url: str
    change_id: int


@dataclass(frozen=True, slots=True)
class ResultsEditing:
    """What an editor can do on a page of results.

    Attributes:
        new: Where a new document is made.
        refresh_url: This page, to be asked for again when something has changed.
        notice: What was changed on the page before; None where nothing was.
    """

    new: EditLink
    refresh_url: str
    notice: ChangeNotice | None


@dataclass(frozen=True, slots=True)
class FieldChange:
    """What became of a field: before and after, shortened."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class PastChange:
    """An entry of the audit trail.

    Attributes:
        what: What was done, in words.
        at: When, for people; ``moment`` for programs.
        undo_id: Its number, where it can be taken back; else 0.
    """

    who: str
    what: str
    at: str
    moment: str
    fields: tuple[FieldChange, ...]
    undo_id: int


@dataclass(frozen=True, slots=True)
class DocumentEditing:
    """What an editor can do with a document.

    Attributes:
        url: The document's, where it is deleted.
        refresh_url: The document, with the search that led to it.
        digest: Of the version that is shown.
    """

    edit: EditLink
    url: str
    refresh_url: str
    undo_url: str
    digest: str
    history: tuple[PastChange, ...]
    notice: ChangeNotice | None

"""Work in the background: imports of files that were sent, and new indexes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from livesearch.domain.documents import Role


class JobState(StrEnum):
    """Where an import in the background stands.

    A ``draft`` is looked at before it starts; ``waiting`` and ``running`` ones go on by themselves,
    after a restart too.
    """

    DRAFT = "draft"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


LIVE_STATES = frozenset({JobState.WAITING, JobState.RUNNING})


class JobTask(StrEnum):
    """What a job does: say what an import of its file would change, import it, or make a collection's index anew."""

    COMPARE = "compare"
    IMPORT = "import"
    REINDEX = "reindex"


@dataclass(frozen=True, slots=True)
class JobChoices:
    """How an uploaded file becomes a collection.

    Attributes:
        replace: Rows that the file does not have are gone afterwards.
        key: The field that tells rows apart; None for what is inferred.
        roles: Roles by field, where they differ from the inferred ones.
    """

    name: str
    replace: bool = False
    key: str | None = None
    roles: Mapping[str, Role] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far a job has come.

    Attributes:
        rows: Rows read, those before an interruption included.
        share: Of the file, 0 to 1; None where that is not known.
        rate: Rows a second, lately; 0 where that is not known yet.
        seconds_left: None where that cannot be told yet.
    """

    rows: int = 0
    rejected: int = 0
    share: float | None = None
    rate: float = 0.0
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True)
class JobResult:
    """What a job did, or would do; see `ImportReport`."""

    accepted: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    rejected: int = 0
    resumed_at: int = 0
    seconds: float = 0.0
    late_fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportJob:
    """A file that was sent to be imported, or other work in the background. Times are Unix seconds, UTC.

    Attributes:
        folder: Identifies the folder that holds the file: only a process that has it can run the job.
        file: Name of the file there; no part of it is the sender's.
        filename: What the sender called it; only to be shown.
        format: As the command's ``--format`` has it, such as ``csv.gz``.
        size: Bytes of the file.
        created_by: Name of the user; None for nobody known.
        difference: What an import would do, where that was asked for.
        result: What the import did.
        progress: As far as it was noted in the store; the folder knows more.
        error: Why it failed, for people.
        is_cancelling: Somebody has asked for its end.
    """

    id: int
    folder: str
    file: str
    filename: str
    format: str
    size: int
    created_by: str | None
    state: JobState
    task: JobTask
    choices: JobChoices
    created_at: float
    difference: JobResult | None = None
    result: JobResult | None = None
    progress: JobProgress = JobProgress()
    error: str | None = None
    is_cancelling: bool = False
    started_at: float | None = None
    finished_at: float | None = None

    @property
    def is_live(self) -> bool:
        """Whether it goes on by itself."""
        return self.state in LIVE_STATES

"""What an import reads, refuses and reports."""

from dataclasses import dataclass

from livesearch.domain.documents import Document, Field


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that could not be taken.

    Attributes:
        line: Line in the source where the row begins, from 1; the row number for tables.
        reason: In words for people.
        raw: The row as it stood, cut at 2,000 characters (the cut is marked with an ellipsis).
    """

    line: int
    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a source: the line where it begins (from 1) and its values."""

    line: int
    document: Document


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did.

    Attributes:
        accepted: New documents.
        updated: Documents whose content changed.
        unchanged: Rows equal to what was stored.
        rejected: Rows that could not be taken; they stand in ``rejects_path``.
        resumed_at: Rows skipped because an earlier, interrupted import had committed them.
        late_fields: Fields that no sampled row had; they are kept, but not searched.
        removed: Documents whose row is gone; of tables followed in place, and of replacements that were only tried.
        source_table: The table that is followed in place.
        is_dry_run: Nothing was stored.
    """

    collection: str
    source: str
    fields: tuple[Field, ...]
    accepted: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    resumed_at: int = 0
    late_fields: tuple[str, ...] = ()
    seconds: float = 0.0
    rejects_path: str | None = None
    key_field: str | None = None
    is_dry_run: bool = False
    removed: int = 0
    source_table: str | None = None

    @property
    def row_count(self) -> int:
        """Rows read."""
        return self.accepted + self.updated + self.unchanged + self.rejected

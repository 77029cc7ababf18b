"""Collections: rows of one kind, and what an owner chose and tuned for them."""

from dataclasses import dataclass

from livesearch.domain.documents import Field, Role
from livesearch.domain.visibility import PUBLIC, VisibilityRule


@dataclass(frozen=True, slots=True)
class CollectionSettings:
    """What an owner chose for a collection; all weights are 0 or more, 0 switches off.

    Attributes:
        popularity_weight: What a tenfold popularity adds to a score, relative to 10 for a word whole in a title.
        recency_field: The date field by which newer documents come first; None for none.
        recency_weight: What a document of today adds; half of it after ``recency_half_life_days``.
        language: Snowball stemmer whose word forms find each other, as ``english``; ``none`` for none.
        visibility: Who may see which rows.
        facet_order: Facets that come first, in this order; others follow in that of the fields.
    """

    popularity_weight: float = 1.0
    recency_field: str | None = None
    recency_weight: float = 0.0
    recency_half_life_days: float = 365.0
    language: str = "english"
    visibility: VisibilityRule = PUBLIC
    facet_order: tuple[str, ...] = ()


def collection_label(name: str) -> str:
    """The name of a collection as people read it: ``board_games`` becomes ``Board games``."""
    words = name.replace("_", " ").replace("-", " ")
    return words[:1].upper() + words[1:]


@dataclass(frozen=True, slots=True)
class Collection:
    """Rows of one kind, searched together.

    Attributes:
        id: The store's number for it.
        version: The change token: grows with every committed change.
        key_field: The field that tells rows apart; None where a hash of the content does.
        popularity_field: The numeric field that breaks ties; None where there is none.
        source: What it was last imported from, as given.
        next_number: The internal number that the next new document gets; all numbers are below it.
        token_count: Pairs of a document and a word in its searched fields.
        index_version: Of the code that made the index; see `store.collections.INDEX_VERSION`.
        tuning_version: The version that last changed synonyms, curations or settings; 0 when none ever did.
        has_foreign_changes: Another program wrote documents, or rows of the followed table, that the index does not
            know yet.
        source_table: The table of the same database whose rows the documents are; None where they are a copy.
        is_following: What becomes of that table is taken over; not while it is read for the first time.
    """

    id: int
    name: str
    version: int
    document_count: int
    fields: tuple[Field, ...]
    key_field: str | None = None
    popularity_field: str | None = None
    source: str | None = None
    next_number: int = 0
    settings: CollectionSettings = CollectionSettings()
    token_count: int = 0
    index_version: int = 0
    tuning_version: int = 0
    has_foreign_changes: bool = False
    source_table: str | None = None
    is_following: bool = False

    @property
    def label(self) -> str:
        """The name as people read it."""
        return collection_label(self.name)

    def by_role(self, *roles: Role) -> tuple[Field, ...]:
        """The fields that have one of the roles, in their order."""
        return tuple([f for f in self.fields if f.role in roles])

    @property
    def facet_fields(self) -> tuple[Field, ...]:
        """The facets, in the order in which people see them."""
        order = {name: place for place, name in enumerate(self.settings.facet_order)}
        return tuple(sorted(self.by_role(Role.FACET), key=lambda field: order.get(field.name, len(order))))

    @property
    def title_field(self) -> Field | None:
        """The first title field; None where rows have none."""
        return next(iter(self.by_role(Role.TITLE)), None)

    def field(self, name: str) -> Field | None:
        """The field of that name, or None."""
        return next((f for f in self.fields if f.name == name), None)


@dataclass(frozen=True, slots=True)
class Synonym:
    """Words that stand for others in a collection's searches.

    Attributes:
        words: Folded, with single spaces, as ``tv``.
        alternatives: What is looked for as well, likewise, as ``television``.
        is_two_way: Whether every one of them, and ``words``, stands for all the others.
    """

    id: int
    words: str
    alternatives: tuple[str, ...]
    is_two_way: bool


@dataclass(frozen=True, slots=True)
class Curation:
    """A document pinned to a place, or hidden, for one query.

    Attributes:
        query: Folded, with single spaces; it is meant when the whole query reads so.
        position: From 1; None hides the document.
    """

    id: int
    query: str
    document_key: str
    position: int | None

"""What the templates of a collection's settings are given."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that can be chosen."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class WeightRow:
    """A searched field.

    Attributes:
        id: The element's id.
        weight: As it is written in a number's input.
    """

    id: str
    name: str
    role: str
    weight: str
    is_tolerant: bool


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A field and what it is for.

    Attributes:
        choices: The roles it can have; none where it can have no other.
        place: Among the facets, from 1; empty for others.
    """

    id: str
    name: str
    kind: str
    role: str
    choices: tuple[Choice, ...]
    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class TunedRow:
    """A synonym, or what is pinned or hidden.

    Attributes:
        text: In one line.
        fact: What more there is to say; may be empty.
    """

    text: str
    fact: str
    remove_url: str


@dataclass(frozen=True, slots=True)
class ComparedHit:
    """A hit of the result as it would be.

    Attributes:
        move: How it moved, in words; empty where it did not.
        kind: The move as a class: ``is-up``, ``is-down``, ``is-new`` or nothing.
    """

    title: str
    move: str
    kind: str


@dataclass(frozen=True, slots=True)
class PreviewFragment:
    """What a query finds as it is saved and as it would be.

    Attributes:
        fault: Why there is nothing to see; empty otherwise.
        verdict: What is different, in a sentence.
    """

    template: ClassVar[str] = "partials/_settings_preview.html"

    fault: str
    verdict: str
    before: tuple[ComparedHit, ...]
    after: tuple[ComparedHit, ...]


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed of a synonym or a pin that cannot be saved; empty where nothing was."""

    words: str = ""
    alternatives: str = ""
    is_one_way: bool = False
    query: str = ""
    document: str = ""
    is_to_hide: bool = False
    position: str = ""


@dataclass(frozen=True, slots=True)
class SettingsPage:
    """All that an owner can set for a collection.

    Attributes:
        facts: Rows, source; in words.
        notice: What was done just now; empty where nothing was.
        failure: What could not be done; empty otherwise.
        tried: The query that a preview is of; empty without.
        url: Of this page; forms post below it.
    """

    template: ClassVar[str] = "pages/settings.html"

    csrf: str
    name: str
    label: str
    facts: tuple[str, ...]
    notice: str
    failure: str
    typed: Typed
    url: str
    collection_url: str
    preview_url: str
    weights: tuple[WeightRow, ...]
    popularity_fields: tuple[Choice, ...]
    popularity_weight: str
    recency_fields: tuple[Choice, ...]
    recency_weight: str
    recency_half_life_days: str
    languages: tuple[Choice, ...]
    tried: str
    fault: str
    verdict: str
    before: tuple[ComparedHit, ...]
    after: tuple[ComparedHit, ...]
    fields: tuple[RoleRow, ...]
    has_facets: bool
    synonyms: tuple[TunedRow, ...]
    curations: tuple[TunedRow, ...]
    visibilities: tuple[Choice, ...]
    visible_roles: tuple[Choice, ...]
    visible_fields: tuple[Choice, ...]

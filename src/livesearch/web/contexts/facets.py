"""What the templates of facets and ranges are given."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Chip:
    """An active filter and the page without it."""

    label: str
    value: str
    remove_url: str


@dataclass(frozen=True, slots=True)
class FacetOption:
    """A value one can tick.

    Attributes:
        id: The element's id, the same in every answer, so that a morph keeps the box and its focus.
        count: Formatted.
        is_empty: Ticking it would find nothing.
    """

    id: str
    value: str
    label: str
    count: str
    is_selected: bool
    is_empty: bool


@dataclass(frozen=True, slots=True)
class FacetGroup:
    """A field's values.

    Attributes:
        name: The form field.
        is_expanded: Whether all values are shown and can be searched (``text``).
        more_label: What the link to more values says; empty where all are shown.
        more_url: The page with all values, for those without JavaScript.
        note: Says that not even all values are all; empty where they are.
        fragment_url: The group alone with all values.
    """

    id: str
    field: str
    name: str
    label: str
    options: tuple[FacetOption, ...]
    is_open: bool
    selected_count: int
    is_expanded: bool
    text: str
    more_label: str
    more_url: str
    note: str
    fragment_url: str


@dataclass(frozen=True, slots=True)
class Histogram:
    """How documents are spread over a range, as a drawing for the eye alone.

    Attributes:
        width: In units of its own; it is stretched to the width there is.
        height: Of the highest bar.
        bars: Outlines as the ``d`` of an SVG path; empty where there are none.
        chosen_bars: Those within the range that was chosen.
    """

    width: int
    height: int
    bars: str
    chosen_bars: str


@dataclass(frozen=True, slots=True)
class RangeGroup:
    """A numeric or date field to narrow from both ends.

    Attributes:
        histogram: None where there is nothing to compare.
    """

    id: str
    label: str
    minimum_name: str
    maximum_name: str
    minimum: str
    maximum: str
    selected_minimum: str
    selected_maximum: str
    input_type: str
    is_open: bool
    is_narrowed: bool
    histogram: Histogram | None


@dataclass(frozen=True, slots=True)
class FacetFragment:
    """One facet with all its values, or those that hold a text."""

    template: ClassVar[str] = "partials/_facet.html"

    facet: FacetGroup

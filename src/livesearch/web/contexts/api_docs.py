"""What the page about the API is given."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class ApiParameter:
    """A parameter of the API.

    Attributes:
        notes: Whether it must be given, or what stands for it.
    """

    name: str
    description: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ApiShape:
    """JSON that the API takes or gives; without a sample where it is nothing."""

    heading: str
    description: str
    sample: str


@dataclass(frozen=True, slots=True)
class ApiOperation:
    """One thing that a program can do.

    Attributes:
        access: Who may, in words.
        body: None where it takes none.
    """

    element_id: str
    method: str
    path: str
    summary: str
    access: str
    parameters: tuple[ApiParameter, ...]
    body: ApiShape | None
    answers: tuple[ApiShape, ...]


@dataclass(frozen=True, slots=True)
class ApiDocsPage:
    """The page about the API."""

    template: ClassVar[str] = "pages/api_docs.html"

    operations: tuple[ApiOperation, ...]

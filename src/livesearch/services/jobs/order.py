"""What the process that imports a file is told."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Order:
    """What to import; see `ImportOptions`."""

    settings: dict[str, Any]  # Any: pydantic reads them
    path: str
    progress_path: str
    filename: str
    format: str
    name: str
    key: str | None
    roles: dict[str, str]
    replace: bool
    task: str
    unpacked_limit: int

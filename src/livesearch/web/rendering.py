"""From a context to HTML: every template is rendered with one frozen dataclass, whole."""

from dataclasses import fields
from typing import Protocol, runtime_checkable

from flask import render_template


@runtime_checkable
class Context(Protocol):
    """A frozen dataclass that knows its template."""

    @property
    def template(self) -> str:
        """The template's path, such as ``partials/_results.html``."""
        ...


def render(context: Context) -> str:
    """Render a context's template with the context's fields, and nothing else."""
    values = {field.name: getattr(context, field.name) for field in fields(context)}  # type: ignore[arg-type]
    return render_template(context.template, **values)

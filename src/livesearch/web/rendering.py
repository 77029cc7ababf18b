"""From a context to HTML: every template is rendered with one frozen dataclass, whole."""

from collections.abc import MutableMapping
from dataclasses import fields
from functools import cache
from typing import Any, Protocol, runtime_checkable

from flask import current_app
from flask.templating import Environment
from jinja2 import Template
from jinja2.compiler import CodeGenerator, Frame
from jinja2.nodes import Expr
from markupsafe import Markup, escape
from markupsafe._speedups import _escape_inner


@runtime_checkable
class Context(Protocol):
    """A frozen dataclass that knows its template."""

    @property
    def template(self) -> str:
        """The template's path, such as ``partials/_results.html``."""
        ...


def render(context: Context) -> str:
    """Render a context's template with the context's fields, and nothing else.

    Not by Flask's ``render_template``: its context processors give templates the request and the session, which ours do
    not read, and looking for them takes a tenth of the time.
    """
    values = {name: getattr(context, name) for name in _names(type(context))}
    return current_app.jinja_env.get_template(context.template).render(values)


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def escape_shown(value: object) -> str:
    """What ``{{ value }}`` writes: escaped as MarkupSafe does it, but as a text.

    MarkupSafe makes a ``Markup`` of all it escapes, which takes five times as long as to escape it; a page shows five
    hundred values, and nobody looks at them again.
    """
    if type(value) is str:
        return _escape_inner(value)
    if type(value) is int:
        return str(value)
    return value if type(value) is Markup else escape(value)


class _ShowingCodeGenerator(CodeGenerator):
    """Jinja's, but for ``escape_shown``."""

    def _output_child_pre(self, node: Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        if frame.eval_ctx.autoescape and not frame.eval_ctx.volatile and finalize.src is None:
            self.write("environment.escape_shown(")
        else:
            super()._output_child_pre(node, frame, finalize)


class TemplateEnvironment(Environment):
    """Flask's environment of templates, whose output is written by ``escape_shown``.

    Templates have the environment's globals and none of their own.
    """

    code_generator_class = _ShowingCodeGenerator
    escape_shown = staticmethod(escape_shown)
    # What templates name are attributes; Jinja's method, which also looks for keys, takes three times as long.
    getattr = staticmethod(getattr)  # type: ignore[assignment]  # called as it is, without the environment

    def __init__(self, *args: Any, **options: Any) -> None:  # Any: as Flask makes it
        super().__init__(*args, **options)
        self._loaded: dict[object, Template] = {}

    def get_template(
        self,
        name: str | Template,
        parent: str | None = None,
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002  # Jinja's name
    ) -> Template:
        """Jinja's; a template that was loaded is at hand, of which a page includes some dozens."""
        template = self._loaded.get(name)
        if template is None or globals or self.auto_reload:
            template = self._loaded[name] = super().get_template(name, parent, globals)
        return template

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """The globals themselves: Jinja's ``ChainMap`` is copied key by key for each rendering."""
        return super().make_globals(d) if d else self.globals

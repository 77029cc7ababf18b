"""From a context to HTML: every template is rendered with one frozen dataclass, whole."""

from collections.abc import Iterable, MutableMapping
from dataclasses import fields
from functools import cache
from typing import Any, Protocol, cast, runtime_checkable

from flask import current_app
from flask.templating import Environment
from jinja2 import BaseLoader, Template, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.nodes import Node
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
    """Jinja's, but for ``escape_shown``, and for templates that give their text whole.

    Jinja's yield it piece by piece, fourteen hundred for a keystroke, through each template that includes another.
    """

    def blockvisit(self, nodes: Iterable[Node], frame: Frame) -> None:
        if frame.buffer is not None:
            super().blockvisit(nodes, frame)
            return
        self.buffer(frame)
        super().blockvisit(nodes, frame)
        self.writeline(f"yield ''.join({frame.buffer})")

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802  # Jinja's name
        # What templates name are attributes; Jinja's method also looks for keys.
        self.visit(node.node, frame)
        self.write(f".{node.attr}")

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        if _is_escaped(frame, finalize):
            # Most values are texts: for them a call of a function in C.
            self.write("(environment.escape_text(shown) if type(shown := ")
        else:
            super()._output_child_pre(node, frame, finalize)

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        if _is_escaped(frame, finalize):
            self.write(") is str else environment.escape_shown(shown))")
        else:
            super()._output_child_post(node, frame, finalize)


def _is_escaped(frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> bool:
    return bool(frame.eval_ctx.autoescape and not frame.eval_ctx.volatile and finalize.src is None)


class TemplateEnvironment(Environment):
    """Flask's environment of templates, whose output is written by ``escape_shown``.

    Templates have the environment's globals and none of their own. A template that includes another is compiled with it
    as its part: Jinja makes a context for each time that it is included, of which a page has thirty. So a traceback
    names the line of the included template, but the file of the other.
    """

    code_generator_class = _ShowingCodeGenerator
    escape_shown = staticmethod(escape_shown)
    escape_text = staticmethod(_escape_inner)

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

    def _generate(
        self, source: nodes.Template, name: str | None, filename: str | None, defer_init: bool = False
    ) -> str:
        if not self.auto_reload:  # by which only changes of the file itself are seen
            self._take_in(source)
        return super()._generate(source, name, filename, defer_init)

    def _take_in(self, node: Node) -> None:
        """Put templates in place of what includes them, each in a scope of its own as ever."""
        for child in list(node.iter_child_nodes()):
            self._take_in(child)
        for field, value in list(node.iter_fields()):
            if isinstance(value, list):
                setattr(node, field, [self._taken_in(child) for child in value])

    def _taken_in(self, node: object) -> object:
        if not isinstance(node, nodes.Include):
            return node
        # Ours are all included by their names, with the context.
        included = cast("nodes.Const", node.template).value
        source, filename, _ = cast("BaseLoader", self.loader).get_source(self, included)
        tree = self._parse(source, included, filename)
        self._take_in(tree)
        return nodes.Scope(tree.body, lineno=node.lineno).set_environment(self)

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """The globals themselves: Jinja's ``ChainMap`` is copied key by key for each rendering."""
        return super().make_globals(d) if d else self.globals

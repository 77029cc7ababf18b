"""Every template has a context, and both say the same."""

import dataclasses
import inspect
import pkgutil
import re
from importlib import import_module

import pytest
from jinja2 import Environment, StrictUndefined, meta, nodes

from livesearch.app import LivesearchApp, find_templates
from livesearch.web import contexts
from livesearch.web.contexts import ErrorPage

GLOBALS = {"asset", "icon", "sri", "root_url", "meta_csrf_token", "current_account", "current_shortlist"}

CONTEXTS: dict[str, type] = {
    template: kind
    for found in pkgutil.iter_modules(contexts.__path__, f"{contexts.__name__}.")
    for _name, kind in inspect.getmembers(import_module(found.name), inspect.isclass)
    if isinstance(template := getattr(kind, "template", None), str)
}
ERROR_TEMPLATES = sorted(f"errors/{path.name}" for path in (find_templates() / "errors").glob("*.html"))
ALL_TEMPLATES = sorted(str(path.relative_to(find_templates())) for path in find_templates().rglob("*.html"))


def _parse(environment: Environment, name: str) -> nodes.Template:
    assert environment.loader is not None
    return environment.parse(environment.loader.get_source(environment, name)[0])


def _wanted(environment: Environment, name: str) -> set[str]:
    """The variables that a template and all it extends and includes take from outside."""
    tree = _parse(environment, name)
    bound = {node.name for node in tree.find_all(nodes.Name) if node.ctx != "load"}
    wanted = meta.find_undeclared_variables(tree)
    for other in meta.find_referenced_templates(tree):
        assert other is not None, f"{name} includes a template whose name is computed"
        if not other.startswith("macros/"):
            wanted |= _wanted(environment, other) - bound
    return wanted - GLOBALS


@pytest.mark.parametrize("name", sorted(CONTEXTS))
def test_context_holds_what_its_template_wants(app: LivesearchApp, name: str) -> None:
    given = {field.name for field in dataclasses.fields(CONTEXTS[name])}

    assert _wanted(app.jinja_env, name) == given


@pytest.mark.parametrize("name", ERROR_TEMPLATES)
def test_error_page_holds_what_its_templates_want(app: LivesearchApp, name: str) -> None:
    assert _wanted(app.jinja_env, name) == {"status", "title", "detail"}
    assert {"status", "title", "detail"} <= {field.name for field in dataclasses.fields(ErrorPage)}


def test_context_is_frozen() -> None:
    frozen = {name: CONTEXTS[name].__dataclass_params__.frozen for name in CONTEXTS}  # type: ignore[attr-defined]

    assert set(frozen.values()) == {True}
    assert len(frozen) > 50


def test_undefined_variable_is_an_error(app: LivesearchApp) -> None:
    assert app.jinja_env.undefined is StrictUndefined


@pytest.mark.parametrize("name", ALL_TEMPLATES)
def test_template_loads(app: LivesearchApp, name: str) -> None:
    assert app.jinja_env.get_template(name).name == name


@pytest.mark.parametrize("name", [name for name in ALL_TEMPLATES if name.startswith("partials/")])
def test_partial_extends_nothing_and_is_named_so(name: str) -> None:
    assert name.startswith("partials/_")
    assert "{% extends" not in (find_templates() / name).read_text()


@pytest.mark.parametrize("name", ALL_TEMPLATES)
def test_template_computes_nothing(name: str) -> None:
    text = (find_templates() / name).read_text()

    assert not re.search(r"\|\s*(safe|sort|sum|groupby|tojson)\b", text)
    assert not re.search(r"\{[{%][^}]*[^\w\s]\s[+*/]\s", text)


def test_templates_are_small() -> None:
    lengths = sorted(len((find_templates() / name).read_text().splitlines()) for name in ALL_TEMPLATES)

    assert lengths[len(lengths) // 2] <= 31
    assert lengths[-1] <= 80

"""From values to HTML: what Jinja writes, and addresses that are made once."""

import pytest
from flask import url_for
from jinja2 import DictLoader
from markupsafe import Markup, escape

from livesearch.app import LivesearchApp
from livesearch.domain import Segment
from livesearch.web.presenters.addresses import address_of, document_url
from livesearch.web.rendering import TemplateEnvironment, escape_shown


@pytest.mark.parametrize(
    "value", ["", "a & b", "<script>'\"</script>", Markup("<b>1</b>"), 7, True, 1.5, None, "ルパン <三世>"]
)
def test_what_is_shown_is_escaped_as_markupsafe_does_it(value: object) -> None:
    assert escape_shown(value) == str(escape(value))


def test_templates_escape_texts_and_leave_markup(app: LivesearchApp) -> None:
    template = app.jinja_env.from_string("{{ text }}{{ marked }}{% set held %}{{ text }}{% endset %}{{ held }}")

    assert template.render(text="<&>", marked=Markup("<b>")) == "&lt;&amp;&gt;<b>&lt;&amp;&gt;"


@pytest.mark.parametrize("is_reloading", [True, False])
def test_included_template_sees_names_and_keeps_its_own(app: LivesearchApp, is_reloading: bool) -> None:
    texts = {
        "outer": "{% set here = 1 %}{% for row in rows %}{% include 'inner' %}{{ here }};{% endfor %}{{ label }}",
        "inner": "{% set here = row.text %}{{ here }}{% include 'innermost' %}",
        "innermost": "{% from 'macros' import bold with context %}{{ bold(label) }}",
        "macros": "{% macro bold(text) %}<b>{{ text }}</b>{% endmacro %}",
    }
    environment = TemplateEnvironment(app, loader=DictLoader(texts), autoescape=True, auto_reload=is_reloading)
    rows = [Segment("a"), Segment("<")]

    shown = environment.get_template("outer").render(rows=rows, label="&")

    assert shown == "a<b>&amp;</b>1;&lt;<b>&amp;</b>1;&amp;"


@pytest.mark.parametrize(
    "key", ["zelda", "a b", "a//b", "/a", "a/", "50% + ?x=1#y", "a&b;c,d:e@f", "ルパン/三世", "'\"<>", "-", "--"]
)
def test_a_document_has_the_address_that_flask_gives_it(app: LivesearchApp, key: str) -> None:
    with app.test_request_context("/c/games"):
        assert document_url("games", key) == url_for("pages.document", name="games", key=key)


def test_an_address_has_the_root_of_the_request_it_is_in(app: LivesearchApp) -> None:
    with app.test_request_context("/c/games"):
        here = address_of("pages.search", name="games")
    with app.test_request_context("/c/games", environ_overrides={"SCRIPT_NAME": "/below"}):
        below = address_of("pages.search", name="games")

    assert (here, below) == ("/c/games", "/below/c/games")

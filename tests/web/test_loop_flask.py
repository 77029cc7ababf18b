"""What our Flask does in its own, quicker way: the same as Flask does."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from flask import Flask, Response, request
from werkzeug.test import EnvironBuilder

from livesearch.app import LivesearchApp
from livesearch.web.loop import LoopFlask, PlainResponse


def _adapter(app: Flask, address: dict[str, Any]) -> dict[str, Any]:  # Any: as Werkzeug's builder has it
    with app.request_context(EnvironBuilder(**address).get_environ()) as context:
        adapter = context.url_adapter
        assert adapter is not None
        return vars(adapter) | {"map": None, "host": request.host, "url": request.url, "trusted": request.trusted_hosts}


@pytest.mark.parametrize(
    "address",
    [
        {"base_url": "http://localhost", "path": "/c/games", "query_string": "q=a"},
        {"base_url": "https://example.com:8443/below/", "path": "/c/ルパン", "query_string": "q=%E3%83%AB"},
        {"base_url": "http://EXAMPLE.com:80", "path": "/", "method": "POST"},
        {"base_url": "http://localhost", "headers": {"Connection": "upgrade", "Upgrade": "websocket"}},
        {"base_url": "http://münchen.example", "path": "/"},
    ],
)
def test_addresses_are_matched_as_flask_matches_them(address: dict[str, Any]) -> None:
    ours = LoopFlask("ours", static_folder=None)

    first, again = _adapter(ours, address), _adapter(ours, address)

    assert first == again == _adapter(Flask("theirs", static_folder=None), address)


def test_what_differs_between_requests_is_theirs() -> None:
    app = LoopFlask("ours", static_folder=None)
    _adapter(app, {"base_url": "http://localhost", "path": "/a", "query_string": "b=1"})

    adapter = _adapter(app, {"base_url": "http://localhost", "path": "/c", "query_string": "d=2", "method": "PUT"})

    assert (adapter["path_info"], adapter["query_args"], adapter["default_method"]) == ("/c", "d=2", "PUT")


def test_anyone_can_make_up_hosts_and_few_are_remembered() -> None:
    app = LoopFlask("ours", static_folder=None)
    for number in range(300):
        _adapter(app, {"base_url": f"http://host{number}.example"})

    assert len(app.places) == 100


@pytest.mark.parametrize(
    "make",
    [
        lambda kind: kind("text"),
        lambda kind: kind("text", headers={"Location": "/grüß", "Content-Location": "/ü"}),
        lambda kind: kind("text", 404),
        lambda kind: kind("text", 204, headers={"Content-Length": "4"}),
        lambda kind: kind("text", 304),
        lambda kind: kind(["a", "b"]),
        lambda kind: kind(iter(["a", "b"])),
        lambda kind: kind(status=200),
    ],
)
def test_headers_are_those_of_flask(make: Callable[[type[Response]], Response]) -> None:
    environ = EnvironBuilder().get_environ()

    ours, theirs = make(PlainResponse).get_wsgi_headers(environ), make(Response).get_wsgi_headers(environ)

    assert list(ours) == list(theirs)


def test_hooks_of_every_kind_are_called_as_flask_calls_them() -> None:
    async def asynchronous() -> str:
        return "async"

    class Object:
        async def __call__(self) -> str:
            return "object"

        async def method(self) -> str:
            return "method"

    app = LoopFlask("ours", static_folder=None)
    kinds: list[tuple[Callable[..., Any], str]] = [
        (asynchronous, "async"),
        (Object().method, "method"),
        (partial(asynchronous), "async"),
        (lambda: "plain", "plain"),
        (str, ""),
    ]

    assert [app.ensure_sync(kind)() for kind, _ in kinds] == [expected for _, expected in kinds]


def test_templates_are_loaded_once_and_see_the_globals_of_the_application(app: LivesearchApp) -> None:
    environment = app.jinja_env

    assert environment.get_template("base.html") is environment.get_template("base.html", "pages/search.html")
    later = environment.from_string("{{ told_later }}")
    environment.globals["told_later"] = "yes"
    assert later.render() == "yes"
    assert environment.from_string("{{ own }}", globals={"own": "mine"}).render() == "mine"
    assert "own" not in environment.globals

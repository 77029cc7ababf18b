"""What our Flask does in its own, quicker way: the same as Flask does."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import pytest
from flask import Flask, Response, request
from werkzeug.test import EnvironBuilder

from livesearch.app import LivesearchApp
from livesearch.web.loop import LoopFlask
from livesearch.web.responses import PlainResponse

FlaskKind = TypeVar("FlaskKind", bound=Flask)


def _adapter(app: Flask, address: dict[str, Any]) -> dict[str, Any]:  # Any: as Werkzeug's builder has it
    with app.request_context(EnvironBuilder(**address).get_environ()) as context:
        adapter = context.url_adapter
        assert adapter is not None
        own = {name: value for name, value in vars(adapter).items() if name != "matches"}
        return own | {"map": None, "host": request.host, "url": request.url, "trusted": request.trusted_hosts}


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


def _routed(flask: type[FlaskKind]) -> FlaskKind:
    app = flask("routed", static_folder=None)
    app.add_url_rule("/c/<name>", "search")
    app.add_url_rule("/c/<name>/<int:page>", "page", methods=["GET"])
    app.add_url_rule("/below/", "below")
    return app


def _match(app: Flask, address: dict[str, Any]) -> object:
    with app.request_context(EnvironBuilder(**address).get_environ()):
        return request.endpoint, request.view_args, repr(request.routing_exception)


@pytest.mark.parametrize(
    "address",
    [
        {"path": "/c/games"},
        {"path": "/c/games/7"},
        {"path": "/c/games/x"},
        {"path": "/c/games/7", "method": "HEAD"},
        {"path": "/c/games/7", "method": "POST"},
        {"path": "/below"},
        {"path": "//c//games"},
        {"path": "/c/" + "a" * 200},
    ],
)
def test_routes_are_found_as_flask_finds_them_at_first_and_again(address: dict[str, Any]) -> None:
    ours, theirs = _routed(LoopFlask), _routed(Flask)

    # The second of a place is remembered, the third is what was remembered.
    assert [_match(ours, address) for _ in range(4)] == [_match(theirs, address)] * 4


def test_what_a_view_does_with_its_arguments_is_not_remembered() -> None:
    app = _routed(LoopFlask)
    for _ in range(3):
        with app.request_context(EnvironBuilder(path="/c/games").get_environ()):
            assert request.view_args == {"name": "games"}
            request.view_args.clear()


def test_anyone_can_make_up_paths_and_few_are_remembered() -> None:
    app = _routed(LoopFlask)
    for number in range(1200):
        _match(app, {"path": f"/c/{number}"})
        _match(app, {"path": f"/c/{number}-{'a' * 100}"})

    assert len(app.matches) == 1000
    assert max(len(path) for _, path in app.matches) <= 100


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "make",
    [
        lambda kind: kind("text"),
        lambda kind: kind("grüß"),
        lambda kind: kind("text", mimetype="text/plain"),
        lambda kind: kind("text", content_type="text/css"),
        lambda kind: kind("text", headers={"Location": "/grüß", "Content-Location": "/ü"}),
        lambda kind: kind("text", headers={"X-Other": "a"}),
        lambda kind: kind("text", 404),
        lambda kind: kind("text", 204, headers={"Content-Length": "4"}),
        lambda kind: kind("text", 304),
        lambda kind: kind(b"bytes"),
        lambda kind: kind(["a", "b"]),
        lambda kind: kind(["a"], headers={"Content-Length": "1"}),
        lambda kind: kind(iter(["a", "b"])),
        lambda kind: kind(iter(["a"]), headers={"Content-Length": "1"}),
        lambda kind: kind(status=200),
    ],
)
def test_answers_are_those_of_flask(make: Callable[[type[Response]], Response], method: str) -> None:
    environ = EnvironBuilder(method=method).get_environ()
    (our_body, *ours), (their_body, *theirs) = (
        make(kind).get_wsgi_response(environ) for kind in (PlainResponse, Response)
    )

    assert ours == theirs
    assert list(our_body) == list(their_body)


def test_a_plain_answer_is_made_as_flask_makes_it() -> None:
    ours, theirs = PlainResponse("grüß"), Response("grüß")

    assert vars(ours) == vars(theirs)


def test_what_is_to_be_done_at_the_end_of_an_answer_is_done() -> None:
    closed: list[str] = []
    answer = PlainResponse("text")
    answer.call_on_close(lambda: closed.append("closed"))

    body, _, _ = answer.get_wsgi_response(EnvironBuilder().get_environ())
    body.close()  # type: ignore[attr-defined]  # a server does, where it is there

    assert closed == ["closed"]


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

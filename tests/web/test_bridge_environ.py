"""What the bridge makes of a request: exactly what asgiref makes of it."""

from io import BytesIO
from typing import Any

import pytest
from asgiref.wsgi import WsgiToAsgiInstance

from livesearch.bridge.environ import build_environ, is_without_body, sent_name

SCOPE: dict[str, Any] = {  # Any: ASGI's
    "type": "http",
    "method": "GET",
    "path": "/c/games",
    "query_string": b"q=a%20b",
    "http_version": "1.1",
    "scheme": "https",
    "headers": [(b"host", b"localhost")],
    "server": ("localhost", 443),
    "client": ("127.0.0.1", 1),
}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"path": "/c/ルパン", "root_path": "/c", "client": None},
        {"path": "/elsewhere", "root_path": "/c", "server": None},
        {"server": ("/run/a.sock", None), "http_version": "2", "method": "POST"},
        {"headers": [(b"content-type", b"text/plain"), (b"content-length", b"3"), (b"x-a-b", b"gr\xfc\xdf")]},
        {"headers": [(b"cookie", b"a=1"), (b"x-odd_name", b"1"), (b"cookie", b"b=2"), (b"cookie", b"c=3")]},
    ],
)
def test_environ_is_that_of_asgiref(change: dict[str, Any]) -> None:
    scope = SCOPE | change
    theirs: Any = WsgiToAsgiInstance(None)  # type: ignore[no-untyped-call]  # asgiref has no types there
    theirs.scope = scope
    body = BytesIO()

    ours = build_environ(scope, body, 100)  # type: ignore[arg-type]  # a scope, told loosely

    assert ours == theirs.build_environ(scope, body) | {"wsgi.input_terminated": True}


@pytest.mark.parametrize("count", [3, 4])
def test_a_header_may_come_so_often_as_with_asgiref(count: int) -> None:
    scope = SCOPE | {"headers": [(b"x-a", b"1")] * count}
    theirs: Any = WsgiToAsgiInstance(None, 3)  # type: ignore[no-untyped-call]  # asgiref has no types there
    theirs.scope = scope

    refusals = []
    for build in (lambda: build_environ(scope, BytesIO(), 3), lambda: theirs.build_environ(scope, BytesIO())):  # type: ignore[arg-type]
        try:
            build()
        except ValueError:
            refusals.append(build)

    assert len(refusals) == (0 if count == 3 else 2)


@pytest.mark.parametrize(
    ("method", "version", "header", "is_without"),
    [
        ("GET", "1.1", (b"x-a", b"1"), True),
        ("HEAD", "1.0", (b"content-length", b"0"), True),
        ("GET", "1.1", (b"content-length", b"1"), False),
        ("GET", "1.1", (b"transfer-encoding", b"chunked"), False),
        ("GET", "2", (b"x-a", b"1"), False),
        ("POST", "1.1", (b"x-a", b"1"), False),
    ],
)
def test_a_body_is_waited_for_where_there_may_be_one(
    method: str, version: str, header: tuple[bytes, bytes], is_without: bool
) -> None:
    scope = SCOPE | {"method": method, "http_version": version, "headers": [header]}

    assert is_without_body(scope) == is_without  # type: ignore[arg-type]


def test_name_of_a_header_that_is_sent_is_in_small_letters() -> None:
    assert sent_name("X-Request-ID") == b"x-request-id"


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\n", "grüß", "(a)"])
def test_what_is_no_name_of_a_header_is_not_sent(name: str) -> None:
    with pytest.raises(ValueError, match="is no name of a header"):
        sent_name(name)

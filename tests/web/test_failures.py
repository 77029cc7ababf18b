from collections.abc import Iterator

import httpx
import pytest
from flask import abort

from livesearch import errors
from livesearch.app import LivesearchApp, create_app
from livesearch.config import Settings
from livesearch.web.failures import PAGE_STATUSES, describe

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}

STATUSES = {
    errors.LivesearchError: 500,
    errors.ConfigError: 500,
    errors.SourceError: 422,
    errors.KeyUndecidedError: 422,
    errors.InvalidInputError: 400,
    errors.UnauthorizedError: 401,
    errors.ForbiddenError: 403,
    errors.TooManyAttemptsError: 429,
    errors.OverloadedError: 503,
    errors.NotFoundError: 404,
    errors.CollectionNotFoundError: 404,
    errors.DocumentNotFoundError: 404,
    errors.ConflictError: 409,
    errors.MailError: 503,
    errors.NameTakenError: 409,
    errors.StoreError: 500,
    errors.SchemaOutdatedError: 503,
    errors.StoreUnavailableError: 503,
    errors.QueryTimeoutError: 503,
}
SAMPLES: dict[type[errors.LivesearchError], errors.LivesearchError] = {
    errors.TooManyAttemptsError: errors.TooManyAttemptsError(90),
    errors.KeyUndecidedError: errors.KeyUndecidedError(["id", "sku"]),
    errors.CollectionNotFoundError: errors.CollectionNotFoundError("nonsense"),
    errors.DocumentNotFoundError: errors.DocumentNotFoundError("games", "nonsense"),
}


def _tree(kind: type[errors.LivesearchError] = errors.LivesearchError) -> Iterator[type[errors.LivesearchError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)


def _sample(kind: type[errors.LivesearchError]) -> errors.LivesearchError:
    return SAMPLES.get(kind) or kind("Words for people.")


@pytest.fixture(scope="module")
def app(games: Settings) -> LivesearchApp:
    """An application with an address that fails in every way there is."""
    app = create_app(games)

    async def fail(name: str) -> str:
        kinds = {kind.__name__: kind for kind in _tree()}
        raise _sample(kinds[name]) if name in kinds else RuntimeError("secret words of a stack trace")

    app.add_url_rule("/fail/<name>", view_func=fail)
    app.add_url_rule("/api/fail/<name>", endpoint="api_fail", view_func=fail)
    for root in ("", "/api"):
        app.add_url_rule(f"{root}/abort/<int:code>", endpoint=f"{root[1:]}abort", view_func=abort)
    return app


def test_every_error_has_a_status() -> None:
    assert {kind: describe(_sample(kind)).status for kind in _tree()} == STATUSES


def test_error_speaks_its_own_words() -> None:
    assert describe(errors.InvalidInputError("“x” is not y.")).detail == "“x” is not y."


def test_only_errors_that_pass_say_when() -> None:
    waits = {kind for kind in _tree() if describe(_sample(kind)).retry_after}

    assert waits == {
        errors.TooManyAttemptsError,
        errors.OverloadedError,
        errors.StoreUnavailableError,
        errors.QueryTimeoutError,
    }


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.__name__) for kind in _tree()])
async def test_every_error_has_three_renderings(client: httpx.AsyncClient, kind: type[errors.LivesearchError]) -> None:
    page = await client.get(f"/fail/{kind.__name__}")
    fragment = await client.get(f"/fail/{kind.__name__}", headers=HTMX)
    problem = await client.get(f"/api/fail/{kind.__name__}")

    assert {page.status_code, fragment.status_code, problem.status_code} == {STATUSES[kind]}
    assert page.text.startswith("<!DOCTYPE html>")
    assert "<html" not in fragment.text
    assert problem.headers["Content-Type"] == "application/problem+json"
    assert problem.json()["status"] == STATUSES[kind]
    assert problem.json()["title"] in page.text
    assert problem.json()["title"] in fragment.text


async def test_fragment_goes_to_the_error_container_and_leaves_the_url(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/nonsense", headers=HTMX)

    steering = {name: value for name, value in response.headers.items() if name.startswith("hx-")}
    assert response.status_code == 404
    assert steering == {
        "hx-retarget": "#error-container",
        "hx-reswap": "innerHTML",
        "hx-reselect": "*",
        "hx-push-url": "false",
        "hx-replace-url": "false",
    }


async def test_retry_after_is_sent(client: httpx.AsyncClient) -> None:
    response = await client.get("/fail/QueryTimeoutError")

    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")


@pytest.mark.parametrize("path", ["/fail/unexpected", "/api/fail/unexpected"])
async def test_unexpected_error_tells_nothing(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path)

    assert response.status_code == 500
    assert "secret words" not in response.text
    assert "Traceback" not in response.text


async def test_unknown_address_is_not_found(client: httpx.AsyncClient) -> None:
    response = await client.get("/nonsense")

    assert response.status_code == 404
    assert "There is nothing at this address." in response.text


async def test_wrong_method_says_which_are_right(client: httpx.AsyncClient) -> None:
    response = await client.delete("/api/v1/collections")

    assert response.status_code == 405
    assert "GET" in response.headers["Allow"]


async def test_failure_is_never_cached(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/nonsense")

    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("status", sorted(PAGE_STATUSES))
def test_every_page_status_has_a_template(app: LivesearchApp, status: int) -> None:
    assert f"errors/{status}.html" in app.jinja_env.list_templates()


def test_unknown_host_is_refused_with_a_page(games: Settings) -> None:
    app = create_app(games.model_copy(update={"trusted_hosts": ("search.example",)}))
    transport = httpx.WSGITransport(app)

    with httpx.Client(transport=transport, base_url="http://evil.example") as client:
        response = client.get("/c/games")

    assert response.status_code == 400
    assert response.text.startswith("<!DOCTYPE html>")


STEERING = {
    "hx-retarget": "#error-container",
    "hx-reswap": "innerHTML",
    "hx-reselect": "*",
    "hx-push-url": "false",
    "hx-replace-url": "false",
}


@pytest.mark.parametrize("status", sorted(PAGE_STATUSES))
async def test_every_status_has_its_page_its_fragment_and_its_problem(client: httpx.AsyncClient, status: int) -> None:
    page, problem = await client.get(f"/abort/{status}"), await client.get(f"/api/abort/{status}")
    fragment = await client.get(f"/abort/{status}", headers=HTMX)

    assert (page.status_code, fragment.status_code, problem.status_code) == (status, status, status)
    assert f'<p class="error-code">{status}</p>' in page.text
    assert (page.text.count("<main"), page.text.count("<h1>")) == (1, 1)
    assert fragment.text.startswith('<div class="error-message">')
    assert {name: value for name, value in fragment.headers.items() if name.startswith("hx-")} == STEERING
    assert problem.headers["Content-Type"] == "application/problem+json"
    assert set(problem.json()) == {"type", "title", "status", "detail", "instance"}
    assert (problem.json()["status"], problem.json()["instance"]) == (status, f"/api/abort/{status}")
    for answer in (page, fragment, problem):
        assert answer.headers["Cache-Control"] == "no-store"
        assert "content-security-policy" in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "media_type"),
    [
        ("DELETE", "/c/games", {}, 405, "text/html"),
        ("DELETE", "/c/games", HTMX, 405, "text/html"),
        ("DELETE", "/api/v1/collections", {}, 405, "application/problem+json"),
        ("PUT", "/htmx/csrf", HTMX, 405, "text/html"),
        ("GET", "/nonsense", HTMX, 404, "text/html"),
        ("POST", "/nonsense", {}, 404, "text/html"),
        ("GET", "/htmx/nonsense", HTMX, 404, "text/html"),
        ("GET", "/htmx/nonsense", {}, 400, "text/html"),
        ("GET", "/htmx", {}, 400, "text/html"),
        ("GET", "/api/nonsense", {}, 404, "application/problem+json"),
        ("GET", "/api/v1/collections", HTMX, 400, "text/html"),
        ("GET", "/fail/unexpected", HTMX, 500, "text/html"),
    ],
)
async def test_what_there_is_not_is_told_in_the_form_that_is_wanted(
    client: httpx.AsyncClient, method: str, path: str, headers: dict[str, str], status: int, media_type: str
) -> None:
    answer = await client.request(method, path, headers=headers)

    assert answer.status_code == status
    assert answer.headers["Content-Type"].partition(";")[0] == media_type
    assert ("Allow" in answer.headers) is (status == 405)
    assert answer.headers.get("HX-Retarget") == ("#error-container" if headers else None)
    assert answer.text.startswith("<!DOCTYPE html>") is (media_type == "text/html" and not headers)
    assert "secret words" not in answer.text

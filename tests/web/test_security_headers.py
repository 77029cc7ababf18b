import httpx
import pytest

from livesearch.web.headers import SECURITY_HEADERS

HTMX = {"HX-Request": "true"}

ANSWERS = [
    pytest.param("/c/games", {}, id="page"),
    pytest.param("/c/games?q=zelda", HTMX, id="fragment"),
    pytest.param("/", {}, id="redirect"),
    pytest.param("/c/games/doc/nes/zelda", {}, id="document"),
    pytest.param("/htmx/c/games/suggest?q=z", HTMX, id="suggestions"),
    pytest.param("/htmx/c/games/facet/platform", HTMX, id="facet"),
    pytest.param("/htmx/c/games/explain/nes/zelda?q=z", HTMX, id="explanation"),
    pytest.param("/c/games/explain?key=nes/zelda&q=z", {}, id="explanation-page"),
    pytest.param("/htmx/c/games/suggest?q=z", {}, id="refused"),
    pytest.param("/api/v1/collections", {}, id="api"),
    pytest.param("/api/v1/collections/nonsense", {}, id="problem"),
    pytest.param("/healthz", {}, id="health"),
    pytest.param("/readyz", {}, id="ready"),
    pytest.param("/nonsense", {}, id="not-found"),
    pytest.param("/c/games?page=abc", HTMX, id="failed-fragment"),
]


@pytest.mark.parametrize(("path", "headers"), ANSWERS)
async def test_every_answer_is_secured(client: httpx.AsyncClient, path: str, headers: dict[str, str]) -> None:
    response = await client.get(path, headers=headers)

    assert {name: response.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS


@pytest.mark.parametrize(("path", "headers"), ANSWERS)
async def test_every_answer_varies_by_htmx(client: httpx.AsyncClient, path: str, headers: dict[str, str]) -> None:
    response = await client.get(path, headers=headers)

    assert response.headers["Vary"] == "HX-Request, HX-Request-Type"


@pytest.mark.parametrize(("path", "headers"), ANSWERS)
async def test_every_answer_carries_id_and_time(client: httpx.AsyncClient, path: str, headers: dict[str, str]) -> None:
    response = await client.get(path, headers=headers)

    assert len(response.headers["X-Request-ID"]) == 32
    assert response.headers["Server-Timing"].startswith("app;dur=")


def test_policy_allows_nothing_inline_and_no_eval() -> None:
    policy = SECURITY_HEADERS["Content-Security-Policy"]

    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert policy.endswith("require-trusted-types-for 'script'; trusted-types htmx")

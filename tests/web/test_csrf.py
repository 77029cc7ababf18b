import httpx
import pytest
from flask import session

from livesearch.app import LivesearchApp, create_app
from livesearch.config import Settings

HTMX = {"HX-Request": "true"}


@pytest.fixture(scope="module")
def app(games: Settings) -> LivesearchApp:
    """An application with a form."""
    app = create_app(games)

    async def begin() -> str:
        session["seen"] = True
        return ""

    async def change() -> str:
        return "changed"

    app.add_url_rule("/begin", view_func=begin)
    app.add_url_rule("/change", view_func=change, methods=["POST"])
    return app


async def test_unsafe_request_without_token_is_refused(client: httpx.AsyncClient) -> None:
    response = await client.post("/change")

    assert response.status_code == 400
    assert "This page has expired" in response.text


async def test_unsafe_htmx_request_without_token_gets_a_fragment(client: httpx.AsyncClient) -> None:
    response = await client.post("/change", headers=HTMX)

    assert response.status_code == 400
    assert response.headers["HX-Retarget"] == "#error-container"


async def test_token_of_the_page_is_accepted(client: httpx.AsyncClient) -> None:
    await client.get("/begin")
    page = await client.get("/c/games")
    token = page.text.split('name="csrf-token" content="')[1].split('"')[0]

    response = await client.post("/change", headers={"X-CSRFToken": token})

    assert token
    assert response.text == "changed"


async def test_page_without_session_has_no_token(client: httpx.AsyncClient) -> None:
    page = await client.get("/c/games")

    assert 'name="csrf-token" content=""' in page.text


@pytest.mark.parametrize("cookie", ["junk", "", "eyJhIjoxfQ.aaaa.bbbb"])
async def test_cookie_that_is_no_session_makes_none(client: httpx.AsyncClient, cookie: str) -> None:
    page = await client.get("/c/games", headers={"Cookie": f"livesearch={cookie}"})

    assert 'name="csrf-token" content=""' in page.text
    assert "Set-Cookie" not in page.headers


def test_token_lives_as_long_as_its_session(app: LivesearchApp) -> None:
    assert app.config["WTF_CSRF_TIME_LIMIT"] is None

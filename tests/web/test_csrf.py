import httpx
import pytest
from flask import session

from livesearch.app import LivesearchApp, create_app
from livesearch.config import Settings
from livesearch.web.audience import Audience, open_to

HTMX = {"HX-Request": "true"}


@pytest.fixture(scope="module")
def app(games: Settings) -> LivesearchApp:
    """An application with a form."""
    app = create_app(games)

    async def begin() -> str:
        session["seen"] = True
        return ""

    @open_to(Audience.EVERYONE)
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


async def test_visitor_fetches_a_token_when_it_is_needed(client: httpx.AsyncClient) -> None:
    page = await client.get("/c/games")
    sent = await client.get("/htmx/csrf", headers=HTMX)

    response = await client.post("/change", headers={"X-CSRFToken": sent.text})

    assert 'name="csrf-address" content="/htmx/csrf"' in page.text
    assert (sent.headers["Content-Type"], sent.headers["Cache-Control"]) == ("text/plain; charset=utf-8", "no-store")
    assert response.text == "changed"
    assert (await client.get("/htmx/csrf")).status_code == 400


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "same-site"}, 400),
        ({"Sec-Fetch-Site": "cross-site"}, 400),
        ({}, 200),
    ],
)
async def test_token_does_not_help_another_site(
    client: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    token = (await client.get("/htmx/csrf", headers=HTMX)).text

    response = await client.post("/change", headers={"X-CSRFToken": token, **headers})

    assert response.status_code == status


async def test_form_of_a_page_without_token_is_sent_again_as_it_was_typed(client: httpx.AsyncClient) -> None:
    typed = {"note": 'a "b" <c>', "password": "secret words", "csrf_token": "old"}

    expired = await client.post("/change?a=1", data=typed, headers={"Origin": "http://localhost"})

    assert expired.status_code == 400
    assert 'action="/change?a=1"' in expired.text
    assert 'name="note" value="a &#34;b&#34; &lt;c&gt;"' in expired.text
    assert "secret words" not in expired.text
    token = expired.text.split('name="csrf_token" value="')[1].split('"')[0]
    assert (await client.post("/change?a=1", data={"csrf_token": token})).text == "changed"


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
async def test_form_of_another_site_is_not_offered_again_and_makes_no_session(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    expired = await client.post("/change", data={"note": "typed"}, headers=headers)

    assert expired.status_code == 400
    assert "typed" not in expired.text.replace("What you typed", "")
    assert "Set-Cookie" not in expired.headers


async def test_htmx_is_told_to_take_a_new_token(client: httpx.AsyncClient) -> None:
    response = await client.post("/change", headers=HTMX)

    assert response.headers["HX-Trigger"] == "csrfExpired"
    assert "send it again" in response.text


async def test_page_that_has_expired_offers_to_reload_it(client: httpx.AsyncClient) -> None:
    here = {"Origin": "http://localhost", "Referer": "http://localhost/c/games?q=zelda"}

    page = await client.post("/change", data={"note": "typed"}, headers=here)
    file = await client.post("/change", files={"upload": b"x"}, headers=here)
    strange = await client.post("/change", headers={"Referer": "https://evil.example/c/games"})
    fragment = await client.post("/change", headers={**HTMX, "HX-Current-URL": "http://localhost/c/games?q=zelda"})

    assert '<a href="/c/games?q=zelda">Reload' in page.text
    assert 'href="/c/games?q=zelda">Reload' in file.text
    assert 'href="/">Reload' in strange.text
    assert '<a href="/c/games?q=zelda">Reload</a>' in fragment.text
    assert "evil" not in strange.text

"""The dashboard's activity: what was changed, and to who may import, what is being imported."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from livesearch.app import LivesearchApp, create_app
from livesearch.domain import ImportJob, JobChoices, JobProgress, JobState, JobTask, UserRole
from livesearch.web.presenters.activity import present_activity
from tests.web.conftest import GAMES, HTMX, make_store, serving
from tests.web.test_accounts import PASSWORD, token_of


@pytest.fixture
def app(tmp_path: Path) -> LivesearchApp:
    return create_app(make_store(tmp_path, games=GAMES[:3]))


@pytest.fixture
async def client(app: LivesearchApp) -> AsyncIterator[httpx.AsyncClient]:
    """A viewer who has signed in."""
    async with serving(app) as client:
        await app.services.accounts.add("Ann", PASSWORD, role=UserRole.VIEWER)
        form = {"csrf_token": token_of(await client.get("/login")), "name": "ann", "password": PASSWORD}
        await client.post("/login", data=form)
        yield client


def said(html: str) -> str:
    section = re.search(r'<section id="activity".*?</section>', html, re.DOTALL)
    assert section is not None
    return " ".join(re.sub(r"<[^>]*>", " ", section[0]).split())


async def test_dashboard_tells_what_was_changed(app: LivesearchApp, client: httpx.AsyncClient) -> None:
    await app.services.documents.put("games", "new", {"title": "Metroid"})

    page = await client.get("/dashboard")
    fragment = await client.get("/htmx/activity", headers={**HTMX, "X-Poll": "1"})

    assert said(page.text) == said(fragment.text) == "Activity Games 4 new just now"
    assert 'hx-get="/htmx/activity"' in fragment.text
    assert 'data-poll="5000"' in fragment.text
    assert "/imports" not in fragment.text


async def test_imports_under_way_are_told_with_their_progress(app: LivesearchApp) -> None:
    job = ImportJob(
        id=7,
        folder="",
        file="",
        filename="<games>.csv",
        format="csv",
        size=1,
        created_by=None,
        state=JobState.RUNNING,
        task=JobTask.IMPORT,
        choices=JobChoices(name="games"),
        created_at=0.0,
        progress=JobProgress(rows=1_200, share=0.25, rate=400.0, seconds_left=9.0),
    )

    with app.test_request_context():
        activity = present_activity((), [job], sees_imports=True)

    (running,) = activity.running
    assert (running.url, running.filename, running.percent) == ("/imports/7", "<games>.csv", "25")
    assert running.facts == ("into games", "1,200 rows", "400 a second", "9 s left", "0 rejected so far")
    assert activity.imports_url == "/imports"

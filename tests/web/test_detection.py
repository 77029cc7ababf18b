import pytest

from livesearch.app import LivesearchApp
from livesearch.web.detection import htmx, respond


@pytest.mark.parametrize(
    ("headers", "trigger", "target"),
    [
        ({"HX-Source": "input#q", "HX-Target": "section#results"}, "q", "results"),
        ({"HX-Source": "input#b%C3%A9", "HX-Target": "body"}, "bé", None),
        ({"HX-Trigger": "q", "HX-Target": "results"}, "q", "results"),
        ({}, None, None),
    ],
)
def test_detection_reads_ids_of_both_versions(
    app: LivesearchApp, headers: dict[str, str], trigger: str | None, target: str | None
) -> None:
    with app.test_request_context(headers=headers):
        assert (htmx.trigger, htmx.target) == (trigger, target)


@pytest.mark.parametrize(
    ("headers", "wants_fragment"),
    [
        ({"HX-Request": "true"}, True),
        ({"HX-Request": "true", "HX-Request-Type": "partial"}, True),
        ({"HX-Request": "true", "HX-Request-Type": "full"}, False),
        ({"HX-Request": "true", "HX-Boosted": "true"}, False),
        ({"HX-Request": "true", "HX-History-Restore-Request": "true"}, False),
        ({"HX-Request-Type": "partial"}, False),
        ({"HX-Request": "false"}, False),
    ],
)
def test_detection_tells_parts_from_pages(app: LivesearchApp, headers: dict[str, str], wants_fragment: bool) -> None:
    with app.test_request_context(headers=headers):
        assert htmx.fragment is wants_fragment


def test_detection_is_the_applications(app: LivesearchApp) -> None:
    assert app.htmx is htmx  # type: ignore[attr-defined]  # Flask-HTMX puts it there


@pytest.mark.usefixtures("request_context")
@pytest.mark.parametrize("header", ["push_url", "replace_url", "redirect"])
def test_respond_sends_urls_in_latin_1(header: str) -> None:
    response = respond("", **{header: "/c/größe?q=東京 1&f.a=%20"})

    sent = response.headers["HX-" + header.replace("_", "-").title()]
    assert sent == "/c/gr%C3%B6%C3%9Fe?q=%E6%9D%B1%E4%BA%AC%201&f.a=%20"


@pytest.mark.usefixtures("request_context")
def test_respond_writes_flags_as_htmx_reads_them() -> None:
    response = respond("", push_url=True, replace_url=False)

    assert response.headers["HX-Push-Url"] == "true"
    assert response.headers["HX-Replace-Url"] == "false"


@pytest.mark.usefixtures("request_context")
def test_respond_allows_morph_swaps() -> None:
    response = respond("", reswap="outerMorph", reselect="*")

    assert response.headers["HX-Reswap"] == "outerMorph"
    assert response.headers["HX-Reselect"] == "*"


@pytest.mark.usefixtures("request_context")
def test_respond_refuses_header_injection() -> None:
    assert "\n" not in respond("", replace_url="/a\r\nSet-Cookie: x").headers["HX-Replace-Url"]

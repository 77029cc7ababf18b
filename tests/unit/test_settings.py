"""Settings: their defaults, their faults, and the page that lists them."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from livesearch.config import Settings, load_settings
from livesearch.errors import ConfigError

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"

# What the documentation promises, written by hand: changing a default is a decision, not an accident.
DEFAULTS: dict[str, object] = {
    "store_url": "sqlite+aiosqlite:///livesearch.db",
    "replica_urls": (),
    "redis_url": None,
    "secret_key": None,
    "secret_key_fallbacks": (),
    "trusted_hosts": (),
    "proxy_count": 0,
    "public_search": True,
    "registration": "closed",
    "poll_seconds": 5,
    "query_timeout_ms": 1000,
    "max_upload_mb": 200,
    "log_format": "text",
    "workers": 1,
    "bridge": "loop",
    "cache_mb": 64,
    "metrics_token": None,
    "upload_folder": None,
    "drain_seconds": 3,
    "public_url": None,
    "smtp_host": None,
    "smtp_port": 587,
    "smtp_security": "starttls",
    "smtp_user": None,
    "smtp_password": None,
    "smtp_sender": None,
}


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"LIVESEARCH_{name.upper()}", raising=False)


def page_rows() -> dict[str, tuple[str, str]]:
    rows = re.findall(r"^\| `LIVESEARCH_(\w+)` \| (.+?) \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {name.lower(): (default, meaning) for name, default, meaning in rows}


def as_written(default: object) -> str:
    if default is None:
        return "not set"
    if default == ():
        return "empty"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def test_settings_have_the_promised_defaults() -> None:
    settings = load_settings()

    assert settings.model_dump() == DEFAULTS


def test_page_lists_every_setting_in_order() -> None:
    assert list(page_rows()) == list(Settings.model_fields)


def test_page_gives_every_default() -> None:
    written = {name: default for name, (default, _) in page_rows().items()}

    assert written == {name: as_written(default) for name, default in DEFAULTS.items()}


def test_page_gives_every_range() -> None:
    for name, field in Settings.model_fields.items():
        bounds = [bound for part in field.metadata for bound in (getattr(part, "ge", None), getattr(part, "le", None))]
        _, meaning = page_rows().get(name, ("", ""))
        for bound in bounds:
            if bound is not None:
                assert re.search(rf"\b{bound}\b", meaning), f"{name}: {bound} is not in “{meaning}”"


def test_settings_read_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVESEARCH_STORE_URL", "postgresql+asyncpg://reader@db/rows")
    monkeypatch.setenv("LIVESEARCH_TRUSTED_HOSTS", "books.example, www.books.example,")
    monkeypatch.setenv("LIVESEARCH_PUBLIC_SEARCH", "false")
    monkeypatch.setenv("LIVESEARCH_WORKERS", "")

    settings = load_settings()

    assert settings.store_url == "postgresql+asyncpg://reader@db/rows"
    assert not settings.is_sqlite
    assert settings.trusted_hosts == ("books.example", "www.books.example")
    assert settings.public_search is False
    assert settings.workers == 1


def test_settings_prefer_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVESEARCH_WORKERS", "2")

    assert load_settings(workers=3).workers == 3


def test_settings_are_frozen() -> None:
    settings = load_settings()

    with pytest.raises(ValidationError, match="frozen"):
        settings.workers = 2


@pytest.mark.parametrize(
    ("variable", "value", "way_out"),
    [
        ("LIVESEARCH_PROXY_COUNT", "11", "less than or equal to 10"),
        ("LIVESEARCH_PUBLIC_SEARCH", "perhaps", "boolean"),
        ("LIVESEARCH_REGISTRATION", "sometimes", "'closed' or 'open'"),
        ("LIVESEARCH_QUERY_TIMEOUT_MS", "9", "greater than or equal to 10"),
        ("LIVESEARCH_MAX_UPLOAD_MB", "many", "integer"),
        ("LIVESEARCH_LOG_FORMAT", "xml", "'text' or 'json'"),
        ("LIVESEARCH_WORKERS", "0", "greater than or equal to 1"),
    ],
)
def test_settings_fault_names_variable_value_and_way_out(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, way_out: str
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(ConfigError) as caught:
        load_settings()

    message = str(caught.value)
    assert f"{variable}: " in message
    assert f"(got '{value}')" in message
    assert way_out in message
    assert message.endswith("See docs/settings.md.")


def test_settings_fault_names_every_variable_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVESEARCH_WORKERS", "0")
    monkeypatch.setenv("LIVESEARCH_LOG_FORMAT", "xml")

    with pytest.raises(ConfigError, match=r"LIVESEARCH_LOG_FORMAT.*LIVESEARCH_WORKERS"):
        load_settings()


@pytest.mark.parametrize(
    ("value", "shown", "way_out"),
    [
        ("mysql://ann:tell-nobody@db/rows", "mysql://…", "begin it with sqlite+aiosqlite:///"),
        ("ann:tell-nobody@db/rows", "a value that is not shown", "begin it with sqlite+aiosqlite:///"),
        ("postgresql://ann:tell-nobody/x@db/rows", "postgresql://…", "/ as %2F"),
    ],
)
def test_settings_fault_keeps_the_password_of_a_store(
    monkeypatch: pytest.MonkeyPatch, value: str, shown: str, way_out: str
) -> None:
    monkeypatch.setenv("LIVESEARCH_STORE_URL", value)

    with pytest.raises(ConfigError) as caught:
        load_settings()

    message = str(caught.value)
    assert way_out in message
    assert f"(got {shown}" in message
    assert "tell-nobody" not in message


def test_settings_fault_keeps_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVESEARCH_SECRET_KEY", "tell-nobody")

    with pytest.raises(ConfigError) as caught:
        load_settings()

    assert "LIVESEARCH_SECRET_KEY" in str(caught.value)
    assert "16 characters" in str(caught.value)
    assert "tell-nobody" not in str(caught.value)

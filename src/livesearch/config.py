"""Settings: the only reader of the environment.

Every setting is an environment variable with the prefix ``LIVESEARCH_``; ``docs/settings.md`` lists them, and a test
holds that page to this class.
"""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from livesearch.errors import ConfigError

CommaSeparated = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """What an operator can choose; frozen, read once at start."""

    model_config = SettingsConfigDict(env_prefix="LIVESEARCH_", frozen=True, extra="ignore", env_ignore_empty=True)

    store_url: str = Field(
        default="sqlite+aiosqlite:///livesearch.db",
        description="Where rows and index live: `sqlite+aiosqlite:///path` or `postgresql+asyncpg://user@host/name`.",
    )
    replica_urls: CommaSeparated = Field(
        default=(), description="Read replicas of the store, comma-separated URLs (PostgreSQL)."
    )
    redis_url: str | None = Field(default=None, description="Shared rate limits and cache; optional.")
    secret_key: str | None = Field(
        default=None,
        min_length=16,
        description=(
            "Signs cookies and tokens, 16 characters or more. Generated once beside a SQLite store; required otherwise."
        ),
    )
    secret_key_fallbacks: CommaSeparated = Field(
        default=(), description="Former secret keys, comma-separated: still read, never used to sign."
    )
    trusted_hosts: CommaSeparated = Field(
        default=(), description="Host names this site answers to, comma-separated; empty answers to any."
    )
    proxy_count: int = Field(default=0, ge=0, le=10, description="Reverse proxies in front, 0 to 10.")
    public_search: bool = Field(default=True, description="Visitors who are not signed in may search.")
    registration: Literal["closed", "open"] = Field(default="closed", description="Whether visitors may make accounts.")
    poll_seconds: float = Field(
        default=5.0, ge=0.05, le=3600, description="Seconds between two questions of an open page, 0.05 to 3600."
    )
    query_timeout_ms: int = Field(
        default=1000, ge=10, le=60_000, description="Time limit of one search in milliseconds, 10 to 60000."
    )
    max_upload_mb: int = Field(
        default=200, ge=1, le=10_000, description="Largest upload in megabytes (10^6 bytes), 1 to 10000."
    )
    upload_folder: str | None = Field(
        default=None,
        description=(
            "Folder of uploaded files until they are imported. By default beside a SQLite store, `livesearch-uploads`"
            " in the current folder otherwise."
        ),
    )
    log_format: Literal["text", "json"] = Field(default="text", description="Log lines for people or for machines.")
    workers: int = Field(default=1, ge=1, le=64, description="Server processes, 1 to 64.")
    bridge: Literal["loop", "thread"] = Field(
        default="loop", description="Where requests run: on the event loop, or each in a thread."
    )
    cache_mb: int = Field(
        default=64,
        ge=0,
        le=4096,
        description="Memory of each process for visitors' answers, in megabytes (10^6 bytes), 0 to 4096; 0 keeps none.",
    )
    metrics_token: str | None = Field(
        default=None, min_length=16, description="Who shows it may read `/metrics`; 16 characters or more."
    )
    drain_seconds: int = Field(
        default=3,
        ge=0,
        le=300,
        description="Seconds between SIGTERM and the end in which requests are still taken, 0 to 300.",
    )

    public_url: str | None = Field(
        default=None,
        description="Where people reach this site, as `https://search.example.com`: links in mails begin so.",
    )
    smtp_host: str | None = Field(default=None, description="The mail server for digests; without it none are sent.")
    smtp_port: int = Field(default=587, ge=1, le=65_535, description="Its port, 1 to 65535.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="How the connection to it is protected."
    )
    smtp_user: str | None = Field(default=None, description="Whom to sign in as there; nobody without.")
    smtp_password: str | None = Field(default=None, description="The password to sign in with.")
    smtp_sender: str | None = Field(default=None, description="The address that digests come from.")

    @field_validator("public_url")
    @classmethod
    def _whole_url(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("begin it with https:// or http://")
        if value is not None and not urlsplit(value).hostname:
            raise ValueError("name a host, as in https://search.example.com")
        return value.rstrip("/") if value else value

    @field_validator("replica_urls", "secret_key_fallbacks", "trusted_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("trusted_hosts")
    @classmethod
    def _small_letters(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name.lower() for name in value)

    @field_validator("store_url")
    @classmethod
    def _known_store(cls, value: str) -> str:
        value = store_url_of(value) if "://" in value else value
        try:
            _ = urlsplit(value).port
        except ValueError:
            fault = "its port is not a number; write special characters of a password by their codes, / as %2F"
            raise ValueError(fault) from None  # the message of the standard library quotes a part of the password
        if value.startswith(("sqlite+aiosqlite:///", "postgresql+asyncpg://")):
            return value
        raise ValueError("begin it with sqlite+aiosqlite:/// or postgresql+asyncpg://")

    @property
    def is_sqlite(self) -> bool:
        """Whether the store is the embedded one."""
        return self.store_url.startswith("sqlite")


def store_url_of(text: str) -> str:
    """The URL of a store as people write it: a file name, or a URL with or without its driver.

    ``games.db`` becomes ``sqlite+aiosqlite:///games.db``, ``postgresql://…`` becomes ``postgresql+asyncpg://…``.
    """
    if "://" not in text:
        return f"sqlite+aiosqlite:///{text}"
    scheme, _, rest = text.partition("://")
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
    return f"{drivers.get(scheme, scheme)}://{rest}"


def _shown(name: str, value: object) -> str:
    """A setting's value as an error may show it: of an address only the scheme, for it may hold a password."""
    if any(word in name for word in ("secret", "token", "password")):
        return "a value that is not shown"
    if name.endswith(("_url", "_urls")) and name != "public_url":
        scheme, separator, _ = str(value).partition("://")
        return f"{scheme + separator}…, the rest is not shown" if separator else "a value that is not shown"
    return repr(value)


def load_settings(**overrides: object) -> Settings:
    """Read the environment once.

    Args:
        overrides: Settings given on the command line; they win over the environment.

    Raises:
        ConfigError: A value cannot be used; the message names every such variable and its value's fault.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # pydantic checks them
    except ValidationError as error:
        faults = "; ".join(
            f"LIVESEARCH_{str(fault['loc'][0]).upper()}: {fault['msg'].removeprefix('Value error, ')}"
            f" (got {_shown(str(fault['loc'][0]), fault['input'])})"
            for fault in error.errors()
        )
        raise ConfigError(f"The settings cannot be used. {faults}. See docs/settings.md.") from error

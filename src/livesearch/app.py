"""The application: settings in, everything wired, nothing running until its lifespan is entered."""

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from flask import Request, request
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import MapAdapter, PathConverter

from livesearch.config import Settings, load_settings
from livesearch.db import Database, sqlite_path
from livesearch.errors import ConfigError
from livesearch.services import Services, build_services
from livesearch.web import audience, auth, cookies, csrf, detection, failures, headers, logs, metrics
from livesearch.web.assets import Assets
from livesearch.web.caching import POLL_LABELS, ResponseCache, UnchangedPolls, recording
from livesearch.web.loop import LoopFlask
from livesearch.web.registry import register_services
from livesearch.web.rendering import TemplateEnvironment
from livesearch.web.request_lines import RequestLines
from livesearch.web.routes import (
    account,
    activity,
    api,
    api_docs,
    api_documents,
    api_tuning,
    editing,
    health,
    htmx,
    imports,
    pages,
    saved_searches,
    settings_pages,
    shortlists,
    signing_in,
    unsubscribing,
    users,
)
from livesearch.web.uploads import Uploads

_PACKAGE = Path(__file__).parent
# 256 bits, as long as the hash that signs with it.
_KEY_BYTES = 32


class KeyConverter(PathConverter):
    """Any key at the end of an address: ``a//b`` and ``/a`` are keys of their own, unlike for Werkzeug's converter."""

    # (?s:): a line end is a character like any other.
    regex = "(?s:.+?)"
    # Werkzeug takes a pattern that names no slash for one that matches none.
    part_isolating = False


class LivesearchApp(LoopFlask):
    """A Flask application that owns its store."""

    jinja_environment = TemplateEnvironment
    database: Database
    services: Services
    metrics: metrics.Metrics
    request_lines: RequestLines
    response_cache: ResponseCache | None = None
    uploads: Uploads
    unchanged_polls: UnchangedPolls

    def lifespan(self) -> AbstractAsyncContextManager[None]:
        """Open the store on entering and close it on leaving; the server's own loop must do both."""
        return _run(self)

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """As Flask's, but the probes answer on every host: a container asks at 127.0.0.1, and they reveal nothing."""
        if request is not None and request.path in health.PATHS:
            return self.url_map.bind_to_environ(request.environ)
        if request is not None and self.config["TRUSTED_HOSTS"] and "HTTP_HOST" in request.environ:
            # Names of hosts are the same in capital letters; Werkzeug compares them as they are.
            request.environ["HTTP_HOST"] = request.environ["HTTP_HOST"].lower()
        return super().create_url_adapter(request)


def create_app(settings: Settings, services: Services | None = None) -> LivesearchApp:
    """Make the application.

    Args:
        settings: What the operator chose.
        services: Use cases over the store; made from the settings when left out.

    Raises:
        ConfigError: The store is PostgreSQL and no secret key is set, or the key's file cannot be used.
    """
    app = LivesearchApp("livesearch", static_folder=None, template_folder=str(find_templates()))
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.globals["root_url"] = lambda: f"{request.script_root}/"
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.url_map.merge_slashes = False
    app.url_map.converters["path"] = KeyConverter
    _configure(app, settings)
    app.database = Database(settings)
    app.services = services or build_services(settings, app.database)
    register_services(app, app.services)

    logs.configure_logging(settings.log_format)
    app.request_lines = RequestLines()
    logs.init_app(app, app.request_lines)
    recording.init_app(app)
    app.metrics = metrics.Metrics(token=settings.metrics_token)
    metrics.init_app(app, app.metrics)
    headers.init_app(app)
    detection.init_app(app)
    failures.init_app(app)
    app.uploads = Uploads(app, app.services)
    app.uploads.init_app()
    # A form of a page that has expired is told so, whoever sends it; then come who asks, and whether they may.
    csrf.init_app(app)
    auth.init_app(app)
    audience.init_app(app)
    shortlists.init_app(app)
    Assets().init_app(app)
    for feature in (
        pages,
        editing,
        signing_in,
        account,
        imports,
        shortlists,
        users,
        saved_searches,
        unsubscribing,
        settings_pages,
        activity,
        htmx,
        api,
        api_docs,
        api_documents,
        api_tuning,
        health,
    ):
        app.register_blueprint(feature.blueprint)
    if settings.proxy_count:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxy_count, x_proto=settings.proxy_count)  # type: ignore[method-assign]  # as Werkzeug documents
    app.unchanged_polls = _make_polls(app)
    if settings.cache_mb:
        app.response_cache = _make_cache(app, settings.cache_mb * 1_000_000)
    return app


def _make_polls(app: LivesearchApp) -> UnchangedPolls:
    def note(method: str, status: int, labels: tuple[str, str], _request_id: str, _milliseconds: float) -> None:
        app.metrics.note_hit(method, status, labels)

    vary = ("Vary", ", ".join(detection.VARY))
    return UnchangedPolls(app.services.change_tokens, headers=[*headers.DEFAULTS, vary], note=note)


def _make_cache(app: LivesearchApp, limit: int) -> ResponseCache:
    def note(method: str, status: int, labels: tuple[str, str], request_id: str, milliseconds: float) -> None:
        if labels != POLL_LABELS:  # with many pages open there would be nothing else in the log
            app.request_lines.write(method, status, labels[0], request_id, milliseconds, is_kept=True)
        app.metrics.note_hit(method, status, labels)

    cache = ResponseCache(app.services.change_tokens, limit=limit, private_cookies=[cookies.NAME.encode()], note=note)
    app.metrics.watch(cache)
    return cache


def create_wsgi() -> LivesearchApp:
    """Make the application for a WSGI server, from the environment: ``gunicorn 'livesearch.app:create_wsgi()'``.

    It answers as under the bridge, but a client's hang-up stops nothing, and files sent for import wait until a
    `livesearch serve` runs on the same store. The first request opens the store.

    Raises:
        ConfigError: A setting cannot be used.
    """
    return create_app(load_settings())


def find_templates() -> Path:
    """Where templates are: inside the package when installed from a wheel, beside ``src`` in a checkout."""
    packed = _PACKAGE / "templates"
    return packed if packed.is_dir() else _PACKAGE.parent.parent / "templates"


def load_secret_key(settings: Settings) -> str:
    """The key that signs cookies: the one set, or for SQLite one made once and kept beside the store, mode 0600.

    Raises:
        ConfigError: The store is PostgreSQL, which several processes share, and no key is set; or the key's file cannot
            be written or read.
    """
    if settings.secret_key:
        return settings.secret_key
    if not settings.is_sqlite:
        raise ConfigError(
            "LIVESEARCH_SECRET_KEY is not set, and a PostgreSQL store needs it: all processes must sign with one key."
            ' Set it to the output of: python -c "import secrets; print(secrets.token_urlsafe(32))"'
        )
    path = Path(f"{sqlite_path(settings.store_url)}.secret-key")
    try:
        return _read_or_make_key(path)
    except OSError as error:
        raise ConfigError(
            f"The secret key {path} cannot be used ({error.strerror}). Make its folder writable, or set"
            " LIVESEARCH_SECRET_KEY."
        ) from error


def _configure(app: LivesearchApp, settings: Settings) -> None:
    app.config.update(
        SECRET_KEY=load_secret_key(settings),
        POLL_MS=round(1000 * settings.poll_seconds),
        SECRET_KEY_FALLBACKS=list(settings.secret_key_fallbacks),
        TRUSTED_HOSTS=list(settings.trusted_hosts) or None,
    )
    cookies.init_app(app)


def _read_or_make_key(path: Path) -> str:
    if path.exists():
        return path.read_text().strip()
    # Written under another name and linked: a second process sees the whole key or none, and never replaces it.
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text().strip()


@asynccontextmanager
async def _run(app: LivesearchApp) -> AsyncIterator[None]:
    await app.database.warm()
    try:
        await app.services.search.warm()
        async with (
            app.services.change_tokens.watching(),
            app.metrics.publishing(),
            app.services.import_jobs.running(),
        ):
            yield
    finally:
        await app.services.search.close()
        await app.database.close()

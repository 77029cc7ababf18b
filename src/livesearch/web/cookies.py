"""The session cookie: its name and flags follow the scheme, and clocks may differ a little."""

from datetime import datetime
from typing import Any

from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from itsdangerous import SignatureExpired, TimestampSigner, URLSafeTimedSerializer

# Seconds by which the clock of the process that signed may be ahead: without them, a cookie signed on one machine is
# refused on another whose clock is 10 seconds behind.
_SKEW_SECONDS = 60.0

# Over HTTPS, too, the name holds this.
NAME = "livesearch"
# With this prefix browsers take the cookie over HTTPS only, from this very host, for all of it (RFC 6265bis, 4.1.3.2).
_HOST_PREFIX = "__Host-"
ALL_NAMES = (NAME, _HOST_PREFIX + NAME)


def init_app(app: Flask) -> None:
    """Give an application its session cookie."""
    app.config.update(
        SESSION_COOKIE_NAME=NAME,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        # Otherwise every page sets the cookie anew.
        SESSION_REFRESH_EACH_REQUEST=False,
    )
    app.session_interface = SchemeSessions()


def has_session_cookie() -> bool:
    """Whether the request brings a session; asked first, for to look into the session makes the answer vary by it."""
    return "HTTP_COOKIE" in request.environ and _cookie_name() in request.cookies


def serializer_of(app: Flask) -> URLSafeTimedSerializer:
    """What reads the cookie outside of a request."""
    serializer = SchemeSessions().get_signing_serializer(app)
    assert serializer is not None  # noqa: S101  # an application has a secret key
    return serializer


def longest_seconds(app: Flask) -> int:
    """The age to which a cookie is read."""
    return int(app.permanent_session_lifetime.total_seconds())


def _cookie_name() -> str:
    return _HOST_PREFIX + NAME if request.is_secure else NAME


class _PatientSigner(TimestampSigner):
    def unsign(self, signed_value: str | bytes, max_age: int | None = None, return_timestamp: bool = False) -> Any:
        """As its base; a signature of the next minute counts as one of now."""
        try:
            return super().unsign(signed_value, max_age, return_timestamp)  # type: ignore[call-overload]  # of Literals
        except SignatureExpired as error:
            signed: datetime | None = error.date_signed
            ahead = 0.0 if signed is None else signed.timestamp() - self.get_timestamp()
            if not 0 < ahead <= _SKEW_SECONDS:
                raise
            return super().unsign(signed_value, None, return_timestamp)  # type: ignore[call-overload]  # of Literals


class SchemeSessions(SecureCookieSessionInterface):
    """Flask's signed cookie; over HTTPS it is Secure and bound to the host.

    Visitors who only search have none: nothing is made ready to verify or to sign it.
    """

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Flask's, unless there is nothing to read."""
        if "HTTP_COOKIE" not in request.environ:
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Flask's, unless nobody has looked into the session."""
        if session.accessed or session.modified:
            super().save_session(app, session, response)

    def get_cookie_name(self, app: Flask) -> str:  # noqa: ARG002  # Flask's signature
        """The name by which this request's scheme knows it."""
        return _cookie_name()

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002  # Flask's signature
        """Never over plain HTTP once it was set over HTTPS."""
        return request.is_secure

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Flask's, patient with other clocks."""
        serializer = super().get_signing_serializer(app)
        if serializer is not None:
            serializer.signer = _PatientSigner
        return serializer

"""Security headers, on every answer: pages, fragments, errors and static files."""

from flask import Flask, Response

# htmx parses answers with parseHTMLUnsafe, which Trusted Types refuses without the policy ``htmx`` that kit.js makes.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types htmx"
)

SECURITY_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Never no-referrer: Flask-WTF checks the Referer of unsafe requests over HTTPS.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}


def init_app(app: Flask) -> None:
    """Send the headers with every answer of an application."""
    app.after_request(_secure)


def _secure(response: Response) -> Response:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    # A committed change is found on the next keystroke: a copy may be kept, but asks first. Back still uses it.
    response.headers.setdefault("Cache-Control", "no-cache")
    return response

"""The request itself: each look through Flask's proxy of it takes as long as a hook."""

from typing import Any, cast

from flask import Request, request


def current_request() -> Request:
    """The request that is being answered; for those who look at more than one thing of it."""
    return cast("Request", cast("Any", request)._get_current_object())  # noqa: SLF001  # Any: a proxy's documented method

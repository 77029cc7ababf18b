"""Programs prove themselves with API tokens; no cookie is read for them."""

from collections.abc import Iterable

from flask import request

from livesearch.domain import Collection
from livesearch.services.policy import VISITOR, Actor
from livesearch.web.actors import current_actor
from livesearch.web.registry import current_services


async def identify_program() -> Actor:
    """Who asks the API: the program whose token is shown, or a visitor.

    A token that is shown must be valid where none is needed, too: a program learns at once that its token has ended.

    Raises:
        UnauthorizedError: A token is shown that is not valid.
    """
    authorization = request.headers.get("Authorization")
    if authorization is None:
        return VISITOR
    return Actor(token=await current_services().tokens.authenticate(authorization))


def visible(collections: Iterable[Collection]) -> list[Collection]:
    """The collections that whoever asks may know of."""
    return current_services().policy.visible(current_actor(), collections)

"""JSON for programs: what an owner tunes. Reading is as public as search; changing needs a token of scope admin."""

from dataclasses import fields
from http import HTTPStatus

import orjson
from flask import Blueprint, Response

from livesearch.domain import UserRole, VisibilityRule, VisibleTo
from livesearch.errors import InvalidInputError
from livesearch.services.ranking import NO_FIELD, NO_LANGUAGE, RankingChange
from livesearch.web.actors import current_viewer
from livesearch.web.audience import Audience, declare, open_to
from livesearch.web.bodies import read_body
from livesearch.web.presenters.tuning import present_curation, present_ranking, present_synonym, present_visibility
from livesearch.web.registry import current_services

blueprint = Blueprint("api_tuning", __name__, url_prefix="/api/v1/collections/<name>")
declare(blueprint, reading=Audience.SEARCHERS, changing=Audience.ADMINS)

_RANKING_FIELDS = tuple(field.name for field in fields(RankingChange))
# What stands for no role and no field.
_NOBODY = ""
# An id of the store has 31 bits: larger ones are nobody's.
_ID = "int(min=1, max=2147483647)"


@blueprint.get("/synonyms")
async def list_synonyms(name: str) -> Response:
    """Every synonym."""
    synonyms = await current_services().synonyms.list_all(name)
    return _answer({"synonyms": [present_synonym(synonym) for synonym in synonyms]})


@blueprint.post("/synonyms")
async def add_synonym(name: str) -> Response:
    """One more synonym: ``{"words": "tv", "alternatives": ["television"], "is_two_way": true}``."""
    body = read_body()
    body.only("words", "alternatives", "is_two_way")
    added = await current_services().synonyms.add(
        name, body.text("words"), body.texts("alternatives"), is_two_way=body.flag("is_two_way", default=True)
    )
    return _answer(present_synonym(added), HTTPStatus.CREATED)


@blueprint.delete(f"/synonyms/<{_ID}:synonym_id>")
async def remove_synonym(name: str, synonym_id: int) -> Response:
    """One synonym less."""
    await current_services().synonyms.remove(name, synonym_id)
    return Response(status=HTTPStatus.NO_CONTENT)


@blueprint.get("/curations")
async def list_curations(name: str) -> Response:
    """Every document that is pinned or hidden, by query."""
    curations = await current_services().curations.list_all(name, current_viewer())
    return _answer({"curations": [present_curation(curation) for curation in curations]})


@blueprint.post("/curations")
async def add_curation(name: str) -> Response:
    """Pin or hide a document: ``{"query": "zelda", "document": "nes/zelda", "position": 1}``, or ``"is_hidden": true``.

    Without a position it is pinned to the first free place.
    """
    body = read_body()
    body.only("query", "document", "position", "is_hidden")
    query, key, position = body.text("query"), body.text("document"), body.whole_number("position")
    is_hidden = body.flag("is_hidden", default=False)
    if is_hidden and position is not None:
        raise InvalidInputError("“position” and “is_hidden” exclude each other: give one of them.")
    if is_hidden:
        made = await current_services().curations.hide(name, query, key)
    else:
        made = await current_services().curations.pin(name, query, key, position=position)
    return _answer(present_curation(made), HTTPStatus.CREATED)


@blueprint.delete(f"/curations/<{_ID}:curation_id>")
async def remove_curation(name: str, curation_id: int) -> Response:
    """One pinned or hidden document less."""
    await current_services().curations.remove(name, curation_id)
    return Response(status=HTTPStatus.NO_CONTENT)


@blueprint.get("/ranking")
async def show_ranking(name: str) -> Response:
    """How the collection ranks."""
    return _answer(present_ranking(await current_services().ranking.get(name)))


@blueprint.put("/ranking")
async def change_ranking(name: str) -> Response:
    """Change how the collection ranks; the fields are those that reading gives, and those left out stay as they are."""
    body = read_body()
    body.only(*_RANKING_FIELDS)
    change = RankingChange(
        popularity_field=body.optional_text("popularity_field", null=NO_FIELD),
        popularity_weight=body.number("popularity_weight"),
        recency_field=body.optional_text("recency_field", null=NO_FIELD),
        recency_weight=body.number("recency_weight"),
        recency_half_life_days=body.number("recency_half_life_days"),
        language=body.optional_text("language", null=NO_LANGUAGE),
        weights=body.numbers("weights"),
        typos=body.flags("typos"),
    )
    return _answer(present_ranking(await current_services().ranking.change(name, change)))


@blueprint.get("/visibility")
@open_to(Audience.ADMINS)
async def show_visibility(name: str) -> Response:
    """Who may see which rows."""
    return _answer(present_visibility(await current_services().visibility.get(name)))


@blueprint.put("/visibility")
async def change_visibility(name: str) -> Response:
    """Give the collection a rule: ``{"to": "groups", "field": "teams"}``, or to public, signed-in, a role, an owner."""
    body = read_body()
    body.only("to", "role", "field")
    to, role = body.text("to"), body.optional_text("role", null=_NOBODY) or _NOBODY
    if to not in list(VisibleTo) or role not in {*UserRole, _NOBODY}:
        raise InvalidInputError(
            f"Rows can be for: {', '.join(VisibleTo)}; for a role, that is one of: {', '.join(UserRole)}."
        )
    field = body.optional_text("field", null=_NOBODY)
    rule = VisibilityRule(VisibleTo(to), UserRole(role) if role else None, field or None)
    return _answer(present_visibility(await current_services().visibility.change(name, rule)))


def _answer(content: dict[str, object], status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(orjson.dumps(content), status, mimetype="application/json")

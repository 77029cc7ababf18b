"""A collection's settings: shown, tried on a query, saved; for administrators."""

import math
from collections.abc import Mapping
from http import HTTPStatus

from flask import Blueprint, Response, flash, get_flashed_messages, make_response, request, url_for

from livesearch.domain import Collection, ImportJob, Role, SearchQuery, UserRole, VisibilityRule, VisibleTo
from livesearch.errors import ConflictError, InvalidInputError, NotFoundError
from livesearch.search.query import QUERY_LENGTH
from livesearch.services.collection_settings import CollectionSettingsService
from livesearch.services.ranking import RankingChange, changed
from livesearch.web.actors import current_actor, current_viewer
from livesearch.web.addresses import go
from livesearch.web.audience import Audience, declare
from livesearch.web.contexts.settings import PreviewFragment, Typed
from livesearch.web.presenters.settings import NO_PREVIEW, present_comparison, present_settings
from livesearch.web.registry import current_services
from livesearch.web.rendering import Context, render

blueprint = Blueprint("settings", __name__)
declare(blueprint, reading=Audience.ADMINS, changing=Audience.ADMINS)

_ID = "int(min=1, max=2147483647)"
_BELOW = "/c/<name>/settings"
# Hits that a comparison shows.
_COMPARED_COUNT = 10
_SAVED = "Saved. The next search follows it."


@blueprint.get(_BELOW)
async def show(name: str) -> Response:
    """All that can be set; with what is tried in the address, also what a query would find."""
    if "try" not in request.args:
        return await _show_page(name)
    try:
        change = _ranking_change(request.args)
        compared = await _compare(name, change)
        return await _show_page(name, change=change, compared=compared)
    except InvalidInputError as error:
        return await _show_page(name, failure=str(error))


@blueprint.get("/htmx/c/<name>/settings/preview")
async def preview(name: str) -> Response:
    """What a query finds as it is, and as it would be."""
    try:
        return _show(await _compare(name, _ranking_change(request.args)))
    except InvalidInputError as error:
        return _show(PreviewFragment(str(error), "", (), ()))


@blueprint.post(f"{_BELOW}/ranking")
async def save_ranking(name: str) -> Response:
    """Save weights, popularity, recency, language and typo tolerance."""
    try:
        change = _ranking_change(request.form, with_all=True)
        return _saved(name, await _settings().save_ranking(name, change, by=_user_name()))
    except InvalidInputError as error:
        return await _refused(name, error)


@blueprint.post(f"{_BELOW}/fields")
async def save_fields(name: str) -> Response:
    """Save roles, and the order of facets."""
    try:
        roles = {field: Role(value) for field, value in _named("role:", request.form).items()}
        places = {field: _number("A place", text) for field, text in _named("place:", request.form).items()}
        order = sorted(places, key=lambda field: places[field] or 0.0)
        return _saved(name, await _settings().save_fields(name, roles, order, by=_user_name()))
    except ValueError:
        return await _refused(name, InvalidInputError("There is no such role. Choose one of those that are offered."))
    except InvalidInputError as error:
        return await _refused(name, error)


@blueprint.post(f"{_BELOW}/visibility")
async def save_visibility(name: str) -> Response:
    """Save who may see which rows."""
    form = request.form
    try:
        rule = VisibilityRule(
            VisibleTo(form.get("to", "")),
            UserRole(form["least_role"]) if form.get("least_role") else None,
            form.get("field") or None,
        )
        return _saved(name, await _settings().save_visibility(name, rule, by=_user_name()))
    except ValueError:
        return await _refused(name, InvalidInputError("There is no such rule. Choose one of those that are offered."))
    except InvalidInputError as error:
        return await _refused(name, error)


@blueprint.post(f"{_BELOW}/synonyms")
async def add_synonym(name: str) -> Response:
    """Let words stand for others."""
    others = [text for text in request.form.get("alternatives", "").split(",") if text.strip()]
    try:
        await current_services().synonyms.add(
            name, request.form.get("words", ""), others, is_two_way="one_way" not in request.form
        )
    except InvalidInputError as error:
        return await _refused(name, error)
    return _saved(name, None)


@blueprint.post(f"{_BELOW}/synonyms/<{_ID}:synonym_id>/remove")
async def remove_synonym(name: str, synonym_id: int) -> Response:
    """Remove a synonym."""
    await current_services().synonyms.remove(name, synonym_id)
    return _saved(name, None)


@blueprint.post(f"{_BELOW}/pins")
async def add_pin(name: str) -> Response:
    """Pin a document to a place, or hide it, for one query."""
    form, curations = request.form, current_services().curations
    try:
        place = _number("A place", form.get("position", ""))
        if form.get("what") == "hide":
            await curations.hide(name, form.get("query", ""), form.get("document", ""))
        else:
            await curations.pin(
                name, form.get("query", ""), form.get("document", ""), position=None if place is None else int(place)
            )
    except (InvalidInputError, ConflictError, NotFoundError) as error:
        await current_services().collections.get(name)
        return await _refused(name, error)
    return _saved(name, None)


@blueprint.post(f"{_BELOW}/pins/<{_ID}:curation_id>/remove")
async def remove_pin(name: str, curation_id: int) -> Response:
    """Let a query rank a document as any other again."""
    await current_services().curations.remove(name, curation_id)
    return _saved(name, None)


@blueprint.post(f"{_BELOW}/drop")
async def drop(name: str) -> Response:
    """Remove the collection, once its name was typed."""
    try:
        await _settings().drop(name, typed_name=request.form.get("typed_name", ""))
    except (InvalidInputError, ConflictError) as error:
        return await _refused(name, error)
    return go(url_for("pages.home"))


def _settings() -> CollectionSettingsService:
    return current_services().collection_settings


def _user_name() -> str | None:
    user = current_actor().user
    return user.name if user else None


def _ranking_change(values: Mapping[str, str], *, with_all: bool = False) -> RankingChange:
    """What the form asks for.

    Args:
        with_all: Also language and typo tolerance, which a comparison leaves as they are.
    """
    weights = {
        field: number
        for field, text in _named("weight:", values).items()
        if (number := _number(f"The weight of “{field}”", text)) is not None
    }
    tolerant = {name.removeprefix("typos:") for name in values if name.startswith("typos:")}
    return RankingChange(
        popularity_field=values.get("popularity_field"),
        popularity_weight=_number("The weight of popularity", values.get("popularity_weight", "")),
        recency_field=values.get("recency_field"),
        recency_weight=_number("The weight of recency", values.get("recency_weight", "")),
        recency_half_life_days=_number("The half-life of recency", values.get("recency_half_life_days", "")),
        language=values.get("language") if with_all else None,
        weights=weights,
        typos={field: field in tolerant for field in weights} if with_all else {},
    )


def _named(prefix: str, values: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}


def _number(what: str, text: str) -> float | None:
    if not text.strip():
        return None
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise InvalidInputError(f"{what} must be a number, and “{text[:40]}” is none.")
    return found


async def _compare(name: str, change: RankingChange) -> PreviewFragment:
    text = request.args.get("try", "")[:QUERY_LENGTH]
    query = SearchQuery(text, page_size=_COMPARED_COUNT)
    before, after = await current_services().search.compare(name, query, change, viewer=current_viewer())
    return present_comparison(before, after)


def _saved(name: str, job: ImportJob | None) -> Response:
    if job:
        return go(url_for("imports.show", job_id=job.id))
    flash(_SAVED)
    return go(url_for("settings.show", name=name))


async def _refused(name: str, error: Exception) -> Response:
    return await _show_page(name, failure=str(error), status=HTTPStatus.UNPROCESSABLE_ENTITY)


async def _show_page(
    name: str,
    *,
    change: RankingChange | None = None,
    compared: PreviewFragment = NO_PREVIEW,
    failure: str = "",
    status: int = HTTPStatus.OK,
) -> Response:
    view = await _settings().get(name)
    shown: Collection = changed(view.collection, change) if change else view.collection
    notice, tried = " ".join(map(str, get_flashed_messages())), request.args.get("try", "")
    page = present_settings(view, shown, compared, tried=tried, notice=notice, failure=failure, typed=_typed())
    return _show(page, status)


def _typed() -> Typed:
    form = request.form
    return Typed(
        words=form.get("words", ""),
        alternatives=form.get("alternatives", ""),
        is_one_way="one_way" in form,
        query=form.get("query", ""),
        document=form.get("document", ""),
        is_to_hide=form.get("what") == "hide",
        position=form.get("position", ""),
    )


def _show(context: Context, status: int = HTTPStatus.OK) -> Response:
    answer = make_response(render(context), status)
    answer.headers["Cache-Control"] = "no-store"
    return answer

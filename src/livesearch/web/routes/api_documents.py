"""JSON for programs: documents, one at a time or some together. Changing them needs a token of scope edit."""

from http import HTTPStatus

import orjson
from flask import Blueprint, Response

from livesearch.errors import InvalidInputError
from livesearch.services.documents import Outcome, Written
from livesearch.web.actors import current_name, current_viewer
from livesearch.web.audience import Audience, declare
from livesearch.web.bodies import read_documents
from livesearch.web.registry import current_services

blueprint = Blueprint("api_documents", __name__, url_prefix="/api/v1/collections/<name>/documents")
declare(blueprint, reading=Audience.SEARCHERS, changing=Audience.EDITORS)


@blueprint.post("")
async def add_documents(name: str) -> Response:
    """Create or change the document that is sent, or each of a list of them, all or none; each tells its own key."""
    documents, viewer, who = current_services().documents, current_viewer(), current_name()
    sent = read_documents()
    if isinstance(sent, list):
        keyless = [(None, document) for document in sent]
        written = await documents.put_many(name, keyless, viewer=viewer, who=who)
        return _answer({"documents": [_present(one) for one in written]}, HTTPStatus.OK)
    return _answer_one(await documents.put(name, None, sent, viewer=viewer, who=who))


@blueprint.put("/<path:key>")
async def put_document(name: str, key: str) -> Response:
    """Create the document of a key, or change it to what is sent."""
    sent = read_documents()
    if isinstance(sent, list):
        raise InvalidInputError("One key has one document: send it as a JSON object, not in a list.")
    documents = current_services().documents
    return _answer_one(await documents.put(name, key, sent, viewer=current_viewer(), who=current_name()))


@blueprint.delete("/<path:key>")
async def delete_document(name: str, key: str) -> Response:
    """One document less."""
    await current_services().documents.delete(name, key, viewer=current_viewer(), who=current_name())
    return Response(status=HTTPStatus.NO_CONTENT)


def _answer_one(written: Written) -> Response:
    is_new = written.outcome is Outcome.CREATED
    return _answer(_present(written), HTTPStatus.CREATED if is_new else HTTPStatus.OK)


def _present(written: Written) -> dict[str, object]:
    return {"id": written.key, "outcome": written.outcome, "version": written.version}


def _answer(content: dict[str, object], status: HTTPStatus) -> Response:
    return Response(orjson.dumps(content), status, mimetype="application/json")

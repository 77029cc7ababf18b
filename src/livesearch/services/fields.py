"""The fields an import will write: inferred for a new collection, those stored and what comes new for an older one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from livesearch.domain import Collection, Document, Field, Role
from livesearch.errors import InvalidInputError, KeyUndecidedError, SourceError
from livesearch.ingest import Inference, infer


def plan_fields(
    documents: Sequence[Document], existing: Collection | None, *, roles: Mapping[str, Role], key: str | None
) -> Inference:
    """Say what the fields of a source will be.

    Args:
        documents: Some of the source's; at least one.
        existing: The collection that takes them; None for a new one.
        roles: Roles that a person chose, by field.
        key: The key that a person chose.

    Raises:
        KeyUndecidedError: Two or more fields of a new collection could be the key.
        InvalidInputError: What was chosen differs from what is stored.
        SourceError: The source lacks the collection's key field, or a field that was named.
    """
    if existing is None:
        return infer(documents, roles=roles, key=key)
    _refuse_changes(existing, roles, key)
    if existing.key_field and not any(existing.key_field in document for document in documents):
        raise SourceError(
            f"“{existing.name}” tells rows apart by “{existing.key_field}”, which this source does not have."
            f" Its fields: {', '.join(documents[0])}. Give --name for another collection."
        )
    further = _further_fields(documents, existing, roles)
    return Inference((*existing.fields, *further), existing.key_field, existing.popularity_field)


def _refuse_changes(existing: Collection, roles: Mapping[str, Role], key: str | None) -> None:
    changed = [
        f"“{field.name}” is {field.role.value}"
        for field in existing.fields
        if roles.get(field.name, field.role) is not field.role
    ]
    if key and key != existing.key_field:
        changed.append(f"the key is {f'“{existing.key_field}”' if existing.key_field else 'a hash of the row'}")
    if changed:
        raise InvalidInputError(
            f"An import cannot change the fields of “{existing.name}”: {', '.join(changed)}."
            " Give --replace to build it anew, or --name for another collection."
        )


def _further_fields(documents: Sequence[Document], existing: Collection, roles: Mapping[str, Role]) -> list[Field]:
    """The fields the collection does not have yet. None of them can be its key."""
    known = {field.name for field in existing.fields}
    chosen = {name: role for name, role in roles.items() if name not in known}
    try:
        fields = infer(documents, roles=chosen, key=existing.key_field).fields
    except KeyUndecidedError as error:  # only where rows are told apart by a hash
        fields = infer(documents, roles=chosen, key=error.candidates[0]).fields
    return [
        replace(field, role=Role.TEXT) if field.role is Role.KEY else field
        for field in fields
        if field.name not in known
    ]

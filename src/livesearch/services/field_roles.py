"""What fields are for, once their rows are there; and the order of facets."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from livesearch.domain import Collection, Field, FieldType, Role
from livesearch.errors import InvalidInputError
from livesearch.ingest import weight_of_role
from livesearch.services.reindexing import Later
from livesearch.services.transactions import Transactions
from livesearch.services.tuning import changing
from livesearch.store.settings import save_ranking

_OF_TEXT = (Role.TITLE, Role.TEXT, Role.FACET, Role.URL, Role.HIDDEN)
# Types stay: values are stored as they were read. The key stays as well.
_CHOICES: Mapping[FieldType, tuple[Role, ...]] = {
    FieldType.TEXT: _OF_TEXT,
    FieldType.URL: _OF_TEXT,
    FieldType.BOOLEAN: (Role.FACET, Role.HIDDEN),
    FieldType.NUMBER: (Role.SORT, Role.FACET, Role.HIDDEN),
    FieldType.DATE: (Role.DATE, Role.HIDDEN),
}


def possible_roles(field: Field) -> tuple[Role, ...]:
    """The roles that a stored field may be given."""
    return (field.role,) if field.role is Role.KEY else _CHOICES[field.type]


class FieldRoleService:
    """Changes what fields are for."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def change(self, name: str, roles: Mapping[str, Role], *, later: Later) -> Collection:
        """Give fields other roles, all of them or none.

        Until the index is made anew, some documents still have the old one: they are found as before.

        Args:
            roles: By field; fields left out stay as they are.
            later: Called in the transaction where a role changes: it sees to the index.

        Raises:
            CollectionNotFoundError: No collection has the name.
            InvalidInputError: There is no such field, or it cannot have the role.
        """
        async with changing(self._transactions, name) as (conn, collection):
            for field_name, role in roles.items():
                _require(collection, field_name, role)
            fields = tuple(_with_role(field, roles.get(field.name, field.role)) for field in collection.fields)
            wanted = replace(collection, fields=fields)
            if fields == collection.fields:
                return collection
            settings, popularity_field = collection.settings, collection.popularity_field
            if not _has_role(wanted, settings.recency_field, Role.DATE):
                settings = replace(settings, recency_field=None)
            if not _has_role(wanted, popularity_field, Role.SORT):
                popularity_field = None
            await save_ranking(conn, collection.id, settings=settings, fields=fields, popularity_field=popularity_field)
            await later(conn)
        return replace(wanted, settings=settings, popularity_field=popularity_field)

    async def order_facets(self, name: str, order: Sequence[str]) -> Collection:
        """Say which facets come first, in which order; the index has nothing to do with it.

        Raises:
            CollectionNotFoundError: No collection has the name.
            InvalidInputError: One of them is no facet.
        """
        async with changing(self._transactions, name) as (conn, collection):
            known = {field.name for field in collection.by_role(Role.FACET)}
            for field_name in order:
                if field_name not in known:
                    raise InvalidInputError(f"“{field_name[:80]}” is no facet of “{name}”.")
            settings = replace(collection.settings, facet_order=tuple(dict.fromkeys(order)))
            await save_ranking(
                conn,
                collection.id,
                settings=settings,
                fields=collection.fields,
                popularity_field=collection.popularity_field,
            )
            return replace(collection, settings=settings)


def _require(collection: Collection, name: str, role: Role) -> None:
    field = collection.field(name)
    if field is None:
        raise InvalidInputError(f"There is no field “{name[:80]}” in “{collection.name}”.")
    if role is not field.role and role not in possible_roles(field):
        able = ", ".join(possible_roles(field))
        raise InvalidInputError(f"“{name}” cannot have the role {role}: its values allow {able}.")


def _with_role(field: Field, role: Role) -> Field:
    if role is field.role:
        return field
    return replace(field, role=role, weight=weight_of_role(role), reason="chosen by you")


def _has_role(collection: Collection, name: str | None, role: Role) -> bool:
    field = collection.field(name) if name else None
    return field is not None and field.role is role

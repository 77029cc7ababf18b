"""Which documents a viewer may see: what a rule grants them, and what of a document it is compared with."""

import re
import unicodedata
from collections.abc import Iterator

from livesearch.domain import Document, Viewer, VisibilityRule, VisibleTo
from livesearch.search.values import texts

# Between groups that stand in one text, as in a cell of a spreadsheet: no group has them in its name.
_BETWEEN = re.compile("[,;|]")
# Characters of a name; a longer one is nobody's, and PostgreSQL's indexes could not hold it.
_LONGEST = 200


def folded_name(name: str) -> str:
    """A name of a user or a group as names are compared."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name.strip()).casefold())


def folded_groups(value: object) -> Iterator[str]:
    """The groups that a value lists: a text or a list of texts."""
    return filter(None, (folded_name(part) for text in texts(value) for part in _BETWEEN.split(text)))


def names_granted(rule: VisibilityRule, viewer: Viewer) -> frozenset[str] | None:
    """Whose documents a viewer sees: those with one of the names in the rule's field; None where they see all."""
    if rule.to is VisibleTo.PUBLIC or viewer.sees_all:
        return None
    if viewer.role is None:
        return frozenset()
    if rule.to is VisibleTo.OWNER:
        return frozenset(filter(None, [folded_name(viewer.name or "")]))
    if rule.to is VisibleTo.GROUPS:
        return frozenset(folded_groups(list(viewer.groups)))
    is_enough = rule.role is None or viewer.role.scope.covers(rule.role.scope)
    return None if is_enough else frozenset()


def names_of(rule: VisibilityRule, document: Document) -> set[str]:
    """Whom the rule opens a document to, by the names in its field."""
    value = document.get(rule.field) if rule.field else None
    names = folded_groups(value) if rule.to is VisibleTo.GROUPS else map(folded_name, texts(value))
    return {name for name in names if 0 < len(name) <= _LONGEST}


def may_see(rule: VisibilityRule, viewer: Viewer, document: Document) -> bool:
    """Whether a viewer may see a document; of an indexed one, the postings of its names tell the same."""
    granted = names_granted(rule, viewer)
    return granted is None or not granted.isdisjoint(names_of(rule, document))

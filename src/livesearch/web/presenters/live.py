"""What an open list asks, and what it is told."""

from functools import lru_cache
from hashlib import blake2b

from flask import current_app

from livesearch.domain import ListChange, RecentChange, ResultPage, SearchQuery
from livesearch.web.contexts import ListChangeFragment, Poll
from livesearch.web.parameters import canonical_parameters
from livesearch.web.presenters.addresses import address_of
from livesearch.web.presenters.formats import format_count


def present_poll(page: ResultPage, parameters: str) -> Poll:
    """The question whether a page's list has changed: with its search, as a query string, and its version."""
    shown = f"?v={page.version}" + (f"&n={page.total}" if page.total_is_exact else "")
    search = parameters.replace("?", "&", 1)
    url = address_of("htmx.changes", name=page.collection.name) + shown + search
    return Poll(url, current_app.config["POLL_MS"])


@lru_cache(maxsize=4096)
def row_id(collection_id: int, key: str) -> str:
    """The id of a row: the document's own, so that focus and what is open stay with it when rows come and go."""
    return f"result-{collection_id}-{blake2b(key.encode(), digest_size=6).hexdigest()}"


def present_list_change(change: ListChange, name: str, query: SearchQuery) -> ListChangeFragment:
    """What has become of a list of the collection with that name, and the way to see it."""
    return ListChangeFragment(
        summary=describe(change),
        show_url=address_of("pages.search", name=name) + canonical_parameters(query),
        gone_ids=" ".join(row_id(change.collection_id, key) for key in change.gone_keys),
    )


def describe(change: ListChange) -> str:
    """Say what has become of a list, as in "3 new, 1 changed"."""
    return describe_counts(change) if change.is_counted else "The list has changed"


def describe_counts(change: ListChange | RecentChange) -> str:
    """Say how much is new, changed and gone."""
    counts = ((change.new, "new"), (change.changed, "changed"), (change.gone, "gone"))
    return ", ".join(f"{format_count(count)} {word}" for count, word in counts if count)

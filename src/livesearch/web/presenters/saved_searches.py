"""Saved searches and the dashboard as pages show them."""

from collections.abc import Sequence

from flask import url_for

from livesearch.domain import DigestRhythm, Range, ResultPage, SavedSearch, SavedSearchState, User, collection_label
from livesearch.web.contexts.activity import Activity
from livesearch.web.contexts.saved_searches import (
    DashboardPage,
    RhythmChoice,
    SavedSearchesFragment,
    SavedSearchPage,
    SavedSearchRow,
)
from livesearch.web.parameters import canonical_parameters
from livesearch.web.presenters.accounts import format_moment
from livesearch.web.presenters.addresses import address_of
from livesearch.web.presenters.formats import format_count, format_results, shorten
from livesearch.web.presenters.results import present_rows

_RHYTHMS = {
    DigestRhythm.OFF: "No mails",
    DigestRhythm.DAILY: "Once a day, when something is new",
    DigestRhythm.WEEKLY: "Once a week, when something is new",
}


def present_saved_searches(
    states: Sequence[SavedSearchState], *, can_be_written_to: bool = False
) -> SavedSearchesFragment:
    """One's saved searches, those with news first."""
    total = sum(state.new_count for state in states)
    news = f"{_new(total)} in your saved searches" if total else "Nothing new in your saved searches"
    return SavedSearchesFragment(
        summary=news if states else "",
        has_news=bool(total),
        searches=tuple(_row(state, can_be_written_to=can_be_written_to) for state in states),
    )


def present_dashboard(user: User, shown: SavedSearchesFragment, activity: Activity) -> DashboardPage:
    """The dashboard around them."""
    return DashboardPage(shown.summary, shown.has_news, shown.searches, user_name=user.name, activity=activity)


def present_saved_search(saved: SavedSearch, page: ResultPage) -> SavedSearchPage:
    """What was new in one when it was last opened."""
    count = f"{format_count(page.total)} {'document was' if page.total == 1 else 'documents were'} new"
    shown = f"; the newest {len(page.hits)} are here" if page.total > len(page.hits) else ""
    status = f"{count} when you last looked, {format_moment(saved.seen_at)}{shown}."
    nothing = f"Nothing has been new since {format_moment(saved.created_at)}, when you saved it."
    return SavedSearchPage(
        name=saved.name,
        facts=(page.collection.label, *_conditions(saved)),
        status=status if page.hits else nothing,
        rows=present_rows(page),
        url=_address(saved),
    )


def _row(state: SavedSearchState, *, can_be_written_to: bool) -> SavedSearchRow:
    saved = state.saved
    total = () if state.total is None else (format_results(state.total),)
    return SavedSearchRow(
        id=saved.id,
        name=saved.name,
        address=url_for("saved.change", search_id=saved.id),
        url=_address(saved),
        facts=(collection_label(saved.collection), *_conditions(saved), *total, f"seen {format_moment(saved.seen_at)}"),
        new_label=_new(state.new_count) if state.new_count else "",
        fault=state.fault,
        rhythms=tuple(
            RhythmChoice(rhythm.value, label, is_selected=rhythm is saved.digest)
            for rhythm, label in _RHYTHMS.items()
            if can_be_written_to
        ),
    )


def _address(saved: SavedSearch) -> str:
    return address_of("pages.search", name=saved.collection) + canonical_parameters(saved.query)


def _conditions(saved: SavedSearch) -> tuple[str, ...]:
    """What a search looks for, in words."""
    query = saved.query
    text = (f"“{shorten(query.text.strip())}”",) if query.text.strip() else ()
    filters = (shorten(", ".join(chosen)) for chosen in query.filters.values())
    ranges = (f"{field} {_between(chosen)}" for field, chosen in query.ranges.items())
    return (*text, *filters, *ranges)


def _between(chosen: Range) -> str:
    if chosen.maximum is None:
        return f"from {chosen.minimum}"
    return f"up to {chosen.maximum}" if chosen.minimum is None else f"{chosen.minimum} to {chosen.maximum}"


def _new(count: int) -> str:
    return f"{format_count(count)} new"

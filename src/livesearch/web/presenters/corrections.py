"""What is said about words that were taken otherwise than they were typed, or exactly so."""

from dataclasses import replace

from markupsafe import Markup

from livesearch.domain import ResultPage
from livesearch.search.changes import changed_words
from livesearch.web.contexts import Correction
from livesearch.web.presenters.addresses import search_address
from livesearch.web.presenters.formats import format_changes, shorten, shorten_highlight

# Characters; who pastes a paragraph knows what it says.
_SHOWN_LENGTH = 120


def present_correction(page: ResultPage) -> Correction | None:
    """How the words of a search were taken; None where that was as usual."""
    typed = page.query.text.strip()
    if page.corrected_query:
        changes = shorten_highlight(changed_words(typed, page.corrected_query), _SHOWN_LENGTH)
        return Correction(format_changes(changes), shorten(typed), _url(page, is_verbatim=True))
    if page.query.is_verbatim and typed:
        return Correction(Markup(), shorten(typed), _url(page, is_verbatim=False))
    return None


def announce(page: ResultPage, status: str) -> str:
    """What is read aloud of a result: its status, how the words were taken, and what was left out."""
    sentences, typed = [status], shorten(page.query.text.strip())
    if page.corrected_query:
        sentences.append(f"Searched instead of “{typed}”")
    elif page.query.is_verbatim and typed:
        sentences.append("Searched exactly as typed")
    sentences += [notice.rstrip(".") for notice in page.notices]
    return ". ".join(sentences)


def _url(page: ResultPage, *, is_verbatim: bool) -> str:
    return search_address(page.collection, replace(page.query, page=1, is_verbatim=is_verbatim))

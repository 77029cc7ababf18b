"""What can be done to a shortlist, whoever keeps it."""

import pytest

from livesearch.domain import Place, ShortlistEntry
from livesearch.errors import ConflictError, InvalidInputError, NotFoundError
from livesearch.services.shortlisting import adding, annotating, clearing, merging, moving, removing

A, B, C = (ShortlistEntry(Place("games", key)) for key in "abc")


def test_adding_keeps_a_document_once_and_last() -> None:
    add = adding(A.place, limit=3)

    assert add((B,)) == (B, A)
    assert add((A, B)) == (A, B)


def test_adding_to_a_full_list_says_the_way_out() -> None:
    with pytest.raises(ConflictError, match=r"holds 2 documents. Open it and remove some first. Signed in, .* 500"):
        adding(C.place, limit=2)((A, B))

    # What is there already needs no room.
    assert adding(B.place, limit=2)((A, B)) == (A, B)


@pytest.mark.parametrize(
    ("step", "after"), [(-1, (B, A, C)), (1, (A, C, B)), (-9, (B, A, C)), (9, (A, C, B)), (0, (A, B, C))]
)
def test_moving_ends_at_the_ends(step: int, after: tuple[ShortlistEntry, ...]) -> None:
    assert moving(B.place, step)((A, B, C)) == after


def test_changes_of_what_is_not_kept() -> None:
    assert removing(C.place)((A, B)) == (A, B)
    with pytest.raises(NotFoundError):
        moving(C.place, 1)((A, B))
    with pytest.raises(NotFoundError):
        annotating(C.place, "note")((A, B))


def test_notes_are_one_line_of_some_length() -> None:
    assert annotating(A.place, " two\r\nlines ")((B, A)) == (B, ShortlistEntry(A.place, "two lines"))
    assert annotating(A.place, "")((ShortlistEntry(A.place, "old"),)) == (A,)
    with pytest.raises(InvalidInputError, match="500 characters at most, and this one 501"):
        annotating(A.place, "x" * 501)((A,))


def test_merging_adds_what_is_new_and_loses_nothing() -> None:
    noted = ShortlistEntry(A.place, "mine")

    assert merging([A, C])((noted, B)) == (noted, B, C)
    assert clearing()((A, B)) == ()

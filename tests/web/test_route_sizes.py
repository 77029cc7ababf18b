"""A route parses, calls one service and answers one context: there is no room for more in it."""

import inspect
from collections.abc import Iterator

from livesearch.app import LivesearchApp

# Lines without signature and docstring: a call with an argument a line takes some of them.
LONGEST_BODY = 18
MEDIAN_BODY = 5


def _bodies(app: LivesearchApp) -> Iterator[tuple[int, str]]:
    for endpoint, view in app.view_functions.items():
        source = inspect.getsource(view)
        body = source.partition('"""')[2].partition('"""')[2]
        yield len(body.strip().splitlines()), endpoint


def test_routes_are_short(app: LivesearchApp) -> None:
    lengths = sorted(_bodies(app))

    assert [one for one in lengths if one[0] > LONGEST_BODY] == []
    assert lengths[len(lengths) // 2][0] <= MEDIAN_BODY
    assert lengths[0][0] > 0

"""Which of the documents that a query finds are worth scoring."""

from livesearch.search.matching import Match
from livesearch.search.ordering import Order
from livesearch.search.query import ParsedQuery

# Scored documents a tier, and in all before the next tier is passed over: while a word is being typed, 150 find what
# 1,000 do at a quarter of the cost. Whoever has finished typing looks more closely.
# Of one or two letters nothing but static rank says what is meant; and those that hold most of the words come in the
# order of how much they hold.
BROAD_COUNT, RELAXED_COUNT, CANDIDATE_COUNT, FINISHED_COUNT = 60, 100, 150, 300
# Letters of a beginning that says so little.
_BROAD_LENGTH = 2


def candidate_count(query: ParsedQuery, *, is_relaxed: bool = False) -> int:
    """How many documents of a tier to look at, by how far the query has been typed.

    Args:
        is_relaxed: Whether they are those that hold most of the words, where few hold all.
    """
    if not any(way.is_prefix for clause in query.clauses for way in clause.alternatives):
        return FINISHED_COUNT
    if is_relaxed:
        return RELAXED_COUNT
    is_broad = len(query.clauses) == 1 and len(query.clauses[0].typed.text) <= _BROAD_LENGTH
    return BROAD_COUNT if is_broad else CANDIDATE_COUNT


def candidates(match: Match, order: Order, *, limit: int = CANDIDATE_COUNT) -> list[int]:
    """The documents worth scoring: the first of each tier, best tier first, until there are ``limit``.

    Of a tier that has more, those come first that hold the words as they were typed, then those of higher rank.
    """
    found: list[int] = []
    for tier in filter(None, match.tiers):
        if len(found) >= limit:
            break
        typed = tier if match.literal is None else tier & match.literal
        best = order.best(typed, limit) if typed else []
        if match.literal is not None and len(best) < min(limit, len(tier)):
            best += order.best(tier - match.literal, limit - len(best))
        found += best
    return found

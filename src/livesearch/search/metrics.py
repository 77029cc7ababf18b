"""How good a ranking is, by people's judgments: numbers from 0 (useless) to 1 (ideal)."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from livesearch.errors import InvalidInputError

# A grade by document key: 0 for "not relevant", larger for better. What is missing was not judged.
Grades = Mapping[str, float]

# Hits that are looked at for judged ones. Every metric that stops at k sees at least as many.
JUDGED_DEPTH = 100
# The last rank a metric may ask for: ten pages of hits a query.
_RANK_LIMIT = 1000
_METRIC = re.compile(r"(?P<name>[a-z]+)@(?P<cut>[0-9]{1,4})(?P<judged>:judged)?")


def ndcg(ranking: Sequence[str], grades: Grades, cut: int) -> float:
    """Normalized discounted cumulative gain: are the best documents first?

    The gain of a document is its grade (linear), discounted by ``log2(rank + 1)``; the ideal is made of all that was
    judged for the query, found or not. A document without a judgment gains nothing.

    Args:
        ranking: Keys, best first.
        cut: Ranks that count, from 1.

    Source: Järvelin and Kekäläinen 2002, with the discount of Burges 2005; ``ndcg_cut`` of trec_eval and ``nDCG@k`` of
        ir_measures are computed so. The other usual gain, ``2^grade - 1``, gives other numbers where grades pass 1.
    """
    ideal = _discounted(sorted(grades.values(), reverse=True)[:cut])
    return _discounted(grades.get(key, 0.0) for key in ranking[:cut]) / ideal if ideal else 0.0


def _discounted(gains: Iterable[float]) -> float:
    return sum(max(gain, 0.0) / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))


def reciprocal_rank(ranking: Sequence[str], grades: Grades, cut: int) -> float:
    """1 / the rank of the first relevant document (a grade above 0); 0.0 when none is within the cut."""
    return next((1 / rank for rank, key in enumerate(ranking[:cut], start=1) if grades.get(key, 0.0) > 0), 0.0)


def precision(ranking: Sequence[str], grades: Grades, cut: int) -> float:
    """The share of the first ``cut`` ranks that hold a relevant document; a rank left empty holds none."""
    return _relevant_count(ranking[:cut], grades) / cut


def recall(ranking: Sequence[str], grades: Grades, cut: int) -> float:
    """The share of the relevant documents that is within the first ``cut`` ranks."""
    all_count = _relevant_count(grades, grades)
    return _relevant_count(ranking[:cut], grades) / all_count if all_count else 0.0


def _relevant_count(keys: Iterable[str], grades: Grades) -> int:
    return sum(grades.get(key, 0.0) > 0 for key in keys)


def condense(ranking: Iterable[str], grades: Grades) -> list[str]:
    """The ranking without what nobody judged: a good new hit does not count as a bad one.

    Source: Sakai 2007, "Alternatives to bpref" (condensed lists).
    """
    return [key for key in ranking if key in grades]


def beginnings(text: str) -> list[str]:
    """What stands in the search box after each keystroke, the last being the text; blanks around it are not typed."""
    typed = text.strip()
    return [typed[:length] for length in range(1, len(typed) + 1)]


_MEASURES: Mapping[str, Callable[[Sequence[str], Grades, int], float]] = {
    "ndcg": ndcg,
    "mrr": reciprocal_rank,
    "p": precision,
    "recall": recall,
}


@dataclass(frozen=True, slots=True)
class Metric:
    """A measure, the ranks it looks at, and whether hits without a judgment are taken out first."""

    measure: str
    cut: int
    is_judged_only: bool = False

    @property
    def name(self) -> str:
        """As people write it: ``ndcg@10``, ``ndcg@10:judged``."""
        return f"{self.measure}@{self.cut}{':judged' if self.is_judged_only else ''}"

    @property
    def depth(self) -> int:
        """Hits it wants to see."""
        return max(self.cut, JUDGED_DEPTH) if self.is_judged_only else self.cut

    def value(self, ranking: Sequence[str], grades: Grades) -> float:
        """How good the ranking is, 0.0 to 1.0; its first ``depth`` keys are looked at."""
        seen = ranking[: self.depth]
        return _MEASURES[self.measure](condense(seen, grades) if self.is_judged_only else seen, grades, self.cut)


def parse_metric(text: str) -> Metric:
    """Read a metric's name.

    Raises:
        InvalidInputError: It is none, or its rank is not 1 to 1000.
    """
    found = _METRIC.fullmatch(text.strip().lower())
    if found is None or found["name"] not in _MEASURES or not 1 <= int(found["cut"]) <= _RANK_LIMIT:
        raise InvalidInputError(
            f"“{text}” is no metric. Those there are: {', '.join(f'{name}@K' for name in _MEASURES)}, with K from 1 to"
            f" {_RANK_LIMIT}, as ndcg@10; add :judged to leave hits out that nobody judged, as ndcg@10:judged."
        )
    return Metric(found["name"], int(found["cut"]), found["judged"] is not None)

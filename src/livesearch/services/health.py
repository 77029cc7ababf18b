"""Whether requests can be answered."""

from dataclasses import dataclass

from livesearch.errors import LivesearchError
from livesearch.services.transactions import Transactions


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the site can answer, and what keeps it from it, in words for the operator."""

    is_ready: bool
    problems: tuple[str, ...] = ()


class HealthService:
    """Looks whether the store answers and its schema is current."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def check(self) -> Readiness:
        """Ask the store; never raises for a store that fails."""
        try:
            # Out of turn: a site with much to do is no less ready.
            async with self._transactions.database.time_limit(), self._transactions.read(is_limited=False):
                return Readiness(is_ready=True)
        except LivesearchError as error:
            return Readiness(is_ready=False, problems=(str(error),))

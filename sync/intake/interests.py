"""Who wants to hear of which business event: flows by the rules of each market. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple


class Interest(NamedTuple):
    """A flow of a market that wants to hear of an event."""

    company: str
    event: str
    flow: str
    market: str


class Interests:
    """All of them; companies and events compare as the ERP compares them, without letter case.

    Args:
        companies: The companies of all markets, whether or not somebody wants to hear of them.
        interests: Who wants to hear of what.
    """

    def __init__(self, companies: Iterable[str], interests: Iterable[Interest]) -> None:
        self._companies = {each.casefold() for each in companies}
        self._interests = tuple(interests)

    def knows(self, company: str) -> bool:
        """Return whether a market is of this company; of none (an event of all) each is."""
        return not company or company.casefold() in self._companies

    def of(self, event: str, company: str) -> Mapping[str, Sequence[str]]:
        """Return the markets to look for, by flow."""
        found: dict[str, list[str]] = {}
        for each in self._interests:
            is_its = not company or each.company.casefold() == company.casefold()
            if is_its and each.event.casefold() == event.casefold():
                found.setdefault(each.flow, []).append(each.market)
        return found

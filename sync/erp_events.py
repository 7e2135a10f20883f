"""What the ERP told of: a reason to look sooner, of which nothing is believed but where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ErpEvent:
    """A business event of F&O's, as a flow hears of it.

    Attributes:
        name: Its `BusinessEventId`.
        markets: The markets that it is for, of those that have the flow on.
        members: What else it says in texts, such as an item's number, under the names of its
            contract. They say what to read; nothing of them is data.
    """

    name: str
    markets: Sequence[str]
    members: Mapping[str, str]

    def told(self, members: Mapping[str, str]) -> str:
        """Return what it says under the member of its contract; empty where it says nothing.

        Args:
            members: The member by the names of events, in whatever spelling.
        """
        by_name = {name.casefold(): member for name, member in members.items()}
        return self.members.get(by_name.get(self.name.casefold(), ""), "")

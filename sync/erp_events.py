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

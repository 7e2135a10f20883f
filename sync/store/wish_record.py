"""What is kept of a field that another system should hold: what was written, and what became of it.

Values are kept as digests, since they may be a customer's.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Place:
    """A field that is written, so that all its writes are found again.

    Attributes:
        system: Where it is, such as "magento".
        document: Of what, for people too, such as "customer 7".
        field: Its name there, alike for all documents of a kind.
    """

    system: str
    document: str
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WishRecord:
    """The last write of one place.

    Attributes:
        value: Digest of what was written.
        seen: Digest of what stood there before.
        is_taken: Whether it was found there afterwards; None while nobody has looked.
        times: How often this value was written over this one, one day at most between two.
        hour_began_at: When the writes of `in_hour` began.
        in_hour: Writes of any value since then.
        written_at: When it was written.
        text: What is wrong with it; empty while nothing is known to be.
        advice: What to do about it.
    """

    place: Place
    value: str
    seen: str
    is_taken: bool | None
    times: int
    hour_began_at: datetime
    in_hour: int
    written_at: datetime
    text: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsettled:
    """A field that does not become what it should, for as many documents of a market."""

    market: str
    system: str
    field: str
    documents: int
    example: str
    text: str
    advice: str

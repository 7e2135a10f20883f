"""What is kept of an order of ours in the ERP for as long as it may move there."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSeen:
    """How an order was when it was last looked at.

    Attributes:
        status: How far it was; empty while nobody has looked.
        ships_on: The day on which it is to ship, as far as the ERP confirmed one.
        lines: What tells its lines from what they were; empty while nobody has looked.
        steps: How many steps of it were told.
    """

    status: str = ""
    ships_on: date | None = None
    lines: str = ""
    steps: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedRecord:
    """An order of the shop that is in the ERP.

    Attributes:
        order_id: The shop's id of it.
        number: What people call it.
        erp_number: The ERP's number of it.
        since: From when on it is watched.
        due_at: When it is to be looked at; None for never.
        seen: How it was when it was last looked at.
    """

    order_id: int
    number: str
    erp_number: str
    since: datetime
    due_at: datetime | None = None
    seen: OrderSeen = OrderSeen()


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLook:
    """What a look at an order found.

    Attributes:
        order: As it was before.
        seen: How it is.
        due_at: When to look again; None for never.
    """

    order: WatchedRecord
    seen: OrderSeen
    due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchState:
    """How well one market's orders are watched.

    Attributes:
        moving: Orders whose header is followed.
        due: How many of them are due to be looked at.
        behind: For how long the one that is due longest has been so.
    """

    market: str
    moving: int
    due: int
    behind: timedelta

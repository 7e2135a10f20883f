"""What is kept of an order of ours in the ERP for as long as it may move there."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedRecord:
    """An order of the shop that is in the ERP.

    Attributes:
        order_id: The shop's id of it.
        number: What people call it.
        erp_number: The ERP's number of it.
        status: How far it was when it was last looked at; empty while nobody has looked.
        since: From when on it is watched.
    """

    order_id: int
    number: str
    erp_number: str
    status: str
    since: datetime

"""What Magento tells of the operations of a bulk, under its own field names."""

import json
from decimal import Decimal
from enum import IntEnum
from typing import Annotated, Any

from sync.magento.fault_messages import ShopFault, for_people, read_fault
from sync.magento.wire_types import Rows, ShopModel, Text


class OperationState(IntEnum):
    """How far an operation has come."""

    COMPLETE = 1
    PASSING = 2
    """Failed for a reason that passes: a deadlock, a lost connection."""
    FAILED = 3
    OPEN = 4
    REJECTED = 5


class BulkOperation(ShopModel):
    """One row of a bulk; `id` is its place in the list that was sent."""

    id: int
    status: OperationState
    result_message: Text = ""
    result_serialized_data: Text = ""

    @property
    def result(self) -> Any:
        """What the route would have answered; None while it is open, or where it failed."""
        try:
            return json.loads(self.result_serialized_data, parse_float=Decimal)
        except ValueError:
            return None

    @property
    def words(self) -> str:
        """What the shop says of it, for people; empty where that is nothing."""
        return for_people(self.result_message)

    @property
    def passes(self) -> bool:
        """Whether it failed for a reason that passes, whatever its state says of that.

        The route has wrapped the database's error, by which its state would say so.
        """
        told = ShopFault(self.result_message, {})
        return told.passes or told.asks_again

    @property
    def row_faults(self) -> tuple[ShopFault, ...]:
        """What was refused although the operation is complete: batch routes tell it as a result."""
        rows = self.result
        if not isinstance(rows, list):
            return ()
        return tuple(fault for row in rows if (fault := read_fault(row)) is not None)


class BulkStatus(ShopModel):
    """A bulk; the order of its operations is not fixed."""

    operations_list: Annotated[tuple[BulkOperation, ...], Rows] = ()


class BulkReceipt(ShopModel):
    """The answer to a bulk that was taken; nothing of it is done yet."""

    bulk_uuid: str

"""Count the ERP's returns of each order of the shop, by the rows that they take back. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]


def count_returns(
    orders: Sequence[Row], documents: Sequence[Row], returns: Sequence[Row]
) -> Counter[int]:
    """Return how many returns take back lines of each order, by its `entity_id`.

    Args:
        orders: The shop's, as its judges are shown them.
        documents: The ERP's orders.
        returns: The ERP's returns.
    """
    owners = {str(row): order["entity_id"] for order in orders for row in order["item_ids"]}
    of_lot = {
        line["InventoryLotId"]: owners.get(line.get("OrderLineReference", "").rpartition("-")[2])
        for document in documents
        for line in document["lines"]
    }
    counted: Counter[int] = Counter()
    for each in returns:
        lots = (line.get("ReturningInventoryLotId", "") for line in each["lines"])
        counted.update({owner for lot in lots if (owner := of_lot.get(lot)) is not None})
    return counted

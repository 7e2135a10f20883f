"""Save an order's number, or a comment on it, as Magento does: with all of it as it was read.

Documents lock the order for each other; these saves do not. What a document that is saved meanwhile
wrote of the order's rows and payment is undone, while the document and the order's own sums stay.
"""

import asyncio
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from pricing_proxy.sandbox.shop.reading import Call

_NONE = 0


def named_order(call: Call) -> int:
    """Return the order that a saved entity names; 0 where it names none."""
    entity = call.body.get("entity")
    number = entity.get("entity_id") if isinstance(entity, dict) else None
    return number if isinstance(number, int) else _NONE


async def saved_whole(call: Call, order_id: int, save: Callable[[], Any]) -> Any:
    """Save something of an order after the time that it takes, and return what is answered.

    Raises:
        RefusedError: It is refused; then nothing is written back.
    """
    milliseconds, order = call.shop.dials.order_save_ms, call.shop.orders.get(order_id)
    if not milliseconds or order is None:
        return save()
    rows = {item["item_id"]: deepcopy(item) for item in order["items"]}
    payment = deepcopy(order["payment"])
    await asyncio.sleep(milliseconds / 1000)
    answer = save()
    for item in order["items"]:
        as_read = rows[item["item_id"]]
        item.clear()
        item.update(as_read)
    order["payment"] = payment
    return answer

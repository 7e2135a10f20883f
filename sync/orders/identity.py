"""Read the order that an event is about: by the shop's internal id, whatever its number.

Events of older versions may know the number only, which several store views can have. Such
an event is given its order where exactly one fits, and held where several do; nothing is done
for it before it has that order's lock.
"""

from collections.abc import Collection

from sync.engine.flow import Work
from sync.engine.outcomes import HeldError, IdentifiedError
from sync.magento.order_models import Order
from sync.orders.ports import ShopOrders
from sync.sales.references import named


async def order_of(work: Work, shop: ShopOrders, *, stores: Collection[int]) -> Order:
    """Return the event's order as it is in the shop now.

    Args:
        work: The event at work.
        shop: The shop.
        stores: The store views of its market.

    Raises:
        HeldError: There is none, or several, or it is not what it was.
        IdentifiedError: The event is this order's, as is known only now.
    """
    number, document_id = work.event.business_key, work.event.document_id
    if document_id is None:
        raise IdentifiedError(str(await _entity_id(work, shop, stores)))
    order = await shop.order(int(document_id))
    if order is None:
        raise HeldError(
            field="entity_id",
            text=f"the shop has no order {number} (#{document_id})",
            advice="skip the event when the order was deleted on purpose",
        )
    if order.increment_id != number:
        raise HeldError(
            field="increment_id",
            text=f"order #{document_id} was {number} and is {order.increment_id} now",
            advice="find out which order the shop means; enter it by hand and skip the event",
        )
    if order.store_id not in stores:
        market = work.event.market
        raise HeldError(
            field="store_id",
            text=f"store view {order.store_id} does not belong to {market}",
            advice=f"add it to sync.markets.{market}.store_ids, then replay",
        )
    return order


async def _entity_id(work: Work, shop: ShopOrders, stores: Collection[int]) -> int:
    number, told = work.event.business_key, work.event.payload.get("entity_id")
    orders = await shop.orders_numbered([number])
    # The shop finds other spellings of it too.
    fitting = [one for one in orders if one.increment_id == number and one.store_id in stores]
    meant = [order for order in fitting if str(order.entity_id) == str(told)] or fitting
    if not meant:
        raise HeldError(
            field="increment_id",
            text=f"the shop has no order {number} in a store view of {work.event.market}",
            advice="skip the event when the order was deleted on purpose",
        )
    if len(meant) > 1:
        raise HeldError(
            field="increment_id",
            text=f"several orders have this number: {', '.join(map(named, meant))}",
            advice=f'write the id of the one that is meant into the payload, as {{"entity_id": '
            f"{meant[0].entity_id}}}, with: d365-sync edit {work.event.id} FILE; then replay",
        )
    return meant[0].entity_id

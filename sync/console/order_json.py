"""An order's story for programs: what names and numbers its documents, no customer data. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from sync.console.order_story import ErpOrder, OrderStory

_SHOP = frozenset(
    {
        "entity_id",
        "increment_id",
        "store_id",
        "state",
        "status",
        "ext_order_id",
        "created_at",
        "updated_at",
        "grand_total",
        "tax_amount",
        "order_currency_code",
    }
)
_HEADER = frozenset(
    {
        "dataAreaId",
        "SalesOrderNumber",
        "OrderingCustomerAccountNumber",
        "CurrencyCode",
        "IsSalesProcessingStopped",
        "SalesOrderStatus",
    }
)
_LINE = frozenset(
    {
        "OrderLineReference",
        "ItemNumber",
        "OrderedSalesQuantity",
        "SalesUnitSymbol",
        "SalesPrice",
        "LineAmount",
        "SalesOrderLineStatus",
    }
)


def order_members(number: str, stories: Sequence[OrderStory]) -> Mapping[str, Any]:
    """Return the stories' members, ready for `as_json`; numbers are texts, exactly as they came.

    Of one order its members; of several, or none, those of each under "orders".
    """
    if len(stories) == 1:
        return _story(stories[0])
    return {"number": number, "orders": [_story(story) for story in stories]}


def _story(story: OrderStory) -> Mapping[str, Any]:
    return {
        "number": story.number,
        "entity_id": story.entity_id,
        "market": story.market,
        "shop": None if story.order is None else _chosen(story.order, _SHOP),
        "erp": {market: [_erp(each) for each in orders] for market, orders in story.erp.items()},
        "events": story.events,
        "came_back": story.came_back,
        "silent": story.silent,
    }


def _erp(order: ErpOrder) -> dict[str, Any]:
    totals = None if order.totals is None else order.totals.model_dump()
    lines = [_chosen(line, _LINE) for line in order.lines]
    return {
        **_chosen(order.header, _HEADER),
        "totals": totals,
        "lines": lines,
        "is_anothers": order.is_anothers,
    }


def _chosen(document: BaseModel, members: frozenset[str]) -> dict[str, Any]:
    return document.model_dump(include=set(members))

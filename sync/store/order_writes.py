"""What the journal says of an order's lines: when the ERP was told of each, and what of it stands.

Orders write these entries; stock asks for them, to know whose demand was in what it has read.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.store import statements
from sync.store.states import EventState
from sync.store.tables import entity_map, sync_attempt, sync_event

ORDERS, ADD_LINE, DELETE_ORDER = "orders", "order line create", "order header delete"
"""The flow, and the operations that put a line into the ERP and take an order out of it."""
NUMBER, REFERENCE = "SalesOrderNumber", "OrderLineReference"
"""Members of what is sent with them."""
ORDER_LINK = "order"
"""The kind of link that an order has once all of it is in the ERP and was read back."""
CANCEL_LINK = "cancelled in the ERP"
"""The kind of link that an order has which was cancelled in the shop since the ERP did so."""
LINE_LINK = "changed in the ERP"
"""The kind of link that a line's reference has to the quantity that the ERP goes on with."""
_DONE = 200

_EVENT, _CALL, _LINK = sync_event.c, sync_attempt.c, entity_map.c


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderWrite:
    """A call that changed, or may have changed, what the ERP has of an order.

    Attributes:
        is_deletion: Whether it took the whole order out again; else it added a line.
        number: The ERP's number of the order.
        reference: The line's.
        sent_at: When it was sent.
        done_at: When it was acknowledged; None while it is in doubt.
    """

    is_deletion: bool
    number: str
    reference: str
    sent_at: datetime
    done_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTrace:
    """What is known of an order.

    Attributes:
        writes: The calls, those that were refused left out.
        whole_since: When it first ended as done, with all its lines read back; None until then.
    """

    writes: tuple[OrderWrite, ...] = field(default=())
    whole_since: datetime | None = None


class OrderWrites:
    """Reads the journal of orders.

    Args:
        database: Where it is kept.
    """

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def of(self, orders: Collection[int]) -> Mapping[int, OrderTrace]:
        """Return what is known of some orders; of others there is no trace."""
        ids = [str(order) for order in orders]
        if not ids:
            return {}
        whole = await self._whole(ids)
        writes: dict[int, list[OrderWrite]] = {order: [] for order in whole}
        for row in await statements.rows(self._database, _writes_of(ids)):
            writes.setdefault(int(row.document_id), []).append(
                OrderWrite(
                    is_deletion=row.operation == DELETE_ORDER,
                    number=row.number or "",
                    reference=row.reference or "",
                    sent_at=row.sent_at,
                    done_at=row.acked_at,
                )
            )
        return {
            order: OrderTrace(writes=tuple(each), whole_since=whole.get(order))
            for order, each in writes.items()
        }

    async def _whole(self, ids: Collection[str]) -> dict[int, datetime]:
        is_its = and_(
            _LINK.market == _EVENT.market,
            _LINK.kind == ORDER_LINK,
            _LINK.magento_id == _EVENT.document_id,
        )
        statement = (
            select(_EVENT.document_id, func.min(_EVENT.ended_at))
            .join_from(sync_event, entity_map, is_its)
            .where(
                _EVENT.flow == ORDERS,
                _EVENT.document_id.in_(ids),
                _EVENT.state == EventState.DONE,
            )
            .group_by(_EVENT.document_id)
        )
        return {int(row[0]): row[1] for row in await statements.rows(self._database, statement)}


def _writes_of(ids: Collection[str]) -> Select[Any]:
    request = _CALL.request
    return (
        select(
            _EVENT.document_id,
            _CALL.operation,
            request[NUMBER].astext.label("number"),
            request[REFERENCE].astext.label("reference"),
            _CALL.sent_at,
            _CALL.acked_at,
        )
        .join_from(sync_attempt, sync_event, _EVENT.id == _CALL.event_id)
        .where(
            _EVENT.flow == ORDERS,
            _EVENT.document_id.in_(ids),
            _CALL.operation.in_([ADD_LINE, DELETE_ORDER]),
            # What was refused, or never left, did not happen.
            (_CALL.acked_at.is_(None)) | (_CALL.status == _DONE),
        )
        .order_by(_CALL.id)
    )

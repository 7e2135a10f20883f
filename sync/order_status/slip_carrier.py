"""A packing slip of the ERP becomes shipments of the shop, one for each source that it left."""

from collections.abc import Mapping, Sequence

from pricing_proxy.d365.fo.slip_models import PackingSlipLineRow
from pricing_proxy.names import is_same_name, same_name_key
from sync.engine.flow import Work
from sync.engine.outcomes import Caution, Difference, Done, HeldError, RetryLaterError
from sync.engine.refusals import named
from sync.engine.writes import Doubts
from sync.order_status.facts import Fact
from sync.order_status.mapping import SlipDraft, SlipLine, map_slip
from sync.order_status.ports import ErpSlips
from sync.order_status.shipping import UNSHIPPED_ADVICE, ShipmentWriter, ToShip
from sync.order_status.shop_order import ShopOrderReader
from sync.order_status.slips import SlipKey

_NOTHING = SlipDraft(sources={}, unknown=(), unmapped=())


class SlipCarrier:
    """Carries the slips of one market.

    Args:
        erp: The market's.
        orders: The shop's orders.
        shipping: Ships.
        warehouses: The source that each fills, by what all spellings of it share.
        market: Its code.
    """

    def __init__(
        self,
        erp: ErpSlips,
        *,
        orders: ShopOrderReader,
        shipping: ShipmentWriter,
        warehouses: Mapping[str, str],
        market: str,
    ) -> None:
        self._erp = erp
        self._orders = orders
        self._shipping = shipping
        self._warehouses = warehouses
        self._market = market

    async def carry(self, work: Work, fact: Fact) -> Done:
        """Ship a slip; raises the engine's outcomes and `UpstreamError`."""
        # Before anything is looked up: what may have arrived since then is still in doubt.
        doubts = await Doubts.of(work)
        draft = await self._draft(work, fact)
        notes: list[str] = []
        missing: list[Difference] = []
        await self._check_none_is_gone(fact, draft)
        for source, delivery in sorted(draft.sources.items()):
            wanted = ToShip(
                order_id=fact.order_id, slip=fact.slip, source=source, delivery=delivery
            )
            shipped = await self._shipping.ship(work, wanted, doubts)
            notes.append(f"{shipped.note} from {source}" if source else shipped.note)
            missing += shipped.missing
        return Done(
            f"slip {fact.slip.number}: {'; '.join(notes) or 'nothing that the shop ships'}",
            _caution(fact.slip, draft, missing),
        )

    async def _check_none_is_gone(self, fact: Fact, draft: SlipDraft) -> None:
        """Hold a slip of which there is a shipment from a source that it has nothing of."""
        if draft.sources:
            return
        for shipment in await self._shipping.of_slip(fact.order_id, fact.slip):
            raise HeldError(
                field="Qty",
                text=f"shipment {shipment.increment_id} was made of a slip that delivers nothing "
                "now: it was corrected, cancelled or deleted",
                advice=UNSHIPPED_ADVICE,
            )

    async def _draft(self, work: Work, fact: Fact) -> SlipDraft:
        slip = fact.slip
        order = await self._orders.of(work, fact.order_id)
        with named("read the order's packing slips", {"SalesId": slip.order}):
            rows = await self._erp.slips_of(slip.company, [slip.order])
        own = [row for row in rows if _is_of(row, slip)]
        if not own and fact.is_gone:
            return _NOTHING
        if not own:
            raise RetryLaterError(f"the ERP shows no line of slip {slip.number} yet")
        lines = await self._lines(slip)
        heads = await self._erp.heads_of(slip.company, own[0].SalesId, slip.number)
        usual = next((each.inventLocationId for each in heads if each.DeliveryDate == slip.day), "")
        draft = map_slip(
            [_line(row, lines, usual) for row in own],
            [_line(row, lines, usual) for row in rows],
            order,
            warehouses=self._warehouses,
        )
        if draft.unmapped:
            raise HeldError(
                field="ShippingWarehouseId",
                text=f"warehouse {', '.join(sorted(set(draft.unmapped)))} fills no source",
                advice=f"add it to sync.markets.{self._market}.stock.sources, then replay",
            )
        if draft.unknown and not draft.sources:
            raise HeldError(
                field="InventTransId",
                text=f"no line of slip {slip.number} is a row of the shop's order: "
                f"{', '.join(draft.unknown)}",
                advice="ship by hand in the shop what the customer gets; then skip the event",
            )
        return draft

    async def _lines(self, slip: SlipKey) -> Mapping[str, tuple[str, str]]:
        """Return the reference and the warehouse of each lot."""
        with named("read the order's lines", {"SalesOrderNumber": slip.order}):
            found = await self._erp.lines_of(slip.company, slip.order)
        return {
            same_name_key(row.InventoryLotId): (row.OrderLineReference, row.ShippingWarehouseId)
            for row in found
        }


def _is_of(row: PackingSlipLineRow, slip: SlipKey) -> bool:
    return is_same_name(row.PackingSlipId, slip.number) and row.DeliveryDate == slip.day


def _line(row: PackingSlipLineRow, lines: Mapping[str, tuple[str, str]], usual: str) -> SlipLine:
    reference, warehouse = lines.get(same_name_key(row.InventTransId), ("", ""))
    return SlipLine(
        lot=row.InventTransId,
        reference=reference,
        warehouse=warehouse or usual,
        quantity=row.Qty.value,
    )


def _caution(slip: SlipKey, draft: SlipDraft, missing: Sequence[Difference]) -> Caution | None:
    if missing:
        return Caution(
            field="Qty",
            text=f"slip {slip.number} delivered more than was left to ship in the shop",
            advice="see what the customer was sent, and settle it by hand",
            diff=missing,
        )
    if draft.unknown:
        return Caution(
            field="InventTransId",
            text=f"slip {slip.number} has lines that are no rows of the shop's order: "
            f"{', '.join(draft.unknown)}",
            advice="tell the customer by hand of what was added in the ERP",
        )
    return None

"""What came back of an order into the shop, for whoever looks: shipments, parcels, comments. Pure.

Comments are shown where they have our mark; what somebody wrote by hand is theirs.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from sync.description import CameBack
from sync.magento.order_models import Order
from sync.magento.order_notes import OrderComment
from sync.magento.shipment_models import Shipment
from sync.magento.shop import Shop

# The ERP's number of the order, and the event's; see `notes`.
_MARKED = re.compile(r"^(?P<text>.*) \[[^\[\]]+/\d+[a-z]?\]$", re.DOTALL)
# company, order, slip, day, source; see `slips`.
_SLIP = re.compile(r"^[^/]+/[^/]+/(?P<slip>.+)/(?P<day>\d{4}-\d\d-\d\d)/(?P<source>[^/]*)$")


async def came_back(shop: Shop, order: Order) -> Sequence[CameBack]:
    """Return what stands on an order of the shop; raises `UpstreamError`."""
    shipments = await shop.shipments.shipments_of(order.entity_id)
    comments = await shop.order_notes.comments_of(order.entity_id)
    return [*_shipped(shipments, order), *_told(comments), *_cancelled(order)]


def _shipped(shipments: Iterable[Shipment], order: Order) -> Iterator[CameBack]:
    names = {row.item_id: row.sku for row in order.items}
    for shipment in shipments:
        lines = (
            f"{line.qty.normalize():f} x {names.get(line.order_item_id, line.order_item_id)}"
            for line in shipment.items
            if line.qty
        )
        slips = [found for each in shipment.comments if (found := _SLIP.match(each.comment))]
        of = f"slip {slips[0]['slip']} of {slips[0]['day']}" if slips else "by hand"
        source = f" from {shipment.source}" if shipment.source else ""
        yield CameBack(
            what="shipment",
            name=shipment.increment_id,
            at=shipment.created_at,
            text=f"{', '.join(lines)}{source}; {of}",
        )
        for track in shipment.tracks:
            yield CameBack(
                what="parcel",
                name=track.track_number,
                at=track.created_at,
                text=f"{track.carrier_code}, on shipment {shipment.increment_id}",
            )


def _told(comments: Iterable[OrderComment]) -> Iterator[CameBack]:
    for comment in comments:
        if (found := _MARKED.match(comment.comment)) is not None:
            seen = "customers see it" if comment.is_visible_on_front else "customers do not see it"
            yield CameBack(
                what="comment",
                name=comment.status,
                at=comment.created_at,
                text=f"{found['text']} ({seen})",
            )


def _cancelled(order: Order) -> Iterator[CameBack]:
    for row in order.items:
        if row.qty_canceled:
            text = f"{row.qty_canceled.normalize():f} of {row.qty_ordered.normalize():f}"
            yield CameBack(what="cancelled", name=row.sku, at=None, text=text)

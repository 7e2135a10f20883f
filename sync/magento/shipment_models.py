"""Shipments of Magento, under its own field names."""

from decimal import Decimal
from typing import Annotated

from sync.magento.document_bodies import Comments
from sync.magento.wire_types import Amount, InstantOrNone, Members, Number, Rows, ShopModel, Text


class ShippedLine(ShopModel):
    """A line of a shipment; also of parts that only follow their bundle."""

    order_item_id: int
    qty: Amount = Decimal(0)


class Track(ShopModel):
    """A parcel's number."""

    track_number: Text = ""
    carrier_code: Text = ""
    created_at: InstantOrNone = None


class ShipmentExtension(ShopModel):
    """Which source it left from."""

    source_code: Text = ""


class Shipment(ShopModel):
    """A shipment; Magento repeats one gladly, so its mark is looked for first."""

    entity_id: int
    increment_id: Number
    order_id: int
    created_at: InstantOrNone = None
    items: Annotated[tuple[ShippedLine, ...], Rows] = ()
    tracks: Annotated[tuple[Track, ...], Rows] = ()
    comments: Comments = ()
    extension_attributes: Annotated[ShipmentExtension, Members] = ShipmentExtension()

    @property
    def source(self) -> str:
        """The code of the source that it left from."""
        return self.extension_attributes.source_code

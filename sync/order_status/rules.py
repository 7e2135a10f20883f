"""What a market's configuration says about the way of its orders back into the shop."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field

from pricing_proxy.configuration.environments import MODEL

FLOW = "order_status"

CarrierCode = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,32}$")]


class Carrier(BaseModel):
    """Who carries parcels.

    Attributes:
        code: The shop's code of the carrier, such as "dhl"; "custom" for one it has none of.
        title: What customers read.
    """

    model_config = MODEL

    code: CarrierCode
    title: Annotated[str, Field(min_length=1, max_length=255)]


class OrderStatusRules(BaseModel):
    """How what the ERP does with orders comes back into the shop.

    Which source of the shop a warehouse fills stands in the market's section `stock`, whether or
    not that flow is on; without it the shop has one source alone.

    Attributes:
        start_at: Packing slips that were posted earlier are not brought over; by default those
            from before the flow's first look.
        carriers: Who carries parcels, by the ERP's carrier, or by its mode of delivery where a slip
            names no carrier.
        events: Business events of the ERP that say that an order moved, by the names that whoever
            set them up there gave them; with the contract's member that holds the order's number,
            such as {"SalesInvoicePostedBusinessEvent": "SalesOrderId"}.
        reads_a_minute: Requests to the ERP, at most; orders are looked at more rarely before more
            are made.
    """

    model_config = MODEL

    start_at: AwareDatetime | None = None
    carriers: dict[str, Carrier] = {}
    events: dict[str, str] = {}
    reads_a_minute: Annotated[int, Field(ge=5, le=6000)] = 60

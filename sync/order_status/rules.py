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


class Notice(BaseModel):
    """What the shop is told of an order when it comes to a status of the ERP.

    Attributes:
        comment: Written on the order; empty for none.
        is_visible: Whether the customer sees it, in the language that it is written in.
        status: The shop's status that the order is given, one of those that its state may have.
    """

    model_config = MODEL

    comment: Annotated[str, Field(max_length=1000)] = ""
    is_visible: bool = False
    status: Annotated[str, Field(pattern=r"^[a-z0-9_]{0,32}$")] = ""


class ShipDateNotice(BaseModel):
    """What the shop is told of an order when the ERP confirms another day of shipping.

    Attributes:
        comment: Written on the order, "{date}" standing for the day; empty for none.
        is_visible: Whether the customer sees it.
        date_format: How the day is written, such as "%d.%m.%Y".
    """

    model_config = MODEL

    comment: Annotated[str, Field(max_length=1000)] = "To be shipped on {date}."
    is_visible: bool = False
    date_format: Annotated[str, Field(min_length=2, max_length=40)] = "%Y-%m-%d"


class OrderStatusRules(BaseModel):
    """How what the ERP does with orders comes back into the shop.

    Which source of the shop a warehouse fills stands in the market's section `stock`, whether or
    not that flow is on; without it the shop has one source alone.

    Attributes:
        start_at: What happened to orders earlier is not brought over; by default what happened
            before the flow's first look.
        carriers: Who carries parcels, by the ERP's carrier, or by its mode of delivery where a slip
            names no carrier.
        progress: What is told of orders, by the ERP's `SalesOrderProcessingStatus`; beside
            "Confirmed", "Picked" and "Canceled", of which a comment that no customer sees is
            written where nothing stands here.
        ship_date: What is told of the confirmed day of shipping.
        events: Business events of the ERP that say that an order moved, by the names that whoever
            set them up there gave them; with the contract's member that holds the order's number,
            such as {"SalesInvoicePostedBusinessEvent": "SalesOrderId"}.
        reads_a_minute: Requests to the ERP, at most; orders are looked at more rarely before more
            are made.
    """

    model_config = MODEL

    start_at: AwareDatetime | None = None
    carriers: dict[str, Carrier] = {}
    progress: dict[str, Notice] = {}
    ship_date: ShipDateNotice = ShipDateNotice()
    events: dict[str, str] = {}
    reads_a_minute: Annotated[int, Field(ge=5, le=6000)] = 120

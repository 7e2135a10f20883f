"""What a market's configuration says about returns."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from pricing_proxy.configuration.cross_checks import table
from pricing_proxy.configuration.environments import MODEL
from pricing_proxy.configuration.mistakes import Mistake
from pricing_proxy.names import is_same_name
from sync.engine.erp_texts import Code

FLOW = "returns"


class ReturnRules(BaseModel):
    """How what the shop refunds becomes return orders.

    Attributes:
        reason: `CustomerReturnReasonCode` of the header.
        disposition: `ReturnDispositionCode` of the lines; the ERP's default when left out.
        site: Where the goods come back to.
        warehouse: Likewise.
        undelivered: Whether goods that the ERP has not delivered yet are sent, or hold the return:
            then the order is to be reduced instead.
        adjustment_item: Service item for refunds without goods; they are held without it.
        fee_item: Service item for what is kept back, as a restocking fee: its line has a price
            below zero, which your ERP has to allow. Held without it.
        credits: Whether what goes back to gift cards, store credit and points counts as paid back,
            or holds the return.
        price_decimals: Decimals that the ERP keeps of a price.
        price_unit: For how many pieces the price of a return's line is, as the ERP has no field for
            it: for one, or for as many as that of the order's line that it takes back.
        line_tolerance: How far a line's net amount may differ in the ERP.
        tolerance: How far the return's net may differ from the credit memo's.
    """

    model_config = MODEL

    reason: Code | None = None
    disposition: Code | None = None
    site: Code | None = None
    warehouse: Code | None = None
    undelivered: Literal["hold", "send"] = "hold"
    adjustment_item: Code | None = None
    fee_item: Code | None = None
    credits: Literal["payment", "hold"] = "hold"
    price_decimals: Annotated[int, Field(ge=2, le=6)] = 4
    price_unit: Literal["one", "order_line"] = "one"
    line_tolerance: Annotated[Decimal, Field(ge=0, le=10)] = Decimal("0.01")
    tolerance: Annotated[Decimal, Field(ge=0, le=10)] = Decimal("0.02")


def mistakes(document: Mapping[str, Any], market: str) -> Iterator[Mistake]:
    """Find two lines of a return that nobody could tell apart."""
    own = table(document, "sync", "markets", market, FLOW)
    item, fee = own.get("adjustment_item"), own.get("fee_item")
    if isinstance(item, str) and isinstance(fee, str) and is_same_name(item, fee):
        where = f"sync.markets.{market}.returns.fee_item"
        yield Mistake(where, "expected another item than adjustment_item", fee)

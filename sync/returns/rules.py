"""What a market's configuration says about returns."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from pricing_proxy.configuration.environments import MODEL
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
    price_decimals: Annotated[int, Field(ge=2, le=6)] = 4
    price_unit: Literal["one", "order_line"] = "one"
    line_tolerance: Annotated[Decimal, Field(ge=0, le=10)] = Decimal("0.01")
    tolerance: Annotated[Decimal, Field(ge=0, le=10)] = Decimal("0.02")

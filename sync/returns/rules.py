"""What a market's configuration says about returns."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MODEL = ConfigDict(frozen=True, extra="forbid")
Code = Annotated[str, Field(min_length=1, max_length=60)]


class ReturnRules(BaseModel):
    """How what the shop takes back becomes return orders.

    Attributes:
        source: Whether Adobe Commerce's RMA, the credit memos, or what is there is read.
        reason: `CustomerReturnReasonCode` of the header.
        disposition: `ReturnDispositionCode` of the lines; the ERP's default when left out.
        warehouse: Where the goods come back to.
        shipping_item: Service item that gives shipping cost back; without one a return with
            refunded shipping is held.
        adjustment_item: The same for adjustments without goods.
    """

    model_config = MODEL

    source: Literal["auto", "rma", "credit_memos"] = "auto"
    reason: Code | None = None
    disposition: Code | None = None
    warehouse: Code | None = None
    shipping_item: Code | None = None
    adjustment_item: Code | None = None

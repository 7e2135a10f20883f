"""Orders of a real shop that once went wrong, as it answered them."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from sync.magento.order_models import Order

_FOLDER = Path(__file__).parent / "data" / "cases"


def case(name: str) -> Any:
    """Return a case's JSON, such as "orders/return_unit_price"."""
    return json.loads((_FOLDER / f"{name}.json").read_text(), parse_float=Decimal)


def case_order(name: str) -> Order:
    """Return a whole order as it was before the ERP knew it."""
    return Order.model_validate({**case(f"magento/{name}.order"), "ext_order_id": None})

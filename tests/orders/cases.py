"""Orders that went wrong once, as the shop held them: the members that mattered."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from sync.magento.order_models import Order

_HERE = Path(__file__).parent.parent / "data" / "cases"


def case(name: str) -> dict[str, Any]:
    """Return a case of `orders`."""
    return dict(_read(f"orders/{name}.json"))


def whole_order(name: str) -> Order:
    """Return an order as the shop answered it."""
    return Order.model_validate(_read(f"magento/{name}.order.json"))


def erp_lines(name: str) -> list[dict[str, Any]]:
    """Return the lines that the ERP had of a whole order."""
    (document,) = _read(f"magento/{name}.erp.json")
    return list(document["lines"])


def _read(name: str) -> Any:
    return json.loads((_HERE / name).read_text(), parse_float=Decimal)

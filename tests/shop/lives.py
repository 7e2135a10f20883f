"""Compare answers with recorded ones by value, but for what is counted or dated."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tests.shop.replay import translated

# Counted by the whole shop, dated by its clock, or said of all products there are.
COUNTED = frozenset(
    {"id", "item_id", "product_id", "qty", "created_at", "updated_at", "total_count", "items"}
    | {"configurable_product_links", "attribute_id", "position", "website_ids"}
    | {"bulk_uuid", "bulk_id", "data_hash", "start_time"}
)


def same(recorded: Any, answered: Any, place: str = "") -> list[str]:
    """Return where an answer's values are others than the recorded ones."""
    if isinstance(recorded, dict) and isinstance(answered, dict):
        return [
            found
            for name, value in recorded.items()
            if name not in COUNTED
            for found in same(value, answered.get(name), f"{place}/{name}")
        ]
    if isinstance(recorded, list) and isinstance(answered, list):
        if len(recorded) != len(answered):
            return [f"{place}: {len(recorded)} became {len(answered)}"]
        pairs = zip(_sorted(recorded), _sorted(answered), strict=True)
        return [found for one, other in pairs for found in same(one, other, place)]
    if place.endswith("/result_serialized_data") and None not in (recorded, answered):
        return same(json.loads(recorded), json.loads(answered), "/result")
    return [] if recorded == answered else [f"{place}: {recorded!r} became {answered!r}"]


def plain(value: Any, words: Mapping[str, str]) -> Any:
    """Return a recorded body in this shop's words, with numbers as the test's JSON reads them."""
    if isinstance(value, dict):
        return {name: plain(one, words) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one, words) for one in value]
    if isinstance(value, Decimal):
        return float(value)
    return translated(value, words) if isinstance(value, str) else value


def _sorted(rows: list[Any]) -> list[Any]:
    """Return rows in one order: that of attributes, price rows and operations is not fixed."""
    return sorted(rows, key=lambda row: str(sorted(row.items())) if isinstance(row, dict) else "")

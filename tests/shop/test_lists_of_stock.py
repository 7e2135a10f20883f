"""Lists of source items are looked up by SKU and source, and find what comparing each row finds."""

from collections.abc import Iterable
from decimal import Decimal
from random import Random

import pytest

from pricing_proxy.sandbox.shop.criteria import Criteria, Filter, find
from pricing_proxy.sandbox.shop.inventory.source_items import SourceItems

SKUS = ("A", "a-1", "B", "C 2", "D")
SOURCES = ("default", "berlin", "wh2")


def table(random: Random) -> SourceItems:
    items = SourceItems()
    for _ in range(12):
        items.put(random.choice(SKUS), random.choice(SOURCES), Decimal(random.randint(-3, 9)), 1)
    for _ in range(3):
        items.remove(random.choice(SKUS), random.choice(SOURCES))
    return items


def asked(random: Random) -> list[list[Filter]]:
    return [[one(random) for _ in range(random.choice((1, 1, 2)))] for _ in range(3)]


def one(random: Random) -> Filter:
    field = random.choice(("sku", "sku", "source_code", "quantity"))
    known: Iterable[str] = {"sku": SKUS, "source_code": SOURCES, "quantity": "0123"}[field]
    values = random.sample([*known], 3)
    condition = random.choice(("eq", "in", "neq", "gt"))
    text = ",".join(values) if condition == "in" else values[0]
    return Filter(field, text.swapcase() if field == "sku" else text, condition)


@pytest.mark.parametrize("seed", range(60))
def test_what_is_looked_up_is_what_is_found_row_by_row(seed: int) -> None:
    random = Random(seed)
    items = table(random)
    criteria = Criteria(groups=asked(random)[: random.randint(0, 3)])
    everything, _ = items.narrowed(Criteria())
    narrowed, rest = items.narrowed(criteria)
    found = find(narrowed, rest, lambda row, name: row.read(name))
    assert found == find(everything, criteria, lambda row, name: row.read(name))

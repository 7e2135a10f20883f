"""What a price, an item and a customer cost a process in memory: python -m tests.bench.memory_size.

In a process of its own, by what the system counts for it: that is what a container is limited by.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from pricing_proxy.cache.memory import MemoryStore
from pricing_proxy.children import tied
from pricing_proxy.domain.entry import Entry, Kind
from pricing_proxy.names import ByName
from pricing_proxy.prices.query import Context, Key
from pricing_proxy.shared_state.customer_map import CUSTOMERS, Customer
from pricing_proxy.shared_state.item_map import ITEMS, Item
from pricing_proxy.shared_state.map_rows import GatheredRows, by_name
from tests.bench.redis_size import fragment_of

_PRICES, _PER_CUSTOMER = 200_000, 200
_ITEMS, _CUSTOMERS = 250_000, 50_000
_GOALS = {
    "Memory bytes per price": 1000,
    "Memory of prices, real / counted": 1,
    "Memory bytes per SKU of a market": 600,
    "Memory bytes per customer of a market": 600,
}


def lines(_: int) -> Sequence[tuple[str, float, float]]:
    """Return name, value and goal of the table's lines about memory."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.memory_size"],
        capture_output=True,
        text=True,
        check=True,
        **tied(),
    )
    found: dict[str, float] = json.loads(done.stdout)
    return [(name, found[name], goal) for name, goal in _GOALS.items()]


def _measured() -> dict[str, float]:
    kept: list[object] = []
    store = MemoryStore(2**30)
    price = _grown(lambda: kept.append(_filled(store)))
    item = _grown(lambda: kept.append(asyncio.run(_items()))) / _ITEMS
    customer = _grown(lambda: kept.append(asyncio.run(_customers()))) / _CUSTOMERS
    values = (price / _PRICES, price / store.used_bytes, item, customer)
    return dict(zip(_GOALS, values, strict=True))


def _grown(work: Callable[[], object]) -> int:
    before = _resident_bytes()
    work()
    return _resident_bytes() - before


def _filled(store: MemoryStore) -> MemoryStore:
    for customer in range(_PRICES // _PER_CUSTOMER):
        entries = {}
        for number in range(_PER_CUSTOMER):
            sku = f"LAMP-{number:03}"
            # Each text is its own, as it is when it comes off a wire.
            text = fragment_of(sku)
            loaded_us = customer * 1_000_000 + number
            entry = Entry(Kind.PRICE, text, loaded_us, 10**15 + loaded_us, 300 * 10**6, 10**9)
            entries[Key(sku, "PCS", "10")] = entry
        store.remember(Context("b2b_de", f"C-{customer:05}", "EUR"), entries)
    return store


async def _items() -> ByName[Item]:
    rows = GatheredRows[Item](ITEMS.name_of, {})
    for number in range(_ITEMS):
        sku = f"ITEM-{number:07}"
        rows.add(Item(sku, sku, "", "", "", "", "", "PCS", f"{number}.90", is_sold=True))
    return await by_name(rows.rows)


async def _customers() -> ByName[Customer]:
    rows = GatheredRows[Customer](CUSTOMERS.name_of, {})
    for number in range(_CUSTOMERS):
        rows.add(Customer(f"C-{number:06}", "EUR", "B2B", "", "", ""))
    return await by_name(rows.rows)


def _resident_bytes() -> int:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    [line] = [each for each in status.splitlines() if each.startswith("VmRSS:")]
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    print(json.dumps(_measured()))

"""Write the same stock at fixed widths and as the governor lets: how wide, and how long it took.

How many requests were in progress at once, and from the first one's beginning to the last one's
end, is what the shop tells.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.chaos.figures import Figure
from tests.chaos.mirrored import WAREHOUSE, Mirrored

FIXED = (1, 2, 3, 4)
_PIECES = 30
_ROUTE = "save_source_items"
_MOST_TIMES = 1.5
# Of the shop: so many writes go on at once there, others wait.
_CORES = 2


@dataclass(frozen=True, slots=True)
class Writing:
    """One time that all stock was written.

    Attributes:
        most: Requests at once.
        requests: How many there were.
        seconds: How long the shop was written to.
    """

    most: int
    requests: int
    seconds: float


def written_stock(stock: Mirrored, skus: Sequence[str]) -> Writing:
    """Have the ERP count more of SKUs, and have all of it written."""
    stock.recount({sku: {WAREHOUSE: _PIECES} for sku in skus})
    stock.forget_writes()
    stock.resynced("stock")
    told = stock.writes().get(_ROUTE, {})
    most, requests = int(told.get("most", 0)), int(told.get("requests", 0))
    return Writing(most, requests, float(told.get("seconds", 0.0)))


def at_fixed_widths(stock: Mirrored, skus: Sequence[str]) -> Mapping[int, Writing]:
    """Return what came of each fixed width: the worker is told it and looks at no storefront."""
    found = {}
    for width in FIXED:
        fixed = {"BATCHES": str(width), "PROBE_PATH": ""}
        with stock.on.workers.told(
            {f"PRICING_PROXY_SYNC__MIRROR__{name}": value for name, value in fixed.items()}
        ):
            found[width] = written_stock(stock, skus)
    return found


def figures(fixed: Mapping[int, Writing], governed: Writing) -> list[Figure]:
    """Return how they compare."""
    best = min(fixed, key=lambda width: fixed[width].seconds)
    times = governed.seconds / fixed[best].seconds if fixed[best].seconds else float("inf")
    told = ", ".join(f"{width}: {each.seconds:.1f} s" for width, each in fixed.items())
    return [
        Figure(name="stock written at a fixed width", value=told),
        *(_width(width, each) for width, each in fixed.items()),
        Figure(
            name="governed, undisturbed",
            value=f"{governed.seconds:.1f} s, {times:.2f} x width {best}; {governed.most} at once",
            bar=f"<= {_MOST_TIMES} x the best",
            is_met=times <= _MOST_TIMES,
        ),
    ]


def _width(width: int, each: Writing) -> Figure:
    # Before a batch is written the shop is read, so not all of them need meet in their writes.
    least = min(width, each.requests, _CORES)
    return Figure(
        name=f"width {width}, writes at once",
        value=f"{each.most} of {each.requests}",
        bar=f"{least} to {width}" if least < width else f"= {width}",
        is_met=least <= each.most <= width,
    )

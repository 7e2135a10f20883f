"""What scenarios do to products and stock of both systems, and what they then see of the shop.

Judged is what the control port shows of the shop before and after; runs are begun and decided by
the commands that people give.
"""

import json
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import quote

from tests.chaos.figures import Figure
from tests.chaos.processes import ChaosError
from tests.chaos.stage import Stage

VIEW = "b2b_de"
SOURCE, WAREHOUSE = "berlin", "13"
_SETTLED = ("done", "waiting", "failed", "superseded", "rejected")
_WIDTH, _LOOK_SECONDS = 8, 0.5

_ROWS_AT_ONCE, _SKUS_AT_ONCE = 1000, 200
# Of routes that are asked by POST.
_ONLY_READ = ("base_prices", "tier_prices")
_LONG_AGO = """
    UPDATE watermark SET changed_at = changed_at - interval '9 days'
    WHERE name LIKE '%read all {flow} of %'
"""

K = TypeVar("K")
Products = Mapping[str, Mapping[str, Any]]
Digests = Mapping[str, bytes]
Held = Mapping[tuple[str, str], Decimal]


@dataclass(frozen=True, slots=True)
class Mirrored:
    """Both systems' products.

    Attributes:
        on: Where it is played.
        seconds: How long a run may take.
    """

    on: Stage
    seconds: float

    def runs(self, flow: str) -> list[Any]:
        """Return the runs of a flow, the newest first."""
        found: list[Any] = json.loads(self._said("runs", f"--flow={flow}", "--json"))
        return found

    def settled(self, flow: str, *, after: int = 0) -> Any:
        """Wait for a run that is newer than another one to settle, and return it."""

        def is_settled() -> bool:
            states = [state for number, state in self._states(flow) if number > after]
            return bool(states) and all(state in _SETTLED for state in states)

        self._wait(is_settled, f"no run of {flow} settled")
        return self.runs(flow)[0]

    def adopted(self, flow: str, *, how: str = "overwrite") -> Any:
        """Decide who is right about the full shop; return the run as it was before."""
        looked = self.settled(flow)
        number = looked["run"]["id"]
        if looked["run"]["state"] == "waiting":
            self._said("runs", "approve", str(number), "--adopt", how, "--yes")
            self.until_written(flow, number)
        return looked

    def until_written(self, flow: str, number: int) -> Any:
        """Wait until nothing of a run is to be written; return it."""
        self._wait(
            lambda: (number, "writing") not in self._states(flow), f"run {number} was not written"
        )
        [found] = [each for each in self.runs(flow) if each["run"]["id"] == number]
        return found

    def resynced(self, flow: str) -> Any:
        """Read everything by hand, wait until what may be written is, and return the run."""
        words = ("resync", flow, "--yes", "--json")
        try:
            said = self._said(*words)
        except ChaosError:
            # A read that plans nothing ends the command with 1, as it should.
            return self.runs(flow)[0]
        number = json.loads(said)[0]["run"]["id"]
        return self.until_written(flow, number)

    def read_again(self, flow: str) -> Any:
        """Have the worker read everything by itself, as after some days; return the run."""
        last = self.runs(flow)[0]["run"]["id"]
        self.on.execute(_LONG_AGO.format(flow=flow))
        found = self.settled(flow, after=last)
        return self.until_written(flow, found["run"]["id"])

    def shop(self) -> Products:
        """Return the shop's products by SKU, but for when they were touched.

        A view's name is what it shows, whether that is its own or the whole shop's.
        """
        return {one["sku"]: one for one in self._products()}

    def some(self, skus: Sequence[str]) -> Products:
        """Return some of them."""
        found: dict[str, Mapping[str, Any]] = {}
        for start in range(0, len(skus), _SKUS_AT_ONCE):
            named = ",".join(skus[start : start + _SKUS_AT_ONCE])
            page = self.on.ask("GET", f"magento/products?sku={quote(named)}")
            found |= {one["sku"]: _told(one) for one in page}
        return found

    def digests(self) -> Digests:
        """Return what tells each of them from what it was, of a shop that is too large to keep."""
        return {one["sku"]: digest(one) for one in self._products()}

    def held(self, sources: Iterable[str]) -> Held:
        """Return what the shop's sources hold, by source and SKU."""
        found = {}
        for source in sources:
            for row in self._paged(f"magento/source-items?source={source}&"):
                # A row that is out of stock is none that is sold.
                found[source, row["sku"]] = row["quantity"] if row["status"] else Decimal(-1)
        return found

    def writes(self) -> Mapping[str, Mapping[str, int]]:
        """Return what was written into the shop, by route: requests, rows, cut, most."""
        routes = self.on.ask("GET", "magento/writes")["routes"]
        return {name: counts for name, counts in routes.items() if name not in _ONLY_READ}

    def forget_writes(self) -> None:
        """Count what is written from now on."""
        self.on.control.delete(f"{self.on.control_url}/systems/magento/writes").raise_for_status()

    def plain(self, count: int | None = None) -> list[str]:
        """Return SKUs with a price that are no variants and made of no others, in both systems."""
        variants: set[str] = set()
        names: list[str] = []
        for one in self._products():
            variants.update(one["variants"])
            if one["type"] == "simple" and one["price"]:
                names.append(one["sku"])
        known = (sku for sku in sorted({*names} - variants) if self._is_sold(sku))
        return list(islice(known, count))

    def change(self, changes: Mapping[str, Mapping[str, Any]]) -> None:
        """Change products of the ERP."""
        self._all("POST", {f"fo/products/{sku}": body for sku, body in changes.items()})

    def edit(self, edits: Mapping[str, Mapping[str, Any]]) -> None:
        """Edit products of the shop by hand."""
        self._all("PATCH", {f"magento/products/{sku}": body for sku, body in edits.items()})

    def stocked(self) -> list[str]:
        """Return the SKUs that the shop's source and the ERP's warehouse have."""
        skus = [row["sku"] for row in self._paged(f"magento/source-items?source={SOURCE}&")]
        return [sku for sku in skus if self._is_sold(sku)]

    def recount(self, changes: Mapping[str, Mapping[str, int]]) -> None:
        """Have the ERP's warehouses hold so many pieces more, or less."""
        skus = list(changes)
        for start in range(0, len(skus), _ROWS_AT_ONCE):
            some = {sku: changes[sku] for sku in skus[start : start + _ROWS_AT_ONCE]}
            self.on.ask("PATCH", "fo/stock", some)

    def source_quantities(self, skus: Collection[str]) -> Mapping[str, Any]:
        """Return what the shop's source has of SKUs."""
        found = {}
        for sku in skus:
            rows = self.on.ask("GET", f"magento/stock/{sku}")["source_items"]
            found[sku] = next((r["quantity"] for r in rows if r["source_code"] == SOURCE), None)
        return found

    def alerts(self) -> list[str]:
        """Return the titles of open alerts."""
        state = json.loads(self._said("status", "--json"))["state"]
        return [alert["title"] for alert in state["alerts"]]

    def alerted(self, *words: str) -> Figure:
        """Return whether somebody is told, within half a minute, of something with these words."""

        def is_told() -> bool:
            return any(all(word in title for word in words) for title in self.alerts())

        is_so = self.on.until(is_told, seconds=30, look=1.0)
        name = f"an alert on {' '.join(words)}"
        return Figure(name=name, value="raised" if is_so else "none", bar="raised", is_met=is_so)

    def undo(self, number: int) -> None:
        """Have a run taken back."""
        self._said("runs", "undo", str(number), "--yes")

    def story(self, number: int) -> Any:
        """Return all that is known of a run."""
        return json.loads(self._said("runs", "show", str(number), "--json"))

    def _states(self, flow: str) -> list[Any]:
        # A command takes a second of a processor, and this is asked all the time.
        return self.on.rows("SELECT id, state FROM mirror_run WHERE flow = %s", flow)

    def _wait(self, is_so: Callable[[], bool], failed: str) -> None:
        end = time.monotonic() + self.seconds
        while not is_so():
            if time.monotonic() > end:
                raise ChaosError(f"{failed} within {self.seconds:.0f} s")
            self.on.workers.revive()
            time.sleep(_LOOK_SECONDS)

    def _products(self) -> Iterator[dict[str, Any]]:
        return map(_told, self._paged("magento/products?"))

    def _paged(self, path: str) -> Iterator[dict[str, Any]]:
        after = 0
        while page := self.on.ask("GET", f"{path}after={after}&most={_ROWS_AT_ONCE}"):
            yield from page
            # Products are paged by their ids, which need not follow one another.
            after = page[-1].get("id", after + len(page))

    def _said(self, *words: str) -> str:
        return self.on.sync(*words, seconds=self.seconds)

    def _is_sold(self, sku: str) -> bool:
        return bool(self.on.ask("GET", f"fo/stock/{sku}")["warehouses"])

    def _all(self, method: str, bodies: Mapping[str, Mapping[str, Any]]) -> None:
        with ThreadPoolExecutor(_WIDTH) as pool:
            list(pool.map(lambda path: self.on.ask(method, path, bodies[path]), bodies))


def counted(name: str, found: Collection[Any], *, most: int = 0) -> Figure:
    """Return the figure of things that must not be."""
    value = f"{len(found)}: {', '.join(sorted(map(str, found))[:5])}" if found else "0"
    return Figure(name=name, value=value, bar=f"= {most}", is_met=len(found) == most)


def moved(before: Mapping[K, Any], after: Mapping[K, Any]) -> set[K]:
    """Return the SKUs of which anything differs."""
    return {sku for sku in {*before, *after} if before.get(sku) != after.get(sku)}


def digest(product: Mapping[str, Any]) -> bytes:
    """Return what no product has that differs in anything."""
    return sha256(json.dumps(product, sort_keys=True, default=_plain).encode()).digest()


def _plain(number: Decimal) -> str:
    # 7 and 7.000000 are one weight.
    return f"{number.normalize():f}"


def _told(product: dict[str, Any]) -> dict[str, Any]:
    del product["updated_at"]
    product["views"].setdefault(VIEW, {}).setdefault("name", product["name"])
    return product

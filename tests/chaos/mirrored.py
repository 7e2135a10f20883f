"""What scenarios do to products and stock of both systems, and what they then see of the shop.

Judged is what the control port shows of the shop before and after; runs are begun and decided by
the commands that people give.
"""

import json
import time
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tests.chaos.figures import Figure
from tests.chaos.processes import ChaosError
from tests.chaos.stage import Stage

VIEW = "b2b_de"
SOURCE = "berlin"
_SETTLED = ("done", "waiting", "failed", "superseded", "rejected")
_WIDTH = 8

Products = Mapping[str, Mapping[str, Any]]


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
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            found = [each for each in self.runs(flow) if each["run"]["id"] > after]
            if found and all(each["run"]["state"] in _SETTLED for each in found):
                return found[0]
            self.on.workers.revive()
            time.sleep(1)
        raise ChaosError(f"no run of {flow} settled within {self.seconds:.0f} s")

    def adopted(self, flow: str) -> Any:
        """Decide that the ERP is right about the full shop; return the run as it was before."""
        looked = self.settled(flow)
        number = looked["run"]["id"]
        if looked["run"]["state"] == "waiting":
            self._said("runs", "approve", str(number), "--adopt", "overwrite", "--yes")
            self.until_written(flow, number)
        return looked

    def until_written(self, flow: str, number: int) -> Any:
        """Wait until nothing of a run is to be written; return it."""
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            [found] = [each for each in self.runs(flow) if each["run"]["id"] == number]
            if found["run"]["state"] != "writing":
                return found
            self.on.workers.revive()
            time.sleep(1)
        raise ChaosError(f"run {number} was not written within {self.seconds:.0f} s")

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

    def shop(self) -> Products:
        """Return the shop's products by SKU, but for when they were touched.

        A view's name is what it shows, whether that is its own or the whole shop's.
        """
        found = self.on.ask("GET", "magento/products")
        for one in found:
            del one["updated_at"]
            one["views"].setdefault(VIEW, {}).setdefault("name", one["name"])
        return {one["sku"]: one for one in found}

    def plain(self, count: int | None = None) -> list[str]:
        """Return SKUs that are neither variants nor made of others, in both systems."""
        shop = self.shop()
        variants = {sku for one in shop.values() for sku in one["variants"]}
        names = [
            sku for sku, one in shop.items() if one["type"] == "simple" and sku not in variants
        ]
        known = [sku for sku in sorted(names) if self._is_sold(sku)]
        return known[:count]

    def change(self, changes: Mapping[str, Mapping[str, Any]]) -> None:
        """Change products of the ERP."""
        self._all("POST", {f"fo/products/{sku}": body for sku, body in changes.items()})

    def edit(self, edits: Mapping[str, Mapping[str, Any]]) -> None:
        """Edit products of the shop by hand."""
        self._all("PATCH", {f"magento/products/{sku}": body for sku, body in edits.items()})

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

    def _said(self, *words: str) -> str:
        return self.on.sync(*words, seconds=self.seconds)

    def _is_sold(self, sku: str) -> bool:
        return bool(self.on.ask("GET", f"fo/stock/{sku}")["warehouses"])

    def _all(self, method: str, bodies: Mapping[str, Mapping[str, Any]]) -> None:
        with ThreadPoolExecutor(_WIDTH) as pool:
            list(pool.map(lambda path: self.on.ask(method, path, bodies[path]), bodies))


def counted(name: str, found: Collection[str], *, most: int = 0) -> Figure:
    """Return the figure of things that must not be."""
    value = f"{len(found)}: {', '.join(sorted(found)[:5])}" if found else "0"
    return Figure(name=name, value=value, bar=f"= {most}", is_met=len(found) == most)


def moved(before: Products, after: Products) -> set[str]:
    """Return the SKUs of which anything differs."""
    return {sku for sku in {*before, *after} if before.get(sku) != after.get(sku)}

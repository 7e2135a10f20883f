"""The odd rows of a run: what is planted, what must become of it, and whether it has.

A row is named by its flow and the shop's id. Of each that cannot be brought over somebody must
be told, by a held event or among the rows that cannot be read; nothing else may be held.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.figures import Figure
from tests.chaos.processes import ChaosError
from tests.chaos.stage import Stage

_ZERO = "0000-00-00 00:00:00"
# Orders that nobody can bring over, and those that are only dated oddly.
_ORDERS: Mapping[str, Mapping[str, Any]] = {
    "no store": {"members": {"store_id": None}},
    "no number": {"members": {"increment_id": None}},
    "no currency": {"members": {"order_currency_code": None}},
    "zero dates": {"members": {"created_at": _ZERO, "updated_at": _ZERO}},
    "unreadable": {"unreadable": True},
}
_DATED: Mapping[str, Mapping[str, Any]] = {
    "ahead": {"dated_seconds": 7200},
    "late": {"dated_seconds": -90},
}
_MEMOS: Mapping[str, Mapping[str, Any]] = {
    "no store": {"members": {"store_id": None}},
    "no number": {"members": {"increment_id": None}},
    "unreadable": {"unreadable": True},
}
_CUSTOMERS: Mapping[str, Mapping[str, Any]] = {
    "no website": {"members": {"website_id": None}},
    "unreadable": {"unreadable": True},
}
_HELD = (
    "SELECT flow, document_id FROM sync_event"
    " WHERE state NOT IN ('done', 'skipped') AND document_id IS NOT NULL"
)
_TOLD = "SELECT source, row_id FROM odd_row"
_LOOK_SECONDS = 1.0

Named = tuple[str, int]


@dataclass(slots=True)
class Oddities:
    """What was planted on a stage.

    Attributes:
        named: Rows that nobody can bring over, and what is odd about each.
        stopped: Orders that were cancelled after they were sent.
        memos: Credit memos that must arrive, with the orders they are of.
    """

    on: Stage
    named: dict[Named, str] = field(default_factory=dict)
    stopped: set[int] = field(default_factory=set)
    memos: dict[int, int] = field(default_factory=dict)

    @classmethod
    def planted(cls, on: Stage) -> "Oddities":
        """Plant odd rows into every table; the stage's first orders are in the ERP by now."""
        odd = cls(on)
        for name, row in _ORDERS.items():
            odd.named["orders", on.placed(kind="simple", row=row)] = name
        for row in _DATED.values():
            on.placed(kind="simple", row=row)
        for name, row in _CUSTOMERS.items():
            odd.named["customers", on.register(row=row)] = name
        on.register(row=_DATED["ahead"])
        for name, row in _MEMOS.items():
            odd.named["returns", odd._refunded(row)[0]] = name
        for row in _DATED.values():
            odd.refund(1, row)
        odd.refund(2)
        odd._cancel_late()
        return odd

    def refund(self, count: int, row: Mapping[str, Any] | None = None) -> None:
        """Give orders back whole that are in the ERP; their credit memos must arrive."""
        for _ in range(count):
            memo, order = self._refunded(row or {})
            self.memos[memo] = order

    @property
    def words(self) -> list[str]:
        """What the judge is told."""
        held = [f"--held={number}" for flow, number in self.named if flow == "orders"]
        return [*held, *(f"--stopped={number}" for number in sorted(self.stopped))]

    def figures(self, *, wait_seconds: float) -> list[Figure]:
        """Wait until everything has become of the rows that must; return what is missing."""
        measures: Mapping[str, Callable[[], list[str]]] = {
            "credit memos that are not in the ERP once": self._lost_memos,
            "odd rows that nobody is told of": self._untold,
            "held without a row that is named here": self._unnamed,
        }
        until = time.monotonic() + wait_seconds
        while True:
            found = {name: measure() for name, measure in measures.items()}
            if not any(found.values()) or time.monotonic() > until:
                return [
                    Figure(
                        name=name,
                        value=", ".join([str(len(them)), *them]),
                        bar="= 0",
                        is_met=not them,
                    )
                    for name, them in found.items()
                ]
            self.on.workers.revive()
            time.sleep(_LOOK_SECONDS)

    def _refunded(self, row: Mapping[str, Any]) -> tuple[int, int]:
        """Return the credit memo of an order that was given back whole, and the order."""
        order = self._delivered()
        self.on.act(order, "invoice")
        return int(self.on.act(order, "refund", row=row)), order

    def _cancel_late(self) -> None:
        """Cancel an order that is in the ERP; the cancellation is dated before it is visible."""
        order = self._delivered()
        self.on.act(order, "cancel", row=_DATED["late"])
        self.stopped.add(order)

    def _delivered(self) -> int:
        order = self.on.placed(kind="simple")
        if not self.on.until(lambda: order in self.on.delivered(), seconds=60, look=0.5):
            raise ChaosError("an order of a calm day did not arrive within a minute")
        return order

    def _untold(self) -> list[str]:
        missing = self.named.keys() - self._told()
        return [f"{flow} {number} ({self.named[flow, number]})" for flow, number in missing]

    def _unnamed(self) -> list[str]:
        expected = {*self.named, *(("orders", order) for order in self.stopped)}
        return [f"{flow} {number}" for flow, number in self._told() - expected]

    def _told(self) -> set[Named]:
        rows = (*self.on.rows(_HELD), *self.on.rows(_TOLD))
        return {(flow, int(number)) for flow, number in rows}

    def _lost_memos(self) -> list[str]:
        returns = self.on.returns()
        return [
            f"credit memo {memo} of order {order}: {returns[order]} times"
            for memo, order in self.memos.items()
            if returns[order] != 1
        ]

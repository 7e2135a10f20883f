"""Play the life of one order, so that it is seen without a hand: each step until the shop has it.

    placed in the shop                  in the ERP, with its number
    lines 1 and 2 leave warehouse 13    a shipment
    line 3 leaves warehouse 24          a second shipment
    its parcel gets a number            on that shipment
    invoiced                            an invoice
    all of it credited                  a credit memo

The next thing happens once the shop has the last one. What is there in the end is counted: each
once. What a system cannot be asked for now is asked for again; what it refuses ends the playing,
and is said.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import requests

from pricing_proxy.demo.loopback import loopback_session

_SKUS = ("LAMP-07", "LAMP-08", "LAMP-09")
_PIECES = 2
_TIMEOUT_SECONDS = 5
# With business events each step takes about a second; without, the next look is 30 s away.
_LATE_SECONDS = 60.0


class Control(Protocol):
    """The sandbox's control port."""

    def get(self, path: str) -> Any:
        """Return what is there; raises `requests.RequestException`."""
        ...

    def post(self, path: str, members: Mapping[str, Any]) -> Any:
        """Have something happen; raises `requests.RequestException`."""
        ...


class HttpControl:
    """A `Control` over HTTP."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._http = loopback_session()

    def get(self, path: str) -> Any:
        """Return what is there; raises `requests.RequestException`."""
        answer = self._http.get(f"{self._url}/systems/{path}", timeout=_TIMEOUT_SECONDS)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, members: Mapping[str, Any]) -> Any:
        """Have something happen; raises `requests.RequestException`."""
        address = f"{self._url}/systems/{path}"
        answer = self._http.post(address, json=members, timeout=_TIMEOUT_SECONDS)
        answer.raise_for_status()
        return answer.json()


@dataclass(frozen=True, slots=True)
class _Step:
    """What the ERP does, and what the shop then has.

    Attributes:
        told: For people.
        deed: The control port's name of it.
        members: How it is done.
        kind: What the shop gets, one of `_counts`.
        count: How many of them it then has.
    """

    told: str
    deed: str
    members: Mapping[str, Any]
    kind: str
    count: int = 1


_STEPS: Sequence[_Step] = (
    _Step(
        "lines 1 and 2 shipped from warehouse 13",
        "ship",
        {"lines": {"1": None, "2": None}, "warehouse": "13", "carrier": "DHL"},
        "shipment",
    ),
    _Step(
        "line 3 shipped from warehouse 24",
        "ship",
        {"lines": {"3": None}, "warehouse": "24", "carrier": "DPD"},
        "shipment",
        2,
    ),
    _Step("its parcel has a number", "track", {"parcel": "01505024000001"}, "tracking number"),
    _Step("invoiced", "invoice", {}, "invoice"),
    _Step("credited", "credit", {}, "credit memo"),
)
_WHOLE = {step.kind: step.count for step in _STEPS}


class OrderLife:
    """One order, placed at the first look.

    Args:
        control: The sandbox's control port.
        tell: Given a line for each thing that the shop has.
        seconds: A clock that only goes forward.
    """

    def __init__(
        self,
        control: Control,
        tell: Callable[[str], None],
        *,
        seconds: Callable[[], float],
    ) -> None:
        self._control = control
        self._tell = tell
        self._seconds = seconds
        self._order: Mapping[str, Any] | None = None
        self._steps = iter(_STEPS)
        self._step: _Step | None = None
        self._since = 0.0
        self._is_late = False
        self._counts: Mapping[str, int] = {}
        self.is_over = False

    @property
    def summary(self) -> str:
        """What the shop has of it."""
        if self._order is None:
            return "not placed yet"
        had = ", ".join(_said(kind, count) for kind, count in self._counts.items() if count)
        return f"{self._order['increment_id']}: {had or 'placed'}"

    def look(self) -> None:
        """Do what comes next if the shop has what came last."""
        if self.is_over:
            return
        try:
            self._go_on()
        except requests.HTTPError as refused:
            self.is_over = True
            self._say(f"its life ends here: {refused.response.text}")
        # Somebody may have ended the sandbox: the demo sees that by itself.
        except requests.RequestException:
            return

    def _go_on(self) -> None:
        if self._order is None:
            self._place()
        elif self._step is None:
            self._look_for_number(self._order)
        else:
            self._look_for_paper(self._order, self._step)

    def _place(self) -> None:
        lines = [{"sku": sku, "quantity": _PIECES} for sku in _SKUS]
        members = {"kind": "simple", "customer": 1, "lines": lines}
        [self._order] = self._control.post("magento/orders", members)["orders"]
        self._begin()

    def _look_for_number(self, order: Mapping[str, Any]) -> None:
        mine = order["entity_id"]
        found = [each for each in self._control.get("magento/orders") if each["entity_id"] == mine]
        if found and found[0]["ext_order_id"]:
            self._arrived(f"placed in the shop; {found[0]['ext_order_id']} in the ERP")
        else:
            self._mind_time("placed in the shop")

    def _look_for_paper(self, order: Mapping[str, Any], step: _Step) -> None:
        self._counts = _counts(self._control.get(f"magento/orders/{order['entity_id']}"))
        if self._counts[step.kind] >= step.count:
            self._arrived(f"{step.told} in the ERP; {_said(step.kind, step.count)} in the shop")
        else:
            self._mind_time(f"{step.told} in the ERP")

    def _arrived(self, what: str) -> None:
        self._say(f"{what} after {self._seconds() - self._since:.1f} s")
        self._step = next(self._steps, None)
        if self._step is None:
            self._end()
            return
        number = self._number
        self._begin()
        self._control.post(f"fo/orders/{number}/{self._step.deed}", self._step.members)

    def _begin(self) -> None:
        self._since = self._seconds()
        self._is_late = False

    def _end(self) -> None:
        self.is_over = True
        once = "each once" if self._counts == _WHOLE else "not each once"
        self._say(f"the shop has {self.summary.partition(': ')[2]}: {once}")

    def _mind_time(self, what: str) -> None:
        if not self._is_late and self._seconds() - self._since > _LATE_SECONDS:
            self._is_late = True
            self._say(
                f"{what} {_LATE_SECONDS:.0f} s ago, and not there yet; see d365-sync order "
                f"{self._number}"
            )

    def _say(self, text: str) -> None:
        self._tell(f"Order {self._number}: {text}")

    @property
    def _number(self) -> str:
        return "" if self._order is None else str(self._order["increment_id"])


def _said(kind: str, count: int) -> str:
    return f"{count} {kind if count == 1 else f'{kind}s'}"


def _counts(papers: Mapping[str, Any]) -> Mapping[str, int]:
    """Return how many papers the shop has of an order, by kind."""
    return {
        "shipment": len(papers["shipments"]),
        "tracking number": sum(len(each["tracks"]) for each in papers["shipments"]),
        "invoice": len(papers["invoices"]),
        "credit memo": len(papers["credit_memos"]),
    }

"""The life of an order is played by itself: each step once the shop has the last one."""

from collections.abc import Mapping
from typing import Any

import pytest
import requests

from pricing_proxy.demo.life import OrderLife

_MADE = {"ship": "shipments", "invoice": "invoices", "credit": "credit_memos"}


class Systems:
    """A shop and an ERP; what the ERP does is in the shop when `carry` says so."""

    def __init__(self) -> None:
        self.order: dict[str, Any] = {}
        self.papers: dict[str, Any] = {name: [] for name in _MADE.values()}
        self.done: list[str] = []
        self.waiting: list[str] = []
        self.refuses = ""
        self.is_away = False
        self.now = 0.0

    def get(self, path: str) -> Any:
        """Tell the orders, or an order's papers."""
        self._reach()
        return [self.order] if path == "magento/orders" else self.papers

    def post(self, path: str, members: Mapping[str, Any]) -> Any:
        """Place the order, or do something in the ERP."""
        self._reach()
        if path == "magento/orders":
            assert not self.order
            self.order = {"entity_id": 7, "increment_id": "3000000007", "ext_order_id": None}
            return {"orders": [{**self.order}]}
        place, _, deed = path.rpartition("/")
        assert place == "fo/orders/3000000007"
        if deed == self.refuses:
            answer = requests.Response()
            answer.status_code, answer._content = 409, b"Nothing is left to deliver."
            raise requests.HTTPError(response=answer)
        self.done.append(f"{deed} {members.get('warehouse', '')}".strip())
        self.waiting.append(deed)
        return {}

    def carry(self) -> None:
        """Bring over what was done."""
        self.order["ext_order_id"] = "000697"
        for deed in self.waiting:
            if deed == "track":
                self.papers["shipments"][-1]["tracks"].append("JD01")
            else:
                self.papers[_MADE[deed]].append({"tracks": []})
        self.waiting.clear()

    def _reach(self) -> None:
        if self.is_away:
            raise requests.ConnectionError


def life(systems: Systems) -> tuple[OrderLife, list[str]]:
    told: list[str] = []
    return OrderLife(systems, told.append, seconds=lambda: systems.now), told


def play(systems: Systems, order: OrderLife, looks: int) -> None:
    for _ in range(looks):
        order.look()
        systems.now += 0.5
        systems.carry()


def test_everything_happens_once_and_is_told_with_its_time() -> None:
    systems = Systems()
    order, told = life(systems)

    play(systems, order, 30)

    assert systems.done == ["ship 13", "ship 24", "track", "invoice", "credit"]
    assert order.is_over
    assert told[0] == ("Order 3000000007: placed in the shop; 000697 in the ERP after 0.5 s")
    assert told[2] == (
        "Order 3000000007: line 3 shipped from warehouse 24 in the ERP; 2 shipments in the shop "
        "after 0.5 s"
    )
    has = "2 shipments, 1 tracking number, 1 invoice, 1 credit memo"
    assert told[-1] == f"Order 3000000007: the shop has {has}: each once"
    assert order.summary == f"3000000007: {has}"


def test_nothing_more_happens_while_the_shop_lacks_the_last_and_that_is_told_once() -> None:
    systems = Systems()
    order, told = life(systems)
    play(systems, order, 1)
    for _ in range(300):
        order.look()
        systems.now += 0.5

    assert systems.done == ["ship 13"]
    assert [text for text in told if "not there yet" in text] == told[1:]
    assert told[-1].endswith("see d365-sync order 3000000007")
    play(systems, order, 30)
    assert order.is_over
    assert systems.done.count("ship 13") == 1


def test_what_comes_twice_is_not_called_once() -> None:
    systems = Systems()
    order, told = life(systems)
    play(systems, order, 6)
    systems.papers["invoices"] += [{}, {}]

    play(systems, order, 30)

    assert told[-1].endswith(": not each once")


def test_a_sandbox_that_is_away_is_asked_again_and_a_refusal_ends_the_life() -> None:
    systems = Systems()
    systems.is_away = True
    order, told = life(systems)
    order.look()
    assert (told, order.summary) == ([], "not placed yet")

    systems.is_away, systems.refuses = False, "track"
    play(systems, order, 30)

    assert told[-1] == "Order 3000000007: its life ends here: Nothing is left to deliver."
    assert order.is_over


@pytest.mark.parametrize("looks", [1, 4])
def test_an_order_is_placed_once_however_often_it_is_looked_at(looks: int) -> None:
    systems = Systems()
    order, _ = life(systems)
    for _ in range(looks):
        order.look()
    assert order.summary == "3000000007: placed"

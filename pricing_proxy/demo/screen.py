"""What the demo shows: a small table of what happens, as it happens."""

from typing import Any

import requests
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from pricing_proxy.demo.life import OrderLife
from pricing_proxy.demo.loopback import loopback_session
from pricing_proxy.demo.plan import Plan

_COLOURS = {"closed": "green", "half_open": "yellow"}
_SECONDS = 2


class Screen:
    """Reads the programs' state and draws it.

    Args:
        plan: Where they are.
        life: The order whose life is played.
        has_redis_server: Whether Redis is a real one.
    """

    def __init__(self, plan: Plan, life: OrderLife, *, has_redis_server: bool) -> None:
        self._plan = plan
        self._life = life
        self._has_redis_server = has_redis_server
        self._http = loopback_session()

    def table(self) -> RenderableType:
        """Return the table of this moment."""
        try:
            status = self._get(f"{self._plan.admin_url}/status")
            calls = self._get(f"{self._plan.control_url}/systems/fo/calls")
            orders = self._orders()
        except requests.RequestException:
            return Text("The programs do not answer right now.", style="red")
        cache, erp = status["cache"], status["erp"]["sandbox"]
        table = Table(show_header=False, box=None, padding=(0, 2))
        table.add_row("Price requests", str(sum(cache["requests"].values())))
        table.add_row("Lines from", _levels(cache["lookups"]))
        operations = calls["operations"]
        table.add_row(
            "ERP calls", f"{calls['total']} ({operations.get('price_batch', 0)} for prices)"
        )
        table.add_row("Breakers", _breakers(erp["breakers"]))
        table.add_row("Orders", orders)
        table.add_row("An order's life", self._life.summary)
        table.add_row("Redis", self._redis(status["redis"]))
        return table

    def line(self) -> str:
        """Return the same in one line, for logs and pipes."""
        try:
            status = self._get(f"{self._plan.admin_url}/status")
            calls = self._get(f"{self._plan.control_url}/systems/fo/calls")
            orders = self._orders()
        except requests.RequestException:
            return "the programs do not answer right now"
        breakers = status["erp"]["sandbox"]["breakers"]
        phases = ", ".join(f"{b['name']} {b['phase']}" for b in breakers)
        requests_total = sum(status["cache"]["requests"].values())
        lines = _levels(status["cache"]["lookups"]).plain
        return (
            f"requests {requests_total} · lines {lines} · ERP calls {calls['total']} · {phases} · "
            f"orders {orders} · order {self._life.summary}"
        )

    def advise(self, console: Console) -> None:
        """Print what to try; the commands in one line each, to be copied."""
        for title, command in self._plan.commands().items():
            console.print(f"{title}:", style="bold", soft_wrap=True)
            console.print(command, soft_wrap=True, markup=False, highlight=False)
            console.print()
        pages = f"{self._plan.admin_url}/status   {self._plan.admin_url}/docs"
        console.print(f"Pages for a browser: {pages}", soft_wrap=True)
        console.print(f"What works:  {self._plan.check_command()}", soft_wrap=True, highlight=False)
        console.print(f"Configuration and logs: {self._plan.folder}", soft_wrap=True)

    def _orders(self) -> str:
        placed = len(self._get(f"{self._plan.control_url}/systems/magento/orders"))
        told = self._get(f"{self._plan.control_url}/systems/fo/orders")
        arrived = sum(not order["is_stopped"] for order in told)
        return f"{placed} placed, {arrived} in the ERP, {placed - arrived} under way or held"

    def _redis(self, redis: dict[str, Any]) -> Text:
        kind = "redis-server" if self._has_redis_server else "embedded, over TCP"
        is_fine = redis["is_verified"]
        word = "answers" if is_fine else "away: answers are flagged"
        return Text(f"{kind}, {word}", style="green" if is_fine else "red")

    def _get(self, url: str) -> Any:
        answer = self._http.get(url, timeout=_SECONDS, headers={"Accept": "application/json"})
        answer.raise_for_status()
        return answer.json()


def _levels(lookups: dict[str, int]) -> Text:
    total = sum(lookups.values())
    names = {"l1": "memory", "l2": "Redis", "source": "ERP or none"}
    shares = [
        f"{name} {lookups.get(level, 0) / total:.0%}" if total else f"{name} -"
        for level, name in names.items()
    ]
    return Text(", ".join(shares))


def _breakers(breakers: list[dict[str, Any]]) -> Text:
    text = Text()
    for breaker in breakers:
        name, phase = breaker["name"].split(":")[-1], breaker["phase"]
        text.append(f"{name} ")
        text.append(f"{phase}  ", style=_COLOURS.get(phase, "red"))
    return text

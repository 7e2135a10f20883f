"""The drill's load: requests on a fixed schedule, whatever becomes of earlier ones."""

import asyncio
import random
import time
from itertools import accumulate
from typing import Any

from aiohttp import ClientError, ClientResponse, ClientSession

from pricing_proxy.settings import DEMO_KEY
from tests.drill.digits import CUSTOMERS, SKUS, Told, price_text
from tests.drill.records import MODES, Answer, Change

# Requests of each mode in a second.
RATE = 40
MARKET = "b2b_de"
_CHANGE_SECONDS = 0.4
_MOST_LINES = 3
# Zipf: the n-th SKU is asked for 1/n as often as the first.
_WEIGHTS = list(accumulate(1 / rank for rank in range(1, len(SKUS) + 1)))
HEADERS = {"X-API-Key": DEMO_KEY}


class Load:
    """Sends, and writes down what came back.

    Args:
        session: Sends.
        public: Base address of prices.
        admin: Base address of invalidations.
        control: Base address of the sandbox's control port.
    """

    def __init__(self, session: ClientSession, *, public: str, admin: str, control: str) -> None:
        self._session = session
        self._public = public
        self._admin = admin
        self._control = control
        self._random = random.Random(1)
        self._versions: dict[tuple[str, str], int] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self.answers: list[Answer] = []
        self.changes: list[Change] = []

    async def begin(self) -> None:
        """Post everybody's first prices, and let everybody see them once."""
        for customer in CUSTOMERS:
            for sku in SKUS:
                self._versions[customer, sku] = 0
                await self._post_price(Told(customer, sku, 0))
            body = self._body(customer, "browse", SKUS) | {"wait_ms": 5000}
            async with self._post_page(body) as answer:
                await answer.read()

    async def run(self, phase: str, *, seconds: float) -> None:
        """Send for a while; return when the last answer is there."""
        began = time.monotonic()
        for number in range(round(seconds * RATE)):
            for place, mode in enumerate(MODES):
                due = began + (number + place / len(MODES)) / RATE
                await asyncio.sleep(max(due - time.monotonic(), 0))
                task = asyncio.create_task(self._ask(phase, mode, due))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)
        while self._under_way:
            await asyncio.wait(self._under_way)

    async def change_prices(self) -> None:
        """Post new versions and invalidate the old ones, for ever."""
        while True:
            await asyncio.sleep(_CHANGE_SECONDS)
            await self._change(self._random.choice(CUSTOMERS), self._any_sku())

    async def _change(self, customer: str, sku: str) -> None:
        version = self._versions[customer, sku] = self._versions[customer, sku] + 1
        began = time.monotonic()
        await self._post_price(Told(customer, sku, version))
        posted = time.monotonic()
        scope = {"customer": customer} if version % 2 else {"sku": sku}
        body = {"market": MARKET, "scope": scope, "level": "soft", "reason": "drill"}
        address = f"{self._admin}/v1/invalidations"
        async with self._session.post(address, json=body, headers=HEADERS) as answer:
            is_told = answer.status == 202
        change = Change(
            customer=customer,
            sku=sku,
            version=version,
            began=began,
            posted=posted,
            told=time.monotonic() if is_told else None,
        )
        self.changes.append(change)

    async def _ask(self, phase: str, mode: str, due: float) -> None:
        customer = self._random.choice(CUSTOMERS)
        skus = {self._any_sku() for _ in range(self._random.randint(1, _MOST_LINES))}
        status, retry_after, lines = 0, False, []
        try:
            async with self._post_page(self._body(customer, mode, sorted(skus))) as answer:
                status, retry_after = answer.status, "Retry-After" in answer.headers
                lines = [_line(line) for line in (await _json(answer)).get("lines", [])]
        except (ClientError, TimeoutError):
            status = 0
        self.answers.append(
            Answer(
                phase=phase,
                mode=mode,
                customer=customer,
                due=due,
                received=time.monotonic(),
                status=status,
                retry_after=retry_after,
                lines=lines,
            )
        )

    def _any_sku(self) -> str:
        return self._random.choices(SKUS, cum_weights=_WEIGHTS)[0]

    def _body(self, customer: str, mode: str, skus: Any) -> dict[str, Any]:
        lines = [{"sku": sku, "quantity": "1"} for sku in skus]
        return {"market": MARKET, "customer": customer, "mode": mode, "lines": lines}

    def _post_page(self, body: dict[str, Any]) -> Any:
        return self._session.post(f"{self._public}/v1/prices", json=body, headers=HEADERS)

    async def _post_price(self, told: Told) -> None:
        row = {
            "account_type": "table",
            "account": told.customer,
            "sku": told.sku,
            "price": price_text(told),
        }
        async with self._session.post(f"{self._control}/systems/fo/prices", json=row) as answer:
            answer.raise_for_status()


async def _json(answer: ClientResponse) -> dict[str, Any]:
    content: dict[str, Any] = await answer.json(content_type=None)
    return content


def _line(line: dict[str, Any]) -> dict[str, Any]:
    known = line.get("last_known") if "last_known" in line else line
    return {
        "sku": line["sku"],
        "state": line["state"],
        "price": (known or {}).get("price"),
        # A refused checkout only shows what was last known.
        "current": "last_known" not in line
        and (line["state"] == "fresh" or line.get("verified") is True),
    }

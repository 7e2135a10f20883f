"""Send mixed callers' messages over many connections at once, until enough was answered."""

import asyncio
from random import Random

from aiohttp import ClientSession

from tests.drill.digits import Told, price_text
from tests.wire.callers import CUSTOMERS, KEYS, QUANTITIES, SKUS, Caller
from tests.wire.judging import Verdict
from tests.wire.messages import Honest, Page, Villain, body_of
from tests.wire.speaking import speak

_MOST_MESSAGES = 6


async def post_prices(session: ClientSession, *, control: str, public: str) -> None:
    """Post everybody's own prices in the ERP, and let the service load them."""
    for customer in CUSTOMERS:
        for sku in SKUS:
            row = {
                "account_type": "table",
                "account": customer,
                "sku": sku,
                "price": price_text(Told(customer, sku, 0)),
            }
            async with session.post(f"{control}/systems/fo/prices", json=row) as answer:
                answer.raise_for_status()
        lines = tuple((sku, quantity) for sku in SKUS for quantity in QUANTITIES)
        headers = {"X-API-Key": KEYS[0], "Content-Type": "application/json"}
        body = body_of(Page(customer, lines))
        async with session.post(f"{public}/v1/prices", data=body, headers=headers) as answer:
            content = await answer.json()
            if not content.get("complete"):
                raise RuntimeError(f"the service has no prices: {content}")


async def fuzz(
    port: int,
    callers: list[Caller],
    *,
    answers: int,
    connections: int,
    seed: int,
    is_direct: bool,
) -> Verdict:
    """Return the verdict on so many answers at least.

    Args:
        port: Where to send.
        callers: Who sends.
        answers: How many are enough.
        connections: At once; two of three send nothing unusual.
        seed: Of what is sent.
        is_direct: Whether the service itself listens there, and no proxy.
    """
    verdict = Verdict()

    async def work(number: int) -> None:
        random = Random(seed * 1000 + number)
        sender = Villain if number % 3 == 0 else Honest
        while verdict.answers < answers:
            maker = sender(random, callers)
            messages = [maker.message() for _ in range(random.randint(1, _MOST_MESSAGES))]
            verdict.hear(messages, await speak(port, messages, random), is_direct=is_direct)

    async with asyncio.TaskGroup() as group:
        for number in range(connections):
            group.create_task(work(number))
    return verdict

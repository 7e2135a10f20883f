"""Before the ERP keys and customers take turns, whoever asks first or most; loads stay shared."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pricing_proxy.domain.freshness import State
from pricing_proxy.domain.price import NoPrice, Price, Unusable
from pricing_proxy.prices.ports import Wanted
from pricing_proxy.prices.query import Context, Key, Line
from pricing_proxy.resilience.aimd import AimdSettings
from pricing_proxy.resilience.bulkhead import Bulkhead
from pricing_proxy.resilience.call_class import Caller, Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.shared_state.customer_map import Customer
from tests.fakes.erp import FakeErp
from tests.fakes.price_world import MARKET, PriceWorld, price_service
from tests.virtual_time import LoopClock

ACCOUNTS = [f"C-{number}" for number in range(200)]


@dataclass(kw_only=True)
class GuardedErp(FakeErp):
    """An ERP behind a bulkhead with two slots for pages."""

    bulkhead: Bulkhead
    tickets: list[Ticket]

    async def load(
        self,
        customer: Customer,
        context: Context,
        wanted: Sequence[Wanted],
        *,
        ticket: Ticket,
        deadline: Deadline,
    ) -> Mapping[Key, Price | NoPrice | Unusable]:
        self.tickets.append(ticket)
        async with self.bulkhead.slot(ticket, start_by=deadline):
            return await super().load(customer, context, wanted, ticket=ticket, deadline=deadline)


def guarded_world() -> tuple[PriceWorld, GuardedErp]:
    clock = LoopClock(asyncio.get_running_loop())
    bulkhead = Bulkhead(system="fo", name="fo", clock=clock, settings=AimdSettings(initial=4))
    erp = GuardedErp(clock=clock, bulkhead=bulkhead, tickets=[], latency_seconds=0.2)
    skus = [f"S-{number}" for number in range(1, 140)]
    return price_service(erp=erp, accounts=ACCOUNTS, skus=skus), erp


async def ask(world: PriceWorld, line: str | Line, *, account: str, asked_by: str) -> State:
    query = world.query(line, account=account, wait_seconds=2)
    quote = await world.service.quote(query._replace(asked_by=asked_by))
    return quote.lines[0].state


async def test_a_flood_under_one_key_leaves_the_others_their_turns() -> None:
    """Each of its pages is of another customer, and the newest go first."""
    world, _ = guarded_world()
    flood = [
        asyncio.create_task(ask(world, "S-1", account=account, asked_by="crawler"))
        for account in ACCOUNTS[10:]
    ]
    await asyncio.sleep(0.1)
    pages = [
        asyncio.create_task(ask(world, "S-2", account="C-1", asked_by="shop")),
        asyncio.create_task(ask(world, "S-2", account="C-2", asked_by="shop")),
    ]
    more = [
        asyncio.create_task(ask(world, "S-3", account=account, asked_by="crawler"))
        for account in ACCOUNTS[10:]
    ]
    assert await asyncio.gather(*pages) == [State.FRESH] * 2
    states = await asyncio.gather(*flood, *more)
    assert states.count(State.FRESH) < len(states) // 4
    await world.loader.flights.aclose()


async def test_a_customer_who_floods_leaves_the_others_of_the_key_their_turns() -> None:
    world, _ = guarded_world()
    flood = [
        asyncio.create_task(ask(world, f"S-{number}", account="C-9", asked_by="shop"))
        for number in range(1, 140)
    ]
    page = asyncio.create_task(ask(world, "S-1", account="C-1", asked_by="shop"))
    await asyncio.sleep(0.01)
    flood += [
        asyncio.create_task(ask(world, Line(f"S-{number}", "2"), account="C-9", asked_by="shop"))
        for number in range(1, 140)
    ]
    assert await page is State.FRESH
    states = await asyncio.gather(*flood)
    assert states.count(State.FRESH) < len(states) // 4
    await world.loader.flights.aclose()


async def test_pages_of_two_keys_for_one_customer_are_still_one_load() -> None:
    world, erp = guarded_world()
    asked = [
        asyncio.create_task(ask(world, "S-1", account="C-1", asked_by=key))
        for key in ("shop", "crawler", "shop")
    ]
    assert await asyncio.gather(*asked) == [State.FRESH] * 3
    assert len(erp.batches) == 1
    [ticket] = erp.tickets
    customer = f"{MARKET}|C-1"
    assert ticket.callers == (Caller("shop", customer), Caller("crawler", customer))
    await world.loader.flights.aclose()

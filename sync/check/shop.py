"""The shop's rows: whether it answers, signing, then access to each route that the flows read.

Reads only, so the right to write back is not seen here.
"""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from datetime import datetime, timedelta
from functools import partial
from operator import attrgetter

from aiohttp import ClientSession

from pricing_proxy.diagnosis.board import Board, Finding, failed, ok, skipped, warned
from pricing_proxy.diagnosis.clocks import clock_finding
from pricing_proxy.diagnosis.direct_calls import (
    DirectPolicy,
    Patience,
    unreadable,
)
from pricing_proxy.diagnosis.limits import Limits
from pricing_proxy.diagnosis.report import Progress
from pricing_proxy.diagnosis.sampling import sample_calls
from pricing_proxy.diagnosis.steps import Advice, Steps
from pricing_proxy.diagnosis.vitals import Vitals
from pricing_proxy.http_exchange import http_session
from pricing_proxy.resilience.errors import UpstreamDeniedError, UpstreamError
from sync.description import CheckRow
from sync.flows import FLOWS
from sync.given import ConfiguredMarket
from sync.magento.odd_rows import OddRow
from sync.magento.orders import OrderCalls
from sync.magento.resources import Resource
from sync.magento.search import PAGE_SIZE
from sync.magento.shop import Shop
from sync.magento.way import shop_over
from sync.sections import Magento

_HERE = "sync.magento"
# Long enough to meet something in a quiet shop.
_LATELY = timedelta(days=1)
_MOST_NAMED = 5
_NO_RIGHT = "authorized to access"
_CLOCK = "Magento's clock"
_WORDS: CheckRow[Shop] = CheckRow(
    name="words of refusals",
    look=lambda shop: shop.wording.look(),
    advice=Advice(
        what="how it refuses",
        when_missing="The shop has no routes at all: compare its version with 2.4",
        who="the integration",
        place="the shop's log",
    ),
)
# Refused at once without a signature, and never out of a cache, as a page of the shop is.
_A_ROUTE = "/rest/V1/orders"


async def check_shop(
    magento: Magento,
    markets: Mapping[str, ConfiguredMarket],
    *,
    limits: Limits,
    patience: Patience,
    on_progress: Progress,
) -> Board:
    """Return the shop's table.

    Args:
        magento: The shop.
        markets: What runs for it.
        limits: What is too slow.
        patience: How long to wait.
        on_progress: Told what is looked at.
    """
    vitals = _vitals(magento, limits)
    used, more = _resources(markets), [_WORDS, *_more(markets)]
    board = Board("Shop", (*vitals.names, _CLOCK, *used, *(row.name for row in more)))
    try:
        session = http_session(magento.ca_file, proxy=magento.way_out())
    except OSError as error:
        cause = unreadable(magento.ca_file, error, key=f"{_HERE}.ca_file")
        board.put(vitals.reachable, cause)
        board.fill_rest(skipped(vitals.reachable))
        return board
    on_progress("the shop")
    async with session:
        shop = shop_over(
            session, magento, policy=DirectPolicy(), clock=patience.clock, call_time=patience.wait
        )
        samples = await sample_calls(
            lambda: _signed_call(shop.orders), enough=limits.sampling, clock=patience.clock
        )
        vitals.judge(board, samples, admitted="the signature is accepted")
        steps = Steps(board, system=board, vitals=vitals, is_over=patience.is_over)
        await _compare_clocks(board, vitals, session, magento.url, patience)
        await _check_rows(steps, shop, used.values(), more, patience.clock.utc() - _LATELY)
    return board


async def _compare_clocks(
    board: Board, vitals: Vitals, session: ClientSession, url: str, patience: Patience
) -> None:
    """Write the row, also where the shop refuses us: its clock may be why."""
    try:
        finding = await clock_finding(session, url, _A_ROUTE, whose="Magento", patience=patience)
    except UpstreamError:
        finding = skipped(board.first_failed() or vitals.errors)
    board.put(_CLOCK, finding)


async def _check_rows(
    steps: Steps,
    shop: Shop,
    used: Iterable[Resource],
    more: Iterable[CheckRow[Shop]],
    since: datetime,
) -> None:
    async with asyncio.TaskGroup() as group:
        for resource in used:
            group.create_task(_check_resource(steps, shop, resource, since=since))
    async with asyncio.TaskGroup() as group:
        for row in more:
            look = partial(_looked, row, shop)
            group.create_task(steps.run(row.name, look, advice=row.advice, needs=row.needs))


async def _looked(row: CheckRow[Shop], shop: Shop) -> Finding:
    """Return what a row of a flow's own finds; a right that is missing is its own finding too."""
    try:
        return await row.look(shop)
    except UpstreamDeniedError as error:
        if _NO_RIGHT not in str(error):
            raise
        return failed(
            str(error),
            f"In the shop, System > Integrations > API: give {row.advice.who} the right to read "
            f"{row.advice.what}, then activate it again",
        )


async def _signed_call(orders: OrderCalls) -> None:
    """Ask for the cheapest thing; who may not have it was recognised all the same."""
    try:
        await orders.order_count()
    except UpstreamDeniedError as error:
        if _NO_RIGHT not in str(error):
            raise


def _resources(markets: Mapping[str, ConfiguredMarket]) -> dict[str, Resource]:
    """Return what the flows that are on anywhere read of the shop, by name."""
    on = {flow for market in markets.values() for flow in market.own.flows}
    used = [each for flow in FLOWS if flow.name in on for each in flow.resources]
    return {each.name: each for each in sorted(used, key=attrgetter("name"))}


def _more(markets: Mapping[str, ConfiguredMarket]) -> list[CheckRow[Shop]]:
    """Return the rows that flows have of their own."""
    having = {
        flow: {code: each for code, each in markets.items() if flow.name in each.own.flows}
        for flow in FLOWS
    }
    return [row for flow, those in having.items() for row in flow.shop_rows(those)]


async def _check_resource(steps: Steps, shop: Shop, resource: Resource, *, since: datetime) -> None:
    name = resource.name

    async def look() -> Finding:
        try:
            await resource.read(shop)
        except UpstreamDeniedError as error:
            if _NO_RIGHT not in str(error):
                raise
            return failed(
                str(error),
                f"In the shop, System > Integrations > API: give the integration {resource.right}, "
                "then activate it again",
            )
        return await _readable(shop, resource, since)

    await steps.run(name, look, advice=resource.advice(name, route=name))


async def _readable(shop: Shop, resource: Resource, since: datetime) -> Finding:
    """Return what a poll would meet among what changed lately."""
    read, odd = 0, list[OddRow]()
    if resource.lately is not None:
        async with aclosing(resource.lately(shop, since)) as pages:
            async for page in pages:
                read += len(page.rows)
                odd += page.odd
                if read + len(odd) >= PAGE_SIZE:
                    break
    if not odd:
        return ok("readable")
    named = "; ".join(f"#{row.entity_id}: {row.text}" for row in odd[:_MOST_NAMED])
    more = f" and {len(odd) - _MOST_NAMED} more" if len(odd) > _MOST_NAMED else ""
    return warned(
        f"readable, but of {read + len(odd)} that changed lately {len(odd)} cannot be read: "
        f"{named}{more}",
        "Mend them in the shop; all others go on. All are in: d365-sync failed",
    )


def _vitals(magento: Magento, limits: Limits) -> Vitals:
    return Vitals(
        label="Magento",
        admitted="Magento accepts the signature",
        slow=limits.erp_slow,
        unsteady=limits.unsteady,
        when_lost=f"Open {magento.url} from this machine; look at {_HERE}.url, ca_file and "
        "proxy, DNS, firewall, and whether the shop runs",
        when_throttling="Wait as long as it asks; look at the limits of the web server or WAF in "
        "front of the shop for this machine's address",
        when_failing="Look into var/log of the shop, and at its web server's log",
        when_refusing=lambda _: (
            f"Compare the four texts of the integration with {_HERE} and that it is active; then "
            "signed_url (the address as PHP sees it), and this machine's clock"
        ),
        when_slow="Look at the load of the shop's PHP workers and database, then at the line from "
        "this machine",
        proxy=magento.way_out(),
    )

"""The shop's rows: whether it answers, signing, then access to each route that the flows read.

Reads only, so the right to write back is not seen here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from pricing_proxy.diagnosis.board import Board, Finding, failed, ok, skipped
from pricing_proxy.diagnosis.direct_calls import (
    DirectPolicy,
    Patience,
    direct_session,
    trusted_certificates,
)
from pricing_proxy.diagnosis.limits import Limits
from pricing_proxy.diagnosis.report import Progress
from pricing_proxy.diagnosis.sampling import sample_calls
from pricing_proxy.diagnosis.steps import Advice, Steps
from pricing_proxy.diagnosis.vitals import Vitals
from pricing_proxy.resilience.errors import UpstreamDeniedError
from sync.check.order_numbers import NUMBERS, check_numbers
from sync.customers.write_back import advice_on
from sync.magento.calls import Calls
from sync.magento.customers import CustomerCalls
from sync.magento.orders import OrderCalls
from sync.magento.shop import Shop
from sync.magento.transport import ShopTransport
from sync.sections import Magento

_HERE = "sync.magento"
_NO_RIGHT = "authorized to access"
# Where an administrator gives access, by what is read.
_RESOURCES = {
    "orders": "Sales > Operations > Orders",
    "customers": "Customers > All Customers",
    "credit memos": "Sales > Operations > Credit Memos",
    "products": "Catalog > Inventory > Products",
}


async def check_shop(
    magento: Magento,
    attributes: Mapping[str, str],
    companies: Sequence[Mapping[int, str]],
    *,
    limits: Limits,
    patience: Patience,
    on_progress: Progress,
) -> Board:
    """Return the shop's table.

    Args:
        magento: The shop.
        attributes: The customer attributes that are written, each with a market that does.
        companies: The prefixes of each company's store views, where it has several.
        limits: What is too slow.
        patience: How long to wait.
        on_progress: Told what is looked at.
    """
    vitals = _vitals(magento, limits)
    rows = (*_RESOURCES, *map(_attribute_row, attributes), *([NUMBERS] if companies else ()))
    board = Board("Shop", (*vitals.names, *rows))
    try:
        trusted = trusted_certificates(magento.ca_file)
    except OSError as error:
        board.put(
            vitals.reachable,
            failed(
                f"{magento.ca_file} cannot be read: {error.strerror or type(error).__name__}",
                f"Correct {_HERE}.ca_file: a PEM file with the authority's certificate",
            ),
        )
        board.fill_rest(skipped(vitals.reachable))
        return board
    on_progress("the shop")
    async with direct_session(trusted) as session:
        transport = ShopTransport(
            session,
            base_url=magento.url,
            credentials=magento.credentials,
            clock=patience.clock,
            signed_url=magento.signed_url,
        )
        calls = Calls(
            transport, policy=DirectPolicy(), clock=patience.clock, call_time=patience.wait
        )
        shop = Shop(calls)
        steps = await _fill(board, vitals, shop, attributes, limits=limits, patience=patience)
        if companies:
            await check_numbers(steps, shop.orders, companies)
    return board


async def _fill(
    board: Board,
    vitals: Vitals,
    shop: Shop,
    attributes: Mapping[str, str],
    *,
    limits: Limits,
    patience: Patience,
) -> Steps:
    samples = await sample_calls(
        lambda: _signed_call(shop.orders), enough=limits.sampling, clock=patience.clock
    )
    vitals.judge(board, samples, admitted="the signature is accepted")
    steps = Steps(board, system=board, vitals=vitals, is_over=patience.is_over)
    async with asyncio.TaskGroup() as group:
        for name, read in _routes(shop).items():
            group.create_task(_check_route(steps, name, read))
    async with asyncio.TaskGroup() as group:
        for code, market in attributes.items():
            group.create_task(_check_attribute(steps, shop.customers, code, market))
    return steps


async def _signed_call(orders: OrderCalls) -> None:
    """Ask for the cheapest thing; who may not have it was recognised all the same."""
    try:
        await orders.order_count()
    except UpstreamDeniedError as error:
        if _NO_RIGHT not in str(error):
            raise


def _routes(shop: Shop) -> Mapping[str, Callable[[], Awaitable[object]]]:
    return {
        "orders": shop.orders.order_count,
        "customers": lambda: shop.customers.customers_by_email("nobody@shop.invalid"),
        "credit memos": lambda: shop.credit_memos.credit_memos(0),
        "products": lambda: shop.products.products_by_id([0]),
    }


async def _check_route(steps: Steps, name: str, read: Callable[[], Awaitable[object]]) -> None:
    resource = _RESOURCES[name]

    async def look() -> Finding:
        try:
            await read()
        except UpstreamDeniedError as error:
            if _NO_RIGHT not in str(error):
                raise
            return failed(
                str(error),
                f"In the shop, System > Integrations > API: give the integration {resource}, "
                "then activate it again",
            )
        return ok("readable")

    advice = Advice(
        what=name,
        when_missing=f"The shop has no route for {name}: compare its version with 2.4",
        who=f"the integration ({resource})",
        place="the shop's log",
    )
    await steps.run(name, look, advice=advice)


async def _check_attribute(steps: Steps, customers: CustomerCalls, code: str, market: str) -> None:
    """Look for the attribute that customers' accounts are written into."""

    async def look() -> Finding:
        if await customers.has_customer_attribute(code):
            return ok("is there")
        step = advice_on(code, market)
        return failed("the shop's customers have no such attribute", step[:1].upper() + step[1:])

    advice = Advice(
        what="customer attributes",
        when_missing="The shop has no route for attributes: compare its version with 2.4",
        who=f"the integration ({_RESOURCES['customers']})",
        place="the shop's log",
    )
    await steps.run(_attribute_row(code), look, advice=advice, needs=["customers"])


def _attribute_row(code: str) -> str:
    return f"customer attribute {code}"


def _vitals(magento: Magento, limits: Limits) -> Vitals:
    return Vitals(
        label="Magento",
        admitted="Magento accepts the signature",
        slow=limits.erp_slow,
        unsteady=limits.unsteady,
        when_lost=f"Open {magento.url} from this machine; look at {_HERE}.url, ca_file, DNS, "
        "firewall, and whether the shop runs",
        when_throttling="Wait as long as it asks; look at the limits of the web server or WAF in "
        "front of the shop for this machine's address",
        when_failing="Look into var/log of the shop, and at its web server's log",
        when_refusing=lambda _: (
            f"Compare the four texts of the integration with {_HERE} and that it is active; then "
            "signed_url (the address as PHP sees it), and this machine's clock"
        ),
        when_slow="Look at the load of the shop's PHP workers and database, then at the line from "
        "this machine",
    )

"""The shop's rows: reachable and signing, then access to each route that the flows read.

A row that fails for the shop's sake as a whole is the first; the others are skipped then.
Reads only, so the right to write back is not seen here.
"""

from collections.abc import Awaitable, Callable

from pricing_proxy.resilience.errors import UpstreamDeniedError, UpstreamError
from sync.check.rows import CheckRow, State
from sync.magento.client import MagentoClient

ACCESS = "Magento"
_NO_RIGHT = "authorized to access"


async def shop_rows(shop: MagentoClient) -> list[CheckRow]:
    """Return the shop's rows."""
    routes: dict[str, Callable[[], Awaitable[object]]] = {
        "orders": shop.order_count,
        "customers": lambda: shop.customers_by_email("nobody@shop.invalid"),
        "credit memos": lambda: shop.credit_memos(0),
        "products": lambda: shop.products_by_id([0]),
    }
    first = await _access_row(shop)
    if first.state is not State.OK:
        skipped = [
            CheckRow(name=name, state=State.SKIPPED, found=f"needs {ACCESS}") for name in routes
        ]
        return [first, *skipped]
    return [first, *[await _route_row(name, ask) for name, ask in routes.items()]]


async def _access_row(shop: MagentoClient) -> CheckRow:
    try:
        await shop.order_count()
    except UpstreamDeniedError as error:
        if _NO_RIGHT not in str(error):
            return _failed(
                ACCESS,
                error,
                "check the four texts of the integration, that it is active, signed_url, and "
                "this machine's clock",
            )
    except UpstreamError as error:
        return _failed(ACCESS, error, "check sync.magento.url, and that the shop is up")
    return CheckRow(name=ACCESS, state=State.OK, found="reachable, signature accepted")


async def _route_row(name: str, ask: Callable[[], Awaitable[object]]) -> CheckRow:
    try:
        await ask()
    except UpstreamDeniedError as error:
        return _failed(name, error, f"give the integration access to {name} in the shop")
    except UpstreamError as error:
        return _failed(name, error, f"see the shop's log for what {name} answer")
    return CheckRow(name=name, state=State.OK, found="readable")


def _failed(name: str, error: UpstreamError, next_step: str) -> CheckRow:
    return CheckRow(name=name, state=State.FAILED, found=str(error), next_step=next_step)

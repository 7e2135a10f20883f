"""Find the open lines of a page a load; service and explanation go through the same door."""

from collections.abc import Callable

from pricing_proxy.prices.flights import Flight
from pricing_proxy.prices.loading import Loader
from pricing_proxy.prices.open_line import OpenLine
from pricing_proxy.prices.page import Page


def board(page: Page, loader: Loader, look: Callable[[OpenLine], Flight | None]) -> list[OpenLine]:
    """Give each open line a load under way or the reason why it gets none; return the others.

    Args:
        page: The page.
        loader: Knows what stands in the way of a load.
        look: Returns the load under way that answers a line; None when there is none.
    """
    left: list[OpenLine] = []
    for line in page.open_lines:
        if line.flight is None and line.entry is not None:
            # Without one Redis may hold it: the load looks there before it asks why not.
            line.failure = loader.obstacle(page.query.context, line.key, page.policy.klass)
        if line.flight is None and line.failure is None:
            line.flight = look(line)
            if line.flight is None:
                left.append(line)
    return left

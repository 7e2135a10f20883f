"""The row of whether the orders of one company's store views can be told apart.

There is one where several store views send to one company. It is red when two orders have one
reference; it says where numbers only begin alike, and of which store view nothing is known.
"""

from collections.abc import Mapping, Sequence

from pricing_proxy.diagnosis.board import Finding, failed, ok
from pricing_proxy.diagnosis.steps import Advice, Steps
from sync.magento.orders import OrderCalls
from sync.orders.number_ranges import look_at_ranges

NUMBERS = "order numbers"
_ADVICE = Advice(
    what=NUMBERS,
    when_missing="The shop has no route for orders: compare its version with 2.4",
    who="the integration (Sales > Operations > Orders)",
    place="the shop's log",
)


async def check_numbers(
    steps: Steps, orders: OrderCalls, companies: Sequence[Mapping[int, str]]
) -> None:
    """Fill the row.

    Args:
        steps: Of the shop's table.
        orders: The shop's.
        companies: The prefixes of each company's store views, where it has several.
    """

    async def look() -> Finding:
        ranges = [await look_at_ranges(orders, prefixes) for prefixes in companies]
        collisions = [text for each in ranges for text in each.collisions]
        if collisions:
            return failed(
                "; ".join(collisions),
                "Give one of them a prefix of its own: sync.markets.*.orders.reference_prefix; "
                "until then the second order of a number is held",
            )
        open_ends = [
            f"{text}: fine where they share one sequence, else give one a prefix"
            for each in ranges
            for text in each.alike
        ]
        open_ends += [
            f"store view {store} has no order yet" for each in ranges for store in each.unknown
        ]
        if open_ends:
            return ok(f"no reference twice so far; not known for sure: {'; '.join(open_ends)}")
        return ok("the store views of each company number apart")

    await steps.run(NUMBERS, look, advice=_ADVICE)

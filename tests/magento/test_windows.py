"""A window, as the shop is asked for it: exactly the rows it takes, in a line that servers take."""

from datetime import timedelta
from urllib.parse import parse_qsl

from hypothesis import given, settings
from hypothesis import strategies as st

from pricing_proxy.sandbox.shop.criteria import find, parse_criteria
from sync.engine.reach import MOST_KNOWN
from sync.engine.windows import Left, Window
from sync.magento.places import ByChange
from sync.magento.search import Search
from sync.magento.window_groups import groups_of
from tests.magento.loopback import client_of
from tests.magento.test_client import T0, head, orders_table

# What Apache, nginx and most load balancers let a request line be.
LONGEST_LINE = 8190
SECONDS = st.integers(0, 12).map(lambda second: T0 + timedelta(seconds=second))
PAIRS = st.tuples(SECONDS, SECONDS).map(lambda pair: (min(pair), max(pair)))
IDS = st.one_of(st.none(), st.frozensets(st.integers(1, 12), min_size=1))
LEFT = st.tuples(IDS, PAIRS).map(lambda drawn: Left(drawn[0], *drawn[1]))
WINDOWS = st.builds(
    Window,
    since=SECONDS,
    until=st.one_of(st.none(), SECONDS),
    skipped=st.one_of(st.none(), PAIRS),
    left=st.lists(LEFT, max_size=3).map(tuple),
)


@settings(max_examples=100, deadline=None)
@given(WINDOWS, st.lists(st.integers(0, 12), min_size=12, max_size=12))
def test_the_shop_is_asked_for_the_rows_that_a_window_takes(
    window: Window, seconds: list[int]
) -> None:
    rows = [head(number, second) for number, second in enumerate(seconds, start=1)]
    search = Search(groups=(*groups_of(window), *ByChange(window.since).groups))

    found, _ = find(rows, parse_criteria(parse_qsl(search.query())), dict.get)

    dates = {number: T0 + timedelta(seconds=at) for number, at in enumerate(seconds, start=1)}
    taken = {number for number, at in dates.items() if window.takes(number, at)}
    assert {row["entity_id"] for row in found} == taken


async def test_an_order_that_was_given_its_number_is_read_when_it_settles() -> None:
    """Our own write moves `updated_at`: each order would be read once more for it."""
    rows = [head(number, 5) for number in range(1, 6)]
    for row, state in zip(rows, ("new", "processing", "canceled", "holded", "new"), strict=True):
        row |= {"state": state, "ext_order_id": f"SO-{row['entity_id']}"}
    rows[4]["ext_order_id"] = None
    soon = Window(since=T0, settles_before=T0 + timedelta(seconds=5))
    settled = Window(since=T0, settles_before=T0 + timedelta(seconds=6))

    async with client_of(orders_table(rows)) as (client, _):
        ids = [
            [row.entity_id async for page in pages for row in page.rows]
            for pages in map(client.orders.order_heads_changed, (soon, settled))
        ]

    assert ids == [[3, 4, 5], [1, 2, 3, 4, 5]]


async def test_no_window_makes_a_line_that_servers_refuse() -> None:
    known = range(900_000_000, 900_000_000 + MOST_KNOWN)
    later = T0 + timedelta(seconds=1)
    window = Window(
        since=T0,
        until=later,
        skipped=(T0, later),
        settles_before=T0,
        left=(*[Left(frozenset(known), T0, later)] * 2, Left(None, T0, later)),
    )
    rows = [head(number, 0) for number in range(1, 4)]
    async with client_of(orders_table(rows)) as (client, shop):
        pages = client.orders.order_heads_changed(window, without=range(800_000_000, 800_000_900))
        [page async for page in pages]

    assert max(len(request.raw_path) for request in shop.requests) + 20 < LONGEST_LINE

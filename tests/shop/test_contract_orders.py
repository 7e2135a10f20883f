"""The recorded life of thirteen orders, replayed in its order against the simulated shop."""

import pytest

from tests.magento.recordings import recordings
from tests.shop.conftest import Wire
from tests.shop.replay import replay

ORDERS = recordings("orders")
CONFIGURABLE = "SHADE-0001"
GENT = {"country_id": "BE", "city": "Gent", "postcode": "9000"}
LAMP = {"sku": "LAMP-01"}
OPTIONS = {"sku": "LAMP-03", "text": "ABC", "choice": 2}

# In the recorded sequence, which later requests build upon. What needs another setting of the
# shop, a cart, or two requests at once is not served by the sandbox.
SEQUENCE = [
    name
    for name in ORDERS
    if not name.startswith(("cart_", "7", "03d"))
    # The search by updated_at of the recording day.
    and name != "03c_list_page_beyond_the_end"
]


async def words_of(wire: Wire) -> dict[str, str]:
    """Place the thirteen orders as they were, and return how to translate."""
    shade = wire.sandbox.shop.catalog.named(CONFIGURABLE)
    variant = wire.sandbox.shop.catalog.by_id(next(iter(shade.variants))).sku
    conf = {"sku": variant}
    carts = [
        [LAMP | {"quantity": 2}, conf, OPTIONS],
        [LAMP | {"quantity": 3}],
        [LAMP],
        [LAMP],
        [conf],
        [LAMP | {"quantity": 4}],
        [LAMP | {"quantity": 2}, conf, OPTIONS],
        [LAMP | {"quantity": 4}],
        [LAMP | {"quantity": 2}],
        [conf],
        [LAMP],
        [LAMP],
        [LAMP],
    ]
    for number, lines in enumerate(carts, start=1):
        who = {"customer": 1} if number == 2 else {"guest": True}
        website = "b2b" if number == 13 else "base"
        where = {"shipping_address": GENT} if number == 2 else {"address": GENT}
        await wire.place(kind="simple", lines=lines, website=website, **where, **who)
    names = {"LAB-S1": "LAMP-01", "Name via default store path": "Lamp 1"}
    return names | {"LAB-C1-RED": variant, "LAB-O1-ENG-BOXB": "LAMP-03-ENG-BOXB"}


async def test_the_recorded_life_of_orders_happens_again(wire: Wire) -> None:
    words = await words_of(wire)
    for name in SEQUENCE:
        await replay(wire, ORDERS[name], words)


async def test_an_unknown_column_is_an_internal_error(wire: Wire) -> None:
    await replay(wire, ORDERS["03d_list_unknown_field"], {})


@pytest.mark.parametrize("number", range(2))
async def test_a_page_past_the_end_has_no_items(wire: Wire, number: int) -> None:
    await wire.place(count=number + 1)
    await replay(wire, ORDERS["03c_list_page_beyond_the_end"], {})

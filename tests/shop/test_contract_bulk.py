"""The recorded bulks are posted again, and the one consumer does with them what it did."""

from decimal import Decimal
from typing import Any

from tests.magento.recordings import Recording, recordings
from tests.shop.conftest import SALES_ONLY, Answer, Wire
from tests.shop.lives import plain, same
from tests.shop.replay import headers, replay, translated

BULKS = recordings("async_bulk")
ERRORS = recordings("errors")
GROUP = {"Tier A dealers": "Dealers"}
# The simulated consumer ships and comments nothing.
NOT_SERVED = ("11_", "11b_", "11c_", "11d_")
BEFORE_THE_CONSUMER = ("01_bulk_products_post", "02_bulk_status_before")


async def made(wire: Wire, sku: str) -> None:
    product = {"sku": sku, "name": "n slash", "attribute_set_id": 4, "price": 2, "weight": 1}
    answer = await wire.send("POST", "/rest/all/V1/products", {"product": product})
    assert answer.status == 200, answer.body


def worked_off(wire: Wire) -> int:
    """Let the consumer do all there is; returns how often that killed it."""
    shop = wire.sandbox.shop
    deaths = 0
    while shop.bulks.waiting:
        shop.dials.consumer_dead = False
        shop.consumer.work_off()
        deaths += shop.dials.consumer_dead
    shop.dials.consumer_dead = True
    return deaths


async def test_the_recorded_bulks_are_carried_out_as_recorded(wire: Wire) -> None:
    await made(wire, "LAB/SL 1")
    # A save puts what there is nothing of out of stock.
    wire.sandbox.shop.inventory.write("LAB/SL 1", "default", Decimal(55))
    # Nothing happens but when the test says so.
    await wire.turn(consumer_dead=True)
    words = dict(GROUP)
    for name in sorted(BULKS, key=_turn):
        recording = BULKS[name]
        if name.startswith(NOT_SERVED):
            continue
        answer = await _sent_again(wire, recording, words)
        if isinstance(answer.body, dict) and "bulk_uuid" in answer.body:
            words[recording.answer["bulk_uuid"]] = answer.body["bulk_uuid"]
        assert same(plain(recording.answer, words), answer.body) == [], name
        if name not in BEFORE_THE_CONSUMER:
            assert worked_off(wire) == (2 if name == "07_bulk_put_by_sku" else 0), name


def _turn(name: str) -> str:
    """Return when a recording was made: those with a 2 came behind the ones without a number."""
    return name.replace("05e_", "05e1_").replace("05f_", "05f1_")


async def _sent_again(wire: Wire, recording: Recording, words: dict[str, str]) -> Answer:
    options: dict[str, Any] = {}
    if recording.name == "13_bulk_acl_denied":
        options["credentials"] = SALES_ONLY
    if "detailed" not in recording.name and recording.name != "03d_bulk_search":
        return await replay(wire, recording, words, **options)
    path = translated(recording.path, words)
    answer = await wire.send(recording.method, path, headers=headers(recording))
    assert (answer.status, answer.content_type) == (recording.status, recording.content_type)
    return answer


LIMITS = {
    "input_limit": True,
    "array_limit": 20,
    "max_page_size": 50,
    "default_page_size": 10,
}


async def test_the_shops_limits_refuse_what_they_refused(wire: Wire) -> None:
    await wire.place(count=1)
    await wire.turn(input_limit=True)
    for name in ("09_limits_on_page_size_301", "09b_limits_on_page_size_300"):
        await replay(wire, ERRORS[name], {})
    await wire.turn(**LIMITS)
    for name, recording in ERRORS.items():
        # What 100 texts were answered was recorded as a count.
        if name.startswith("09") and not name.startswith(("09_", "09b_", "09f_")):
            await replay(wire, recording, {})


async def test_a_lost_deadlock_is_a_400_and_writes_nothing(wire: Wire) -> None:
    await wire.turn(deadlock_rate=1)
    await replay(wire, ERRORS["11_deadlock_between_two_base_price_batches"], {})

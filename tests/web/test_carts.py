"""A cart binds as a whole or is refused as a whole; only who asks for flagged prices gets them."""

import json
from typing import Any

import pytest
from aiohttp import ClientResponse

from pricing_proxy.domain.freshness import Mode
from pricing_proxy.resilience.errors import UpstreamUnavailableError
from tests.fakes.erp import distinct_price, outage_of
from tests.web.documented import fits
from tests.web.shop import Shop, body
from tests.web.storefront import bearer, token

PATH = "/v1/carts/price"


async def cart(shop: Shop, *skus: str, **members: Any) -> ClientResponse:
    return await shop.post(body(*skus, **members), path=PATH)


async def test_a_cart_binds_with_prices_that_were_read_for_it(shop: Shop) -> None:
    await shop.ask("S-1")
    shop.world.erp.set_price("C-1", "S-1", "17.00")
    shop.world.invalidate()

    answer = await cart(shop, "S-1", "S-2")

    content = await answer.json()
    fits("CartAnswer", content)
    assert answer.status == 200
    assert (content["binding"], content["cart_discounts"]) == (True, None)
    assert [line["state"] for line in content["lines"]] == ["fresh", "fresh"]
    [first, second] = (await answer.json())["lines"]
    assert (first["line_total"], second["line_total"]) == ("17.00", distinct_price("C-1", "S-2"))
    assert answer.headers["Cache-Control"] == "private, no-store"


async def test_while_the_erp_is_away_no_line_of_a_cart_is_sold(shop: Shop) -> None:
    await shop.ask("S-1", "S-2")
    shop.world.erp.outage = outage_of(UpstreamUnavailableError)
    shop.world.invalidate()

    answer = await cart(shop, "S-1", "S-2")

    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) >= 1
    refusal = await answer.json()
    fits("CheckoutRefusal", refusal)
    assert [line["last_known"] is None for line in refusal["lines"]] == [False, False]


async def test_flagged_prices_bind_nothing(shop: Shop) -> None:
    await shop.ask("S-1")
    shop.world.erp.outage = outage_of(UpstreamUnavailableError)
    shop.world.invalidate()

    answer = await cart(shop, "S-1", accept="flagged")

    content = await answer.json()
    assert answer.status == 200
    assert (content["binding"], content["lines"][0]["binding"]) == (False, False)
    assert content["lines"][0]["state"] == "stale"
    assert content["cart_discounts"] is None


@pytest.mark.parametrize("accept", [{}, {"accept": "flagged"}])
async def test_a_line_without_a_price_refuses_the_cart(shop: Shop, accept: Any) -> None:
    answer = await cart(shop, "S-1", "NO-SUCH-SKU", **accept)

    problem = await answer.json()
    assert (answer.status, problem["type"]) == (422, "/problems/no_price")
    assert [flaw["pointer"] for flaw in problem["errors"]] == ["/lines/1/sku"]


async def test_a_cart_may_say_checkout_and_nothing_else(shop: Shop) -> None:
    assert (await cart(shop, "S-1", mode=Mode.CHECKOUT)).status == 200
    answer = await cart(shop, "S-1", mode=Mode.CART)
    problem = await answer.json()
    assert (answer.status, problem["type"]) == (400, "/problems/unknown_mode")
    # Nor does any word of it send the caller to try a mode that this route does not have.
    assert "browse" not in json.dumps(problem)


async def test_a_token_opens_no_cart(shop: Shop) -> None:
    answer = await shop.public.post(PATH, json=body("S-1"), headers=bearer(token()))

    assert (answer.status, (await answer.json())["type"]) == (403, "/problems/token_not_enough")
    assert shop.world.erp.batches == []

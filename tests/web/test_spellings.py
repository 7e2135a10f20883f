"""Callers write names as their shop does; the answer repeats that, the ERP gets its own."""

from typing import Any

import pytest

from pricing_proxy.domain.freshness import Level
from tests.fakes.erp import distinct_price
from tests.web.shop import KEY, Shop, body

PRICE = distinct_price("C-1", "S-1")


async def test_every_answer_repeats_the_caller_s_spelling(shop: Shop) -> None:
    """Cold, from memory one by one, and from memory as a whole, by body and by query."""
    for _ in range(3):
        page = await shop.ask("s-1", " S-2", "S-3", customer="c-1")
        assert page["customer"] == "c-1"
        assert [line["sku"] for line in page["lines"]] == ["s-1", " S-2", "S-3"]
        assert page["lines"][0]["unit_price"] == PRICE
    answer = await shop.get("market=b2b_de&customer=c-1&sku=s-1&sku=S-2")
    page = await answer.json()
    assert answer.headers["Cache-Status"] == "pricing-proxy; hit; detail=l1"
    assert (page["customer"], [line["sku"] for line in page["lines"]]) == ("c-1", ["s-1", "S-2"])
    plain = await shop.ask("S-1", "S-2", "S-3")
    assert (plain["customer"], plain["lines"][0]["sku"]) == ("C-1", "S-1")
    assert len(shop.world.erp.batches) == 1
    assert {key.sku for batch in shop.world.erp.batches for key in batch.keys} == {
        "S-1",
        "S-2",
        "S-3",
    }


async def test_a_checkout_binds_for_any_spelling_and_is_refused_in_the_caller_s(
    shop: Shop,
) -> None:
    bound = await shop.ask("s-1", customer="c-1 ", mode="checkout")
    shop.world.erp.missing.add("S-2")
    refused = await shop.post(body("s-1", "s-2", customer="c-1", mode="checkout"))

    assert (bound["binding"], bound["customer"], bound["lines"][0]["sku"]) == (True, "c-1 ", "s-1")
    assert refused.status == 503
    lines = (await refused.json())["lines"]
    assert [line["sku"] for line in lines] == ["s-1", "s-2"]
    assert lines[0]["last_known"]["sku"] == "s-1"


async def test_spellings_of_nobody_and_nothing_stay_unknown(shop: Shop) -> None:
    page = await shop.ask("s 1", customer="c-1")
    nobody = await shop.post(body("S-1", customer="c 1"))

    assert page["lines"][0] | {"sku": "s 1", "reason": "unknown_sku"} == page["lines"][0]
    assert nobody.status == 404


@pytest.mark.parametrize(
    "scope", [{"customer": "c-1"}, {"sku": "s-1"}, {"sku": " S-1 "}, {"price_group": "g"}]
)
async def test_an_invalidation_reaches_what_it_means(shop: Shop, scope: dict[str, Any]) -> None:
    """An ERP's event and a shop's hook may write a name otherwise than the map does."""
    await shop.ask("S-1")
    shop.world.erp.set_price("C-1", "S-1", "7.7777")
    told = {"market": "b2b_de", "scope": scope, "level": Level.SOFT, "reason": "new prices"}
    answer = await shop.post_admin(told)
    after = await shop.ask("S-1")

    assert answer.status == 202
    assert after["lines"][0]["price"] == "7.7777"


async def test_a_login_warms_the_customer_that_is_meant(shop: Shop) -> None:
    answer = await shop.post(
        {"market": "b2b_de", "skus": ["s-1", "S-2"]}, path="/v1/customers/c-1/login"
    )
    await shop.world.settle()
    page = await shop.ask("S-1", "S-2")

    assert (await answer.json()) == {"warming": 2}
    assert page["complete"]
    assert [batch.account for batch in shop.world.erp.batches] == ["C-1"]


async def test_an_explanation_names_both_spellings(shop: Shop) -> None:
    await shop.ask("S-1")
    answer = await shop.post_admin(body("s-1", customer="c-1"), path="/v1/prices/explain")
    explained = await answer.json()

    assert (explained["customer"], explained["account"]) == ("c-1", "C-1")
    [line] = explained["lines"]
    assert (line["sku"], line["item"], line["verdict"]) == ("s-1", "S-1", "serve")
    assert line["answer"]["sku"] == "s-1"


async def test_a_customer_outside_any_map_has_the_erp_s_spelling_too(shop: Shop) -> None:
    """While there is no map yet, the ERP is asked for the one customer."""
    shop.world.master.is_complete = False
    page = await shop.post(body("S-1", customer="c-2"), headers={"X-API-Key": KEY})
    content = await page.json()

    assert (content["customer"], content["lines"][0]["state"]) == ("c-2", "fresh")
    assert [batch.account for batch in shop.world.erp.batches] == ["C-2"]

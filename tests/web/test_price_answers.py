"""The answers of `/v1/prices` in browse and cart mode, member by member as documented."""

from typing import Any

import pytest

from pricing_proxy.domain.freshness import State
from pricing_proxy.domain.price import NoPrice, NoPriceReason
from pricing_proxy.prices.query import Line, QuotedLine
from pricing_proxy.resilience.errors import UpstreamUnavailableError
from pricing_proxy.web.cache_status import cache_status
from tests.fakes.erp import outage_of
from tests.web.documented import fits
from tests.web.shop import Shop, body


async def test_an_answer_has_exactly_the_documented_members(shop: Shop) -> None:
    lines = [{"sku": "S-7", "quantity": "10", "unit": "PCS"}]

    answer = await shop.ask(lines=lines)

    [line] = answer.pop("lines")
    assert answer == {
        "market": "b2b_de",
        "customer": "C-1",
        "currency": "EUR",
        "tax_included": False,
        "complete": True,
        "verified": True,
        "binding": False,
    }
    assert line.pop("loaded_at").endswith("Z")
    assert line == {
        "sku": "S-7",
        "quantity": "10",
        "unit": "PCS",
        "state": "fresh",
        "verified": True,
        "unit_price": "1.0007",
        "line_total": "10.0070",
        "price": "1.0007",
        "price_unit": "1",
        "discount_percent": "0",
        "charges": "0",
        "list_price": "19.90",
        "source": "fo_service",
        "age_seconds": 0,
    }


async def test_defaults_are_one_piece_in_the_sales_unit_in_browse_mode(shop: Shop) -> None:
    [line] = (await shop.ask("S-1"))["lines"]

    assert (line["quantity"], line["unit"]) == ("1", "PCS")


async def test_a_quantity_is_given_back_as_it_was_written(shop: Shop) -> None:
    """The shop finds its line again by it; 10 and 10.00 are one price all the same."""
    lines = [{"sku": "S-1", "quantity": text} for text in ("10", "10.00", "010")]

    answer = await shop.ask(lines=lines)

    assert [line["quantity"] for line in answer["lines"]] == ["10", "10.00", "010"]
    assert shop.world.erp.lines == 1


async def test_order_and_duplicates_are_kept(shop: Shop) -> None:
    skus = ["S-3", "S-1", "S-3", "S-2"]

    answer = await shop.ask(*skus)

    assert [line["sku"] for line in answer["lines"]] == skus


async def test_get_answers_what_post_answers(shop: Shop) -> None:
    await shop.ask("S-1", "S-2")
    query = "market=b2b_de&customer=C-1&sku=S-1&sku=S-2&quantity=1&mode=browse&wait_ms=2000"

    by_get = await shop.get(query)
    by_post = await shop.post(body("S-1", "S-2"))

    assert await by_get.json() == await by_post.json()
    assert by_get.headers["Cache-Status"] == by_post.headers["Cache-Status"]


async def test_get_takes_quantities_and_units_line_by_line(shop: Shop) -> None:
    answer = await shop.get(
        "market=b2b_de&customer=C-1&sku=S-1&sku=S-2&quantity=5&quantity=7&unit=PCS&wait_ms=2000"
    )

    lines = (await answer.json())["lines"]
    assert [(line["quantity"], line["unit"]) for line in lines] == [("5", "PCS"), ("7", "PCS")]


async def test_a_shop_s_customer_id_finds_the_account(shop: Shop) -> None:
    shop.world.master.shop_ids[42] = "C-2"

    by_post = await shop.ask("S-1", customer={"magento_id": 42})
    by_get = await shop.get("market=b2b_de&magento_id=42&sku=S-1")

    assert by_post["customer"] == "C-2"
    assert by_post["lines"][0]["price"] == "2.0001"
    assert (await by_get.json())["customer"] == "C-2"


async def test_a_line_without_a_price_says_why(shop: Shop) -> None:
    shop.world.erp.without_price["S-2"] = NoPrice(NoPriceReason.UNKNOWN_UNIT)

    answer = await shop.ask("nowhere", "S-2", "S-1")

    unknown, unit, priced = answer["lines"]
    assert unknown == {
        "sku": "nowhere",
        "unit": None,
        "reason": "unknown_sku",
        "quantity": "1",
        "state": "no_price",
        "verified": True,
    }
    assert (unit["state"], unit["reason"]) == ("no_price", "unknown_unit")
    assert priced["state"] == "fresh"
    assert answer["complete"]


async def test_a_line_that_cannot_be_answered_leaves_the_others_alone(shop: Shop) -> None:
    shop.world.erp.missing.add("S-2")

    answer = await shop.ask("S-1", "S-2")

    assert [line["state"] for line in answer["lines"]] == ["fresh", "unavailable"]
    assert not answer["complete"]
    assert not answer["verified"]
    assert "price" not in answer["lines"][1]


async def test_an_old_price_is_shown_as_stale_while_the_erp_is_away(shop: Shop) -> None:
    await shop.ask("S-1")
    shop.world.invalidate()
    shop.world.erp.outage = outage_of(UpstreamUnavailableError)

    answer = await shop.ask("S-1")

    [line] = answer["lines"]
    assert (line["state"], line["verified"], line["price"]) == ("stale", False, "1.0001")
    assert answer["complete"]
    assert not answer["verified"]


async def test_a_price_is_unverified_while_redis_is_away(shop: Shop) -> None:
    await shop.ask("S-1")
    shop.world.lose_redis()

    answer = await shop.ask("S-1")

    [line] = answer["lines"]
    assert (line["state"], line["verified"]) == ("unverified", False)
    assert not answer["verified"]


async def test_texts_beyond_ascii_pass_unchanged(shop: Shop) -> None:
    sku = 'Lämpchen "groß" \\ 灯 🎄'

    answer = await shop.ask(sku)

    assert answer["lines"][0]["sku"] == sku


def quoted(level: str) -> QuotedLine:
    return QuotedLine(Line("S-1"), "PCS", None, State.ABSENT, True, None, level, True)


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        (["l1"], "pricing-proxy; hit; detail=l1"),
        (["l1", "l1"], "pricing-proxy; hit; detail=l1"),
        (["l2", "l2"], "pricing-proxy; hit; detail=l2"),
        (["l1", "l2", "l2"], 'pricing-proxy; hit; detail="l1=1 l2=2"'),
        (["source"], 'pricing-proxy; fwd=miss; detail="source=1"'),
        (
            ["l1"] * 20 + ["l2"] * 3 + ["source"],
            'pricing-proxy; fwd=miss; detail="l1=20 l2=3 source=1"',
        ),
    ],
)
def test_cache_status_tells_where_the_lines_came_from(levels: list[str], expected: str) -> None:
    assert cache_status([quoted(level) for level in levels]) == expected


async def test_a_page_hits_the_second_time_and_redis_when_memory_forgot(shop: Shop) -> None:
    first = await shop.post(body("S-1", "S-2"))
    second = await shop.post(body("S-1", "S-2"))
    await shop.world.settle()
    third = await shop.post(body("S-1", "S-2", "S-3"))
    shop.world.cache.forget()
    after_a_start = await shop.post(body("S-1", "S-2"))

    assert first.headers["Cache-Status"] == 'pricing-proxy; fwd=miss; detail="source=2"'
    assert second.headers["Cache-Status"] == "pricing-proxy; hit; detail=l1"
    assert third.headers["Cache-Status"] == 'pricing-proxy; fwd=miss; detail="l1=2 source=1"'
    assert after_a_start.headers["Cache-Status"] == "pricing-proxy; hit; detail=l2"


async def test_no_answer_carries_customer_or_sku_in_a_header(shop: Shop) -> None:
    shop.world.erp.missing.add("S-2")
    requests: list[dict[str, Any]] = [
        body("S-77"),
        body("nowhere-88", mode="checkout"),
        body("S-2", mode="checkout", wait_ms=50),
        body("S-77", customer="C-9999"),
    ]

    for request in requests:
        answer = await shop.post(request)
        headers = str(answer.headers)
        for secret in ("S-77", "nowhere-88", "C-1'", "C-9999"):
            assert secret not in headers


async def test_answers_are_counted_by_mode_state_and_level(shop: Shop) -> None:
    await shop.ask("S-1")
    await shop.ask("S-1", "nowhere", mode="cart")
    await shop.post(body("nowhere", mode="checkout"))

    text = shop.metrics.text().decode()

    assert 'pricing_proxy_requests_total{mode="browse",outcome="answered"} 1.0' in text
    assert 'pricing_proxy_requests_total{mode="checkout",outcome="refused"} 1.0' in text
    assert 'pricing_proxy_lookups_total{level="source"} 1.0' in text
    assert 'pricing_proxy_request_seconds_count{mode="cart"} 1.0' in text
    assert "S-1" not in text
    assert "C-1" not in text


async def test_a_request_before_the_maps_are_there_is_answered_as_unavailable(shop: Shop) -> None:
    shop.world.master.catalog = None

    answer = await shop.ask("S-1")

    [line] = answer["lines"]
    assert (line["state"], line["reason"]) == ("unavailable", "starting")


async def test_a_page_that_is_being_loaded_says_when_to_ask_again(shop: Shop) -> None:
    shop.world.erp.latency_seconds = 0.3

    first = await shop.ask("S-1", wait_ms=0)
    later = await shop.ask("S-1", wait_ms=2000)

    fits("PricesAnswer", first)
    assert 100 <= first["ask_again_ms"] <= 500, "nobody has seen how long a load takes yet"
    assert [line["reason"] for line in first["lines"]] == ["too_slow"]
    assert "ask_again_ms" not in later
    assert later["complete"] is True


async def test_a_code_of_the_erp_is_the_reason_of_its_line(shop: Shop) -> None:
    shop.world.erp.odd["S-2"] = "customer_blocked"
    shop.world.erp.set_price("C-1", "S-3", "0")

    answer = await shop.ask("S-1", "S-2", "S-3", wait_ms=2000)

    fits("PricesAnswer", answer)
    assert [(line["state"], line.get("reason")) for line in answer["lines"]] == [
        ("fresh", None),
        ("unavailable", "customer_blocked"),
        ("no_price", "implausible_price"),
    ]

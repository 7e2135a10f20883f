"""What a browser may ask for with a storefront token, and what it never gets."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientResponse

from pricing_proxy.domain.freshness import Mode
from tests.fakes.erp import distinct_price
from tests.fakes.price_world import MARKET
from tests.web.shop import KEY, READER_KEY, Shop, body
from tests.web.storefront import OTHER_MARKET, OTHER_PAGE, PAGE, bearer, token
from tests.web.test_tokens import WRONG

LOGIN = "/v1/customers/{customer}/login"


def lines(count: int) -> list[dict[str, str]]:
    return [{"sku": f"S-{number}"} for number in range(1, count + 1)]


async def post(shop: Shop, content: Any, *, text: str | None = None, **headers: str) -> Any:
    sent = {**bearer(text or token()), **headers}
    return await shop.public.post("/v1/prices", json=content, headers=sent)


async def get(shop: Shop, query: str, *, text: str | None = None) -> ClientResponse:
    return await shop.public.get(f"/v1/prices?{query}", headers=bearer(text or token()))


async def code_of(answer: ClientResponse) -> str:
    problem = await answer.json(content_type="application/problem+json")
    return str(problem["type"]).removeprefix("/problems/")


async def test_a_token_says_whose_prices_are_asked_for(shop: Shop) -> None:
    for answer in (
        await post(shop, {"lines": lines(1), "wait_ms": 2000}),
        await get(shop, "sku=S-1&wait_ms=2000"),
    ):
        content = await answer.json()
        assert answer.status == 200
        assert (content["market"], content["customer"]) == (MARKET, "C-1")
        assert content["lines"][0]["price"] == distinct_price("C-1", "S-1")
        assert answer.headers["Cache-Control"] == "private, no-store"


async def test_naming_oneself_is_allowed(shop: Shop) -> None:
    assert (await post(shop, body("S-1"))).status == 200
    assert (await get(shop, f"market={MARKET}&customer=C-1&sku=S-1")).status == 200


async def test_a_token_by_the_shop_s_id_opens_the_account_behind_it(shop: Shop) -> None:
    shop.world.master.shop_ids[42] = "C-2"
    text = token("magento_id:42")

    for content in (
        {"lines": lines(1), "wait_ms": 2000},
        body("S-1", customer={"magento_id": 42}),
    ):
        answer = await post(shop, content, text=text)
        assert (await answer.json())["customer"] == "C-2"


@pytest.mark.parametrize("other", ["C-2", {"magento_id": 2}, "c-2", "C 1"])
async def test_another_customer_in_the_body_is_refused(shop: Shop, other: Any) -> None:
    shop.world.master.shop_ids[2] = "C-2"

    answer = await post(shop, body("S-1", customer=other))

    assert (answer.status, await code_of(answer)) == (403, "other_customer")


@pytest.mark.parametrize("spelled", ["c-1", "C-1 ", "C-1"])
async def test_the_tokens_customer_may_be_spelled_as_the_page_likes(
    shop: Shop, spelled: str
) -> None:
    """As F&O compares accounts; the answer repeats the page's spelling, not the token's."""
    for answer in (
        await post(shop, body("S-1", customer=spelled)),
        await get(shop, f"market={MARKET}&customer={spelled}&sku=S-1"),
    ):
        assert answer.status == 200
        content = await answer.json()
        assert (content["customer"], content["complete"]) == (spelled, True)
    assert {batch.account for batch in shop.world.erp.batches} == {"C-1"}


@pytest.mark.parametrize("other", ["customer=C-2", "magento_id=2"])
async def test_another_customer_in_the_query_is_refused(shop: Shop, other: str) -> None:
    answer = await get(shop, f"market={MARKET}&{other}&sku=S-1")

    assert (answer.status, await code_of(answer)) == (403, "other_customer")


@pytest.mark.parametrize("customer", ["C-1", "C-2"])
async def test_a_customer_in_the_path_is_refused(shop: Shop, customer: str) -> None:
    """Warming is the shop's affair, also for the token's own customer."""
    answer = await shop.public.post(
        LOGIN.format(customer=customer), json={"market": MARKET}, headers=bearer(token())
    )

    assert (answer.status, await code_of(answer)) == (403, "token_not_enough")
    assert shop.world.erp.batches == []


async def test_another_market_is_refused(shop: Shop) -> None:
    answer = await post(shop, body("S-1", market=OTHER_MARKET))

    assert (answer.status, await code_of(answer)) == (403, "other_market")


async def test_a_token_opens_no_checkout(shop: Shop) -> None:
    for answer in (
        await post(shop, body("S-1", mode=Mode.CHECKOUT)),
        await post(shop, body("S-1", mode=Mode.CHECKOUT, accept="flagged")),
        await get(shop, "sku=S-1&mode=checkout"),
    ):
        assert (answer.status, await code_of(answer)) == (403, "mode_not_allowed")


async def test_a_token_opens_sixty_lines_and_not_one_more(shop: Shop) -> None:
    assert (await post(shop, {"lines": lines(60), "mode": "cart"})).status == 200
    for answer in (
        await post(shop, {"lines": lines(61)}),
        await get(shop, "&".join(f"sku=S-{number}" for number in range(61))),
    ):
        assert answer.status == 422
        assert [flaw["pointer"] for flaw in (await answer.json())["errors"]] == ["/lines"]


async def test_a_browser_waits_two_seconds_at_most(shop: Shop) -> None:
    answer = await post(shop, {"lines": lines(1), "wait_ms": 2001})

    assert answer.status == 422
    assert [flaw["pointer"] for flaw in (await answer.json())["errors"]] == ["/wait_ms"]


async def test_a_token_opens_nothing_of_the_operators(shop: Shop) -> None:
    answer = await shop.admin.post("/v1/invalidations", json={}, headers=bearer(token()))

    assert (answer.status, await code_of(answer)) == (403, "token_not_enough")


async def test_a_token_that_ended_is_a_401_that_a_page_can_read(shop: Shop) -> None:
    shop.token_clock.advance(timedelta(minutes=15))

    answer = await post(shop, {"lines": lines(1)}, Origin=PAGE)

    assert (answer.status, await code_of(answer)) == (401, "token_expired")
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.parametrize("authorization", ["", "Bearer", "Basic QzE6QzE=", "Token abc"])
async def test_what_is_no_token_is_asked_for_one(shop: Shop, authorization: str) -> None:
    answer = await shop.public.post(
        "/v1/prices", json=body(), headers={"Authorization": authorization}
    )

    assert (answer.status, await code_of(answer)) == (401, "missing_key")


async def test_the_scheme_s_name_is_read_in_any_case(shop: Shop) -> None:
    headers = {"Authorization": f"bearer {token()}"}

    answer = await shop.public.post("/v1/prices", json={"lines": lines(1)}, headers=headers)

    assert answer.status == 200


async def test_beside_a_key_a_token_is_not_looked_at(shop: Shop) -> None:
    headers = {"X-API-Key": KEY, "Authorization": "Bearer whatever"}

    assert (await shop.post(body("S-1", customer="C-2"), headers=headers)).status == 200
    refused = await shop.post(body("S-1"), headers={"X-API-Key": READER_KEY, **bearer(token())})
    assert refused.status == 403


async def test_over_its_budget_a_browser_is_served_what_is_cached(shop: Shop) -> None:
    """Two minutes of paging through the catalog; what was seen stays visible."""
    for start in (1, 61):
        page = [{"sku": f"S-{number}"} for number in range(start, start + 60)]
        first = await post(shop, {"lines": page, "wait_ms": 2000})
        assert (await first.json())["complete"]

    late = await post(shop, {"lines": [*lines(2), {"sku": "S-121"}], "wait_ms": 2000})

    content = await late.json()
    assert late.status == 200
    assert [line["state"] for line in content["lines"]] == ["fresh", "fresh", "unavailable"]
    assert content["lines"][2]["reason"] == "cold_budget_spent"
    assert shop.world.erp.lines == 120


# CORS: who may read the answer.


async def test_a_page_of_the_token_s_market_may_read_the_answer(shop: Shop) -> None:
    answer = await post(shop, {"lines": lines(1)}, Origin=PAGE)

    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert answer.headers["Vary"] == "Origin"
    assert "Cache-Status" in answer.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin", [OTHER_PAGE, "https://evil.example", "null", f"{PAGE}.evil.example", "*"]
)
async def test_no_other_page_may(shop: Shop, origin: str) -> None:
    """The page of another market has tokens for that market alone."""
    answer = await post(shop, {"lines": lines(1)}, Origin=origin)

    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.headers["Vary"] == "Origin"


async def test_a_key_is_for_servers_and_shares_with_no_page(shop: Shop) -> None:
    answer = await shop.post(body("S-1"), headers={"Origin": PAGE})

    assert answer.status == 200
    assert not [name for name in answer.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize("origin", [PAGE, OTHER_PAGE])
async def test_a_preflight_of_a_page_of_ours_is_answered(shop: Shop, origin: str) -> None:
    answer = await preflight(shop, Origin=origin)

    assert (answer.status, await answer.text()) == (204, "")
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, POST"
    allowed = answer.headers["Access-Control-Allow-Headers"].lower().split(", ")
    assert {"authorization", "content-type", "traceparent"} <= set(allowed)
    assert answer.headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}])
async def test_any_other_preflight_is_refused(shop: Shop, headers: dict[str, str]) -> None:
    answer = await preflight(shop, **headers)

    assert (answer.status, await code_of(answer)) == (403, "origin_not_allowed")
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.headers["Vary"] == "Origin"


async def preflight(shop: Shop, **headers: str) -> ClientResponse:
    sent = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
        **headers,
    }
    return await shop.public.options("/v1/prices", headers=sent)


# An empty one is no credential at all by the time it arrives.
@pytest.mark.parametrize("why", [why for why, (text, _) in WRONG.items() if text])
async def test_a_wrong_token_is_a_401_of_its_own_kind_and_leaves_no_trace(
    shop: Shop, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Expired, for another audience or of another issuer, unknown kid, alg none, and the rest."""
    text, code = WRONG[why]
    caplog.set_level(logging.DEBUG)

    answer = await shop.public.get(
        "/v1/prices?sku=S-1", headers={"Authorization": f"Bearer {text}"}
    )

    assert (answer.status, await code_of(answer)) == (401, code)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert shop.world.erp.batches == []
    shown = await answer.text() + caplog.text
    assert not [part for part in text.split(".") if len(part) > 3 and part in shown]

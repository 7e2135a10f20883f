"""A checkout binds every line, or says which do not and whether asking again helps."""

from datetime import timedelta
from typing import Any

from aiohttp import ClientResponse

from pricing_proxy.domain.freshness import Level
from pricing_proxy.domain.price import NoPrice, NoPriceReason
from pricing_proxy.resilience.errors import UpstreamThrottledError, UpstreamUnavailableError
from pricing_proxy.shared_state.ledger import ScopeKind
from tests.fakes.erp import outage_of
from tests.fakes.price_world import context_of, key_of
from tests.web.shop import Shop, body


async def checkout(shop: Shop, *skus: str, **members: Any) -> ClientResponse:
    return await shop.post(body(*skus, mode="checkout", **members))


async def test_a_checkout_whose_lines_all_bind_says_so(shop: Shop) -> None:
    answer = await checkout(shop, "S-1", "S-2")

    content = await answer.json()
    assert answer.status == 200
    assert (content["binding"], content["complete"], content["verified"]) == (True, True, True)
    assert [line["state"] for line in content["lines"]] == ["fresh", "fresh"]
    assert all("binding" not in line for line in content["lines"])


async def test_an_unknown_sku_is_a_422_that_names_each_such_line(shop: Shop) -> None:
    shop.world.erp.without_price["S-3"] = NoPrice(NoPriceReason.UNKNOWN_UNIT)

    answer = await checkout(shop, "S-1", "nowhere", "S-3")

    assert answer.status == 422
    assert answer.content_type == "application/problem+json"
    assert "Retry-After" not in answer.headers
    assert await answer.json() == {
        "type": "/problems/no_price",
        "title": "Unprocessable Entity",
        "status": 422,
        "detail": "Remove the lines named in errors; repeating is pointless.",
        "errors": [
            {
                "pointer": "/lines/1/sku",
                "code": "unknown_sku",
                "detail": "The ERP has no price for this line.",
            },
            {
                "pointer": "/lines/2/unit",
                "code": "unknown_unit",
                "detail": "The ERP has no price for this line.",
            },
        ],
    }


async def test_an_unknown_sku_is_a_422_also_while_the_erp_is_away(shop: Shop) -> None:
    """Removing the line helps in any case; waiting never would."""
    shop.world.erp.outage = outage_of(UpstreamUnavailableError)

    answer = await checkout(shop, "S-1", "nowhere")

    assert answer.status == 422
    [flaw] = (await answer.json())["errors"]
    assert flaw["pointer"] == "/lines/1/sku"


async def test_an_erp_that_is_away_is_a_503_with_the_last_known_price(shop: Shop) -> None:
    page = await shop.ask(lines=[{"sku": "S-1", "quantity": "3"}])
    shop.world.invalidate(ScopeKind.CUSTOMER, "C-1")
    shop.world.erp.outage = outage_of(UpstreamUnavailableError)
    lines = [{"sku": "S-1", "quantity": "3"}, {"sku": "S-2"}]

    answer = await checkout(shop, lines=lines)

    assert answer.status == 503
    assert answer.content_type == "application/problem+json"
    assert 1 <= int(answer.headers["Retry-After"]) <= 120
    problem = await answer.json()
    known, unknown = problem["lines"]
    last = known["last_known"]
    assert problem["type"] == "/problems/price_not_current"
    assert [flaw["pointer"] for flaw in problem["errors"]] == ["/lines/0", "/lines/1"]
    assert (known["sku"], known["quantity"], known["unit"]) == ("S-1", "3", "PCS")
    assert known["state"] == "unavailable"
    assert known["loaded_at"] == last["loaded_at"] == page["lines"][0]["loaded_at"]
    assert (last["price"], last["line_total"], last["state"]) == ("1.0001", "3.0003", "stale")
    assert not last["verified"]
    assert (unknown["last_known"], unknown["loaded_at"]) == (None, None)


async def test_a_price_that_must_not_be_shown_again_is_no_last_known_price(shop: Shop) -> None:
    await shop.ask("S-1")
    shop.world.invalidate(level=Level.HARD)
    shop.world.erp.outage = outage_of(UpstreamUnavailableError)

    answer = await checkout(shop, "S-1")

    [line] = (await answer.json())["lines"]
    assert answer.status == 503
    assert line["last_known"] is None


async def test_retry_after_is_what_the_erp_asked_for(shop: Shop) -> None:
    throttled = outage_of(UpstreamThrottledError, retry_after=timedelta(seconds=37))
    shop.world.erp.outage = throttled

    answer = await checkout(shop, "S-1")

    assert answer.status == 503
    assert answer.headers["Retry-After"] in {"36", "37"}


async def test_retry_after_has_bounds(shop: Shop) -> None:
    shop.world.erp.outage = outage_of(UpstreamThrottledError, retry_after=timedelta(seconds=9000))

    answer = await checkout(shop, "S-1")

    assert answer.headers["Retry-After"] == "120"


async def test_a_shop_that_accepts_flagged_prices_gets_them_unbound(shop: Shop) -> None:
    await shop.ask("S-1")
    shop.world.invalidate()
    shop.world.erp.outage = outage_of(UpstreamUnavailableError)

    answer = await checkout(shop, "S-1", "S-2", accept="flagged")

    content = await answer.json()
    known, unknown = content["lines"]
    assert answer.status == 200
    assert (content["binding"], content["complete"], content["verified"]) == (False, False, False)
    assert (known["binding"], known["state"], known["price"]) == (False, "stale", "1.0001")
    assert (unknown["binding"], unknown["state"]) == (False, "unavailable")
    assert "price" not in unknown


async def test_accepting_flagged_prices_changes_nothing_while_all_bind(shop: Shop) -> None:
    answer = await checkout(shop, "S-1", accept="flagged")

    content = await answer.json()
    assert content["binding"]
    assert "binding" not in content["lines"][0]


async def test_accepting_flagged_prices_does_not_accept_lines_without_one(shop: Shop) -> None:
    answer = await checkout(shop, "S-1", "nowhere", accept="flagged")

    assert answer.status == 422


async def test_a_young_price_that_was_not_confirmed_is_not_shown_as_fresh(shop: Shop) -> None:
    """Old enough that a checkout asks anew, young enough to be fresh on a page."""
    await shop.ask("S-1")
    entry = shop.world.cache.shelf(context_of())[key_of("S-1")]
    three_seconds_older = entry._replace(loaded_us=entry.loaded_us - 3_000_000)
    shop.world.redis.flush()
    shop.world.cache.forget()
    shop.world.cache.remember(context_of(), {key_of("S-1"): three_seconds_older})
    shop.world.erp.outage = outage_of(UpstreamUnavailableError)

    refused = await (await checkout(shop, "S-1")).json()
    flagged = await (await checkout(shop, "S-1", accept="flagged")).json()

    [line] = flagged["lines"]
    assert refused["lines"][0]["state"] == "unavailable"
    assert (line["state"], line["binding"], line["price"]) == ("stale", False, "1.0001")


async def test_a_line_refused_by_the_erp_for_its_own_sake_leaves_the_checkout_unbound(
    shop: Shop,
) -> None:
    shop.world.erp.poison.add("S-2")

    answer = await checkout(shop, "S-1", "S-2")

    problem = await answer.json()
    assert answer.status == 503
    assert [flaw["pointer"] for flaw in problem["errors"]] == ["/lines/1"]
    assert problem["lines"][0]["state"] == "fresh"


async def test_without_redis_a_checkout_still_binds(shop: Shop) -> None:
    """It asks the ERP itself, after it arrived: no invalidation can be missing."""
    shop.world.lose_redis()

    answer = await checkout(shop, "S-1")

    content = await answer.json()
    assert (answer.status, content["binding"]) == (200, True)

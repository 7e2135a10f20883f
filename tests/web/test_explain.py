"""An operator is told why a line is answered as it is, and the asking changes nothing."""

from typing import Any

import pytest

from pricing_proxy.domain.freshness import TABLE, Mode, State
from pricing_proxy.resilience.errors import UpstreamUnavailableError
from pricing_proxy.shared_state.ledger import ScopeKind
from pricing_proxy.web.freshness_words import ruling_text
from tests.fakes.erp import distinct_price, outage_of
from tests.fakes.price_world import context_of
from tests.web.documented import fits
from tests.web.shop import Shop, body

PATH = "/v1/prices/explain"


async def explain(shop: Shop, *skus: str, **members: Any) -> Any:
    answer = await shop.post_admin(body(*skus, **members), path=PATH)
    assert answer.status == 200, await answer.text()
    assert answer.headers["Cache-Control"] == "private, no-store"
    explanation = await answer.json()
    fits("ExplainAnswer", explanation)
    return explanation


async def test_a_price_in_memory_is_explained_with_all_it_rests_on(shop: Shop) -> None:
    await shop.ask("S-1")

    answer = await explain(shop, "S-1")

    [line] = answer["lines"]
    assert (answer["customer"], answer["price_group"], answer["verified"]) == ("C-1", "G", True)
    assert answer["lease_left_seconds"] == 4.2
    assert answer["guards"] == {"breakers": [], "market": "b2b_de"}
    assert (line["verdict"], line["row"], line["level"]) == ("serve", "fresh", "l1")
    assert line["rule"] == ruling_text(TABLE[State.FRESH][Mode.BROWSE])
    assert line["answer"]["unit_price"] == distinct_price("C-1", "S-1")
    assert 0 < line["soft_seconds"] <= 300
    assert int(line["position"]) <= int(answer["position"])


async def test_nothing_is_loaded_for_an_explanation(shop: Shop) -> None:
    for mode in Mode:
        answer = await explain(shop, "S-1", "S-2", mode=mode)
        assert [line["verdict"] for line in answer["lines"]] == ["load", "load"]
        assert [line["wait_ms"] for line in answer["lines"]] == [2000, 2000]

    assert shop.world.erp.batches == []
    assert shop.world.loader.flights.count == 0
    assert shop.world.cache.shelf(context_of()) == {}


async def test_not_even_a_customer_is_looked_up_in_the_erp_for_it(shop: Shop) -> None:
    shop.world.master.is_complete = False

    answer = await explain(shop, "S-1", customer="C-404")

    assert answer["is_customer_known"] is False
    assert answer["lines"][0]["reason"] == "customer_not_checked"
    assert shop.world.master.looked_up == []


async def test_an_invalidated_price_of_an_erp_that_is_away_is_explained(shop: Shop) -> None:
    await shop.ask("S-1")
    position = shop.world.invalidate(ScopeKind.ITEM, "S-1")
    shop.world.erp.outage = outage_of(UpstreamUnavailableError)
    await shop.ask("S-1")

    [line] = (await explain(shop, "S-1"))["lines"]

    assert (line["verdict"], line["row"]) == ("settle", "stale_hard")
    assert (line["invalidated"], line["invalidated_at"]) == ("soft", str(position))
    assert line["reason"] == "erp_unavailable"
    assert line["answer"]["state"] == "stale"


async def test_what_no_price_source_is_asked_for_is_explained_too(shop: Shop) -> None:
    [line] = (await explain(shop, "NO-SUCH-SKU"))["lines"]

    assert (line["item"], line["level"], line["reason"]) == (None, None, "unknown_sku")
    assert line["answer"]["state"] == "no_price"


@pytest.mark.parametrize(
    ("members", "status", "code"),
    [
        ({"market": "nowhere"}, 400, "unknown_market"),
        ({"customer": "C-404"}, 404, "unknown_customer"),
        ({"lines": []}, 422, "invalid_value"),
    ],
)
async def test_mistakes_are_those_of_a_price_request(
    shop: Shop, members: dict[str, Any], status: int, code: str
) -> None:
    answer = await shop.post_admin(body(**members), path=PATH)

    assert (answer.status, (await answer.json())["type"]) == (status, f"/problems/{code}")

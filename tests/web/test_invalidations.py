"""A name that the ERP does not have is told to whoever announces its change."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pricing_proxy.names import ByName
from pricing_proxy.resilience.errors import UpstreamContractError, UpstreamUnavailableError
from pricing_proxy.shared_state.ledger import Scope, ScopeKind
from tests.fakes.master_data import make_customer, make_item
from tests.web.shop import Shop

UNKNOWN = [{"customer": "C-9"}, {"sku": "S-999"}, {"price_group": "NONE"}]
KNOWN = [
    *({"customer": each} for each in ("C-1", "c-1", " C-1 ")),
    *({"sku": each} for each in ("S-1", "s-1", "S-1 ")),
    *({"price_group": each} for each in ("G", "g", "G ")),
]


async def tell(shop: Shop, scope: dict[str, Any], level: str = "soft") -> tuple[int, Any]:
    body = {"market": "b2b_de", "scope": scope, "level": level, "reason": "a test"}
    answer = await shop.post_admin(body)
    return answer.status, await answer.json()


@pytest.mark.parametrize("scope", UNKNOWN)
@pytest.mark.parametrize("level", ["soft", "hard"])
async def test_a_name_that_nobody_has_is_said_once_the_erp_was_asked_again(
    shop: Shop, scope: dict[str, str], level: str
) -> None:
    status, problem = await tell(shop, scope, level)

    assert (status, problem["type"]) == (404, "/problems/unknown_name")
    assert problem["errors"][0]["pointer"] == f"/scope/{next(iter(scope))}"
    assert shop.world.master.refreshed == 1
    assert shop.world.ledger.appended == []
    assert shop.world.invalidations.count("b2b_de") == 0


@pytest.mark.parametrize("scope", KNOWN)
async def test_a_known_name_is_obeyed_at_once_however_it_is_spelled(
    shop: Shop, scope: dict[str, str]
) -> None:
    status, _ = await tell(shop, scope)

    assert status == 202
    assert shop.world.master.refreshed == 0
    kind, code = next(iter(scope.items()))
    of_erp = {"customer": "C-1", "sku": "S-1", "price_group": code}[kind]
    kinds = {"sku": ScopeKind.ITEM}
    assert shop.world.ledger.appended == [Scope(kinds.get(kind) or ScopeKind(kind), of_erp)]


@pytest.mark.parametrize("scope", UNKNOWN)
async def test_what_is_new_in_the_erp_is_found_by_asking_again(
    shop: Shop, scope: dict[str, str]
) -> None:
    master = shop.world.master

    async def list_more() -> None:
        master.catalog = ByName({"S-999": make_item("S-999")})
        master.everybody = ByName({"C-9": make_customer("C-9", price_group="NONE")})

    master.refreshing = list_more
    assert (await tell(shop, scope))[0] == 202
    assert master.refreshed == 1
    assert len(shop.world.ledger.appended) == 1


@pytest.mark.parametrize("scope", UNKNOWN)
@pytest.mark.parametrize("error", [UpstreamUnavailableError, UpstreamContractError])
async def test_where_nobody_can_tell_the_entry_is_written(
    shop: Shop, scope: dict[str, str], error: type[Exception]
) -> None:
    """The ERP is away, or lists too little to be believed."""

    async def fail() -> None:
        raise error("away", system="fo")  # type: ignore[call-arg] # of ours, each

    shop.world.master.refreshing = fail
    assert (await tell(shop, scope))[0] == 202
    assert [each.code for each in shop.world.ledger.appended] == [*scope.values()]


async def test_without_a_map_yet_the_entry_is_written(shop: Shop) -> None:
    master = shop.world.master
    master.catalog, master.is_complete = None, False

    async def fail() -> None:
        raise UpstreamUnavailableError("away", system="fo")

    master.refreshing = fail
    for scope in (*UNKNOWN, *KNOWN):
        assert (await tell(shop, scope))[0] == 202
    assert master.looked_up == []


async def test_a_master_is_known_though_it_is_sold_as_its_variants_only(shop: Shop) -> None:
    """Its agreements stand on it, and the ERP names it."""
    variant = make_item("SHIRT-RED")
    master = shop.world.master
    master.catalog = ByName({variant.sku: replace(variant, item_number="SHIRT")})

    assert (await tell(shop, {"sku": "shirt"}))[0] == 202
    assert (await tell(shop, {"sku": "shirt-red"}))[0] == 202
    assert [each.code for each in shop.world.ledger.appended] == ["shirt", "SHIRT"]
    assert master.refreshed == 0


async def test_unknown_names_without_end_do_not_read_the_catalog_without_end(shop: Shop) -> None:
    """From then on nobody can tell, for a while."""
    told = [(await tell(shop, {"sku": f"X-{number}"}))[0] for number in range(22)]
    assert told == [404] * 20 + [202] * 2
    assert shop.world.master.refreshed == 20

    shop.operator_clock.advance(timedelta(minutes=10))
    assert (await tell(shop, {"sku": "X-1"}))[0] == 404

"""A token of customer A with B in body, path or query never yields B's price."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing_proxy.telemetry.traces import Traces
from pricing_proxy.web.app import public_app
from tests.fakes.erp import distinct_price
from tests.fakes.price_world import MARKET, price_service
from tests.web.shop import BODY_LIMIT, KEY, shop_routes
from tests.web.storefront import bearer, token

ACCOUNTS = ("C-1", "C-2", "C-3")
SHOP_IDS = {1: "C-1", 2: "C-2", 3: "C-3"}
SKUS = ("S-1", "S-2", "S-3")


class Asked(NamedTuple):
    """One request: whose token, who is named and where."""

    owner: str
    subject: str
    way: str
    named: str
    by_id: bool
    names_market: bool
    mode: str


def asked() -> st.SearchStrategy[Asked]:
    return st.builds(
        lambda owner, by_subject_id, *rest: Asked(
            owner, f"magento_id:{owner[2:]}" if by_subject_id else owner, *rest
        ),
        st.sampled_from(ACCOUNTS),
        st.booleans(),
        st.sampled_from(["body", "query", "path", "body and query"]),
        st.sampled_from(ACCOUNTS),
        st.booleans(),
        st.booleans(),
        st.sampled_from(["browse", "cart", "checkout"]),
    )


@settings(max_examples=40)
@given(requests=st.lists(asked(), min_size=1, max_size=12))
def test_a_token_never_yields_another_customer_s_price(requests: list[Asked]) -> None:
    """In any order, with everybody's prices in the cache; a refusal shows none at all."""
    asyncio.run(_shop_around(requests))


async def _shop_around(requests: Sequence[Asked]) -> None:
    world = price_service(accounts=ACCOUNTS)
    world.master.shop_ids.update(SHOP_IDS)
    world.erp.latency_seconds = 0.0
    routes = shop_routes(world).routes
    untraced = Traces(service="tests", exporter=None, sample_ratio=0.0)
    app = public_app(routes, body_limit_bytes=BODY_LIMIT, traces=untraced)
    async with TestClient(TestServer(app)) as client:
        for account in ACCOUNTS:
            await _warm(client, account)
        for one in requests:
            status, text = await _send(client, one)
            for account in ACCOUNTS:
                is_shown = any(f'"{distinct_price(account, sku)}"' in text for sku in SKUS)
                assert not is_shown or account == one.owner, (one, text)
            if status == 200:
                assert distinct_price(one.owner, "S-1") in text
    await world.loader.flights.aclose()


async def _warm(client: "TestClient[Any, Any]", account: str) -> None:
    lines = [{"sku": sku} for sku in SKUS]
    body = {"market": MARKET, "customer": account, "lines": lines, "wait_ms": 5000}
    answer = await client.post("/v1/prices", json=body, headers={"X-API-Key": KEY})
    assert (await answer.json())["complete"]


async def _send(client: "TestClient[Any, Any]", one: Asked) -> tuple[int, str]:
    named = {"magento_id": int(one.named[2:])} if one.by_id else one.named
    flat = {"magento_id": one.named[2:]} if one.by_id else {"customer": one.named}
    market = {"market": MARKET} if one.names_market else {}
    query = {**market, **flat, "mode": one.mode, "sku": SKUS[0]}
    body = {"customer": named, **market, "mode": one.mode, "lines": [{"sku": SKUS[0]}]}
    headers = bearer(token(one.subject))
    if one.way == "query":
        return await _read(client, "GET", "/v1/prices", headers, params=query)
    if one.way == "path":
        path = f"/v1/customers/{one.named}/login"
        return await _read(client, "POST", path, headers, json={"market": MARKET})
    params = query if one.way == "body and query" else {}
    if params:
        body = {member: value for member, value in body.items() if member != "customer"}
    return await _read(client, "POST", "/v1/prices", headers, json=body, params=params)


async def _read(
    client: "TestClient[Any, Any]",
    method: str,
    path: str,
    headers: Mapping[str, str],
    **sent: Any,
) -> tuple[int, str]:
    async with client.request(method, path, headers=headers, **sent) as answer:
        return answer.status, await answer.text()

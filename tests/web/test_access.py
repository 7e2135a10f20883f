"""Who may call what: every route, every way a key can be wrong."""

from typing import Any

import pytest
from aiohttp import ClientResponse
from pytest_aiohttp.plugin import AiohttpClient

from pricing_proxy.configuration.api_keys import ApiKey, KeyRing, hash_of
from pricing_proxy.resilience.call_class import Caller, Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.web.app import admin_app
from tests.fakes.price_world import price_service
from tests.web.shop import BODY_LIMIT, KEY, READER_KEY, REVOKED_KEY, Shop, body, shop_routes
from tests.web.storefront import bearer, token

LOGIN = "/v1/customers/C-1/login"
INVALIDATION = {
    "market": "b2b_de",
    "scope": {"customer": "C-1"},
    "level": "soft",
    "reason": "price list of the quarter",
}

# Listener, method, path, body and the status with a key that opens it.
Route = tuple[str, str, str, Any, int]
ROUTES: list[Route] = [
    ("public", "POST", "/v1/prices", body(), 200),
    ("public", "GET", "/v1/prices?market=b2b_de&customer=C-1&sku=S-1", None, 200),
    ("public", "POST", "/v1/carts/price", body(), 200),
    ("public", "POST", LOGIN, {"market": "b2b_de"}, 202),
    ("admin", "POST", "/v1/invalidations", INVALIDATION, 202),
    ("admin", "POST", "/v1/prices/explain", body(), 200),
    ("admin", "POST", "/v1/breakers/erp:price_read", {"order": "close"}, 200),
    ("admin", "POST", "/v1/gates/erp:pricing", {"order": "open"}, 200),
    ("admin", "POST", "/v1/kept-out/clear", {}, 200),
]


async def call(shop: Shop, route: Route, key: str | None) -> ClientResponse:
    listener, method, path, content, _ = route
    client = shop.public if listener == "public" else shop.admin
    headers = {} if key is None else {"X-API-Key": key}
    return await client.request(method, path, json=content, headers=headers)


@pytest.mark.parametrize("route", ROUTES)
async def test_the_right_key_opens_a_route(shop: Shop, route: Route) -> None:
    answer = await call(shop, route, KEY)

    assert answer.status == route[-1]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    ("key", "status", "code"),
    [
        (None, 401, "missing_key"),
        ("", 401, "unknown_key"),
        ("a wrong key", 401, "unknown_key"),
        ("k\xfcchenschl\xfcssel", 401, "unknown_key"),
        ("x" * 5000, 401, "unknown_key"),
        (REVOKED_KEY, 401, "revoked_key"),
        (READER_KEY, 403, "missing_scope"),
    ],
)
async def test_a_wrong_key_opens_nothing(
    shop: Shop, route: Route, key: str | None, status: int, code: str
) -> None:
    answer = await call(shop, route, key)

    problem = await answer.json()
    assert answer.status == status
    assert answer.content_type == "application/problem+json"
    assert problem["type"] == f"/problems/{code}"
    assert problem["errors"] == [{"pointer": "", "code": code, "detail": problem["detail"]}]
    assert ("WWW-Authenticate" in answer.headers) is (status == 401)
    if key:
        assert key not in await answer.text()


async def test_a_key_is_asked_for_before_the_body_is_looked_at(shop: Shop) -> None:
    """Nobody learns what is valid, or costs us parsing, without a key."""
    answer = await shop.post(b"{", headers={"X-API-Key": "wrong", "Content-Type": "text/plain"})

    assert answer.status == 401


BROKEN: dict[str, tuple[bytes, dict[str, str]]] = {
    "no JSON": (b"{", {"Content-Type": "application/json"}),
    "no content type": (b"{}", {}),
    "another content type": (b"{}", {"Content-Type": "text/plain"}),
    "compressed": (b"{}", {"Content-Type": "application/json", "Content-Encoding": "gzip"}),
    "too large": (b"{" + b" " * BODY_LIMIT + b"}", {"Content-Type": "application/json"}),
    "of another shape": (b'{"market": 1, "x": []}', {"Content-Type": "application/json"}),
    "deep": (b"[" * 2000, {"Content-Type": "application/json"}),
}


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("route", ROUTES)
async def test_whatever_is_wrong_with_a_request_access_is_asked_first(
    shop: Shop, route: Route, broken: str
) -> None:
    """On every route a stranger hears the same, and learns nothing of what would be valid."""
    listener, method, path, _, _ = route
    client = shop.public if listener == "public" else shop.admin
    content, headers = BROKEN[broken]
    path = path if method == "POST" else "/v1/prices?market=&market=&wait_ms=soon&x=%FF&sku="
    for key, status in ((None, 401), ("a wrong key", 401), (READER_KEY, 403)):
        keyed = headers if key is None else {**headers, "X-API-Key": key}
        answer = await client.request(method, path, data=content, headers=keyed)
        assert answer.status == status


async def test_the_last_use_of_a_key_is_known_once_it_opened_something(shop: Shop) -> None:
    await shop.post(body(), headers={"X-API-Key": READER_KEY})
    assert set(shop.access.last_use().values()) == {None}

    await shop.ask("S-1")

    assert [name for name, at in shop.access.last_use().items() if at] == ["shop"]


@pytest.mark.parametrize("path", ["/status", "/metrics"])
async def test_what_only_this_machine_reaches_is_read_without_a_key(shop: Shop, path: str) -> None:
    assert (await shop.admin.get(path)).status == 200


@pytest.mark.parametrize("path", ["/status", "/metrics"])
async def test_what_others_reach_needs_an_operator(
    aiohttp_client: AiohttpClient, path: str
) -> None:
    routes = shop_routes(price_service()).routes
    admin = await aiohttp_client(admin_app(routes, body_limit_bytes=BODY_LIMIT, host_names=None))

    assert (await admin.get(path)).status == 401
    assert (await admin.get(path, headers={"X-API-Key": READER_KEY})).status == 403
    assert (await admin.get(path, headers={"X-API-Key": KEY})).status == 200


@pytest.mark.parametrize("path", ["/status", "/metrics", "/docs", "/openapi.json", "/nowhere"])
async def test_what_is_read_without_a_key_is_read_under_our_names(shop: Shop, path: str) -> None:
    """A page in an operator's browser may make its own name lead here."""
    other = {"Host": "attacker.example:8081"}
    assert (await shop.admin.get(path, headers=other)).status == 421
    for name in ("localhost:8081", "127.0.0.1", "[::1]:8081"):
        assert (await shop.admin.get(path, headers={"Host": name})).status in {200, 404}
    assert (await shop.admin.get("/health/live", headers=other)).status == 200


async def test_where_reading_needs_a_key_any_name_will_do(aiohttp_client: AiohttpClient) -> None:
    routes = shop_routes(price_service()).routes
    app = admin_app(routes, body_limit_bytes=BODY_LIMIT, host_names=None)
    admin = await aiohttp_client(app)
    headers = {"Host": "ops.example.com", "X-API-Key": KEY}
    assert (await admin.get("/status", headers=headers)).status == 200


async def test_health_needs_no_key(shop: Shop) -> None:
    for client in (shop.public, shop.admin):
        assert (await client.get("/health/live")).status == 200
        assert (await client.get("/health/ready")).status == 200


async def test_keys_change_while_requests_are_served(shop: Shop) -> None:
    """The new one opens, the old one is unknown, and who is gone is shown no more."""
    await shop.ask("S-1")
    new = ApiKey(name="new", sha256=hash_of("a new key"), scopes=frozenset({"prices"}))

    shop.access.replace(KeyRing([new]), None)

    assert (await shop.post(body())).status == 401
    assert (await shop.post(body(), headers={"X-API-Key": "a new key"})).status == 200
    assert (await shop.public.get("/v1/prices?sku=S-1", headers=bearer(token()))).status == 401
    assert list(shop.access.last_use()) == ["new"]


async def test_what_is_asked_of_the_erp_says_which_key_and_customer_it_is_for(shop: Shop) -> None:
    """Before the ERP callers take turns; browsers share one turn, whatever their tokens."""
    asked: list[tuple[Caller, ...]] = []
    load = shop.world.erp.load

    async def watched(*what: Any, ticket: Ticket, deadline: Deadline) -> Any:
        asked.append(ticket.callers)
        return await load(*what, ticket=ticket, deadline=deadline)

    setattr(shop.world.erp, "load", watched)  # noqa: B010 -- a method is taken for no attribute
    await shop.ask("S-1")
    await shop.get("market=b2b_de&customer=C-2&sku=S-2&wait_ms=2000")
    cart = {"market": "b2b_de", "customer": "C-1", "lines": [{"sku": "S-3"}]}
    await shop.post(cart, path="/v1/carts/price")
    await shop.post({"market": "b2b_de", "skus": ["S-4"]}, path=LOGIN)
    await shop.world.settle()
    headers = {"Authorization": f"Bearer {token('C-2')}"}
    await shop.public.get("/v1/prices?sku=S-5&wait_ms=2000", headers=headers)

    assert asked == [
        (Caller("shop", "b2b_de|C-1"),),
        (Caller("shop", "b2b_de|C-2"),),
        (Caller("shop", "b2b_de|C-1"),),
        (Caller("shop", "b2b_de|C-1"),),
        (Caller("storefront tokens", "b2b_de|C-2"),),
    ]


async def test_who_asks_for_a_customer_that_no_map_holds_is_known_too(shop: Shop) -> None:
    """Before the first map every page may cost a look-up of its own."""
    shop.world.master.is_complete = False
    await shop.post({"market": "b2b_de", "customer": "C-404", "lines": [{"sku": "S-1"}]})
    await shop.post({"market": "b2b_de"}, path="/v1/customers/C-404/login")
    bearer_of = {"Authorization": f"Bearer {token('C-404')}"}
    await shop.public.get("/v1/prices?sku=S-1", headers=bearer_of)

    assert shop.world.master.looked_up == ["C-404"] * 3
    assert shop.world.master.asked_by == ["shop", "shop", "storefront tokens"]

"""The OpenAPI document says what the listeners do: no more, no less, and with true examples."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import pricing_proxy.web
from pricing_proxy.domain.price import NoPrice, NoPriceReason
from pricing_proxy.resilience.errors import UpstreamUnavailableError
from pricing_proxy.web import schemas
from pricing_proxy.web.routes import ROUTES
from tests.fakes.erp import outage_of
from tests.fakes.price_world import MARKET
from tests.web.documented import DOCUMENT, fits, is_documented
from tests.web.shop import BODY_LIMIT, READER_KEY, REVOKED_KEY, Shop, body

WEB = Path(pricing_proxy.web.__file__).parent
LOGIN_PATH = "/v1/customers/{customer}/login"


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield each operation's method, path and description."""
    for path, item in DOCUMENT["paths"].items():
        for method in ("get", "post", "options"):
            if method in item:
                yield method, path, item[method]


def documented(listener: str) -> set[tuple[str, str]]:
    return {
        (method.upper(), path)
        for method, path, _ in operations()
        if listener in DOCUMENT["paths"][path]["x-listeners"]
    }


def served(client: Any) -> set[tuple[str, str]]:
    """Return method and path of each route; HEAD comes with GET, and `*` answers the rest."""
    return {
        (route.method, route.resource.canonical)
        for route in client.app.router.routes()
        if route.method not in ("HEAD", "*")
    }


def samples() -> list[tuple[str, str, Any]]:
    """Return each example with the name of the schema it stands for."""
    found = []
    for _, path, operation in operations():
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for media in (media for part in bodies for media in part.get("content", {}).values()):
            for name, example in media.get("examples", {}).items():
                schema = media["schema"]
                found.append(
                    (f"{path} {name}", shape_of(schema, example["value"]), example["value"])
                )
    return found


def shape_of(schema: Mapping[str, Any], value: Mapping[str, Any]) -> str:
    """Return the name of the shape, of several the first whose members are all there."""
    branches: list[str] = [
        each["$ref"].rpartition("/")[2] for each in schema.get("anyOf", [schema])
    ]
    shapes = DOCUMENT["components"]["schemas"]
    return next(
        (each for each in branches if set(shapes[each].get("required", ())) <= set(value)),
        branches[-1],
    )


async def test_every_route_is_documented_and_every_documented_route_exists(shop: Shop) -> None:
    assert served(shop.public) == documented("public")
    assert served(shop.admin) == documented("admin")


async def test_both_listeners_serve_the_document(shop: Shop) -> None:
    for client in (shop.public, shop.admin):
        answer = await client.get("/openapi.json")

        assert answer.content_type == "application/json"
        assert await answer.json() == DOCUMENT


def test_every_reference_leads_somewhere() -> None:
    references = re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(DOCUMENT))

    assert references
    for reference in references:
        found: Any = DOCUMENT
        for part in reference.split("/"):
            found = found[part]


def test_the_words_are_those_of_the_table() -> None:
    """Nothing is described that is not served, and no answer of a row is left undescribed."""
    words, examples = _data("operations"), _data("examples")
    assert set(words) == {route.name for route in ROUTES}
    for route in ROUTES:
        assert set(words[route.name]["responses"]) >= {str(status) for status in route.answers}
    assert set(examples) <= set(DOCUMENT["components"]["schemas"])


def _data(name: str) -> Any:
    return json.loads((WEB / f"openapi_{name}.json").read_text())


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]

    assert len(names) == len(set(names))


@pytest.mark.parametrize(("shape", "value"), [pytest.param(s, v, id=n) for n, s, v in samples()])
def test_an_example_fits_what_it_illustrates(shape: str, value: Any) -> None:
    fits(shape, value)


def test_the_shapes_are_not_satisfied_by_anything() -> None:
    """Guards `fits`: a member too many, or money as a number, must not pass."""
    _, _, example = next(sample for sample in samples() if sample[1] == "PricesAnswer")
    [line] = example["lines"]

    for wrong in ({**line, "more": 1}, {**line, "line_total": 171}, {**line, "state": "new"}):
        with pytest.raises(AssertionError):
            fits("PricesAnswer", {**example, "lines": [wrong]})


def test_request_schemas_are_those_that_requests_are_read_with() -> None:
    shape = DOCUMENT["components"]["schemas"]["PricesBody"]

    assert shape["properties"]["lines"]["maxItems"] == schemas.MAX_LINES
    assert shape["properties"]["wait_ms"]["maximum"] == schemas.MAX_WAIT_MS
    assert shape["additionalProperties"] is False


async def test_answers_of_a_healthy_erp_fit_the_document(shop: Shop) -> None:
    shop.world.erp.without_price["S-2"] = NoPrice(NoPriceReason.NOT_PRICED)

    browsed = await shop.ask("S-1", "S-2", "NO-SUCH-SKU")
    bound = await shop.ask("S-1", mode="checkout")

    fits("PricesAnswer", browsed)
    fits("PricesAnswer", bound)
    assert [line["state"] for line in browsed["lines"]] == ["fresh", "no_price", "no_price"]
    assert bound["binding"] is True


async def test_answers_during_an_outage_fit_the_document(shop: Shop) -> None:
    await shop.ask("S-1")
    shop.world.erp.outage = outage_of(UpstreamUnavailableError)
    shop.world.invalidate()

    browsed = await shop.ask("S-1", "S-2")
    flagged = await shop.ask("S-1", "S-2", mode="checkout", accept="flagged")
    refusal = await shop.post(body("S-1", "S-2", mode="checkout"))

    assert [line["state"] for line in browsed["lines"]] == ["stale", "unavailable"]
    assert refusal.status == 503
    fits("PricesAnswer", browsed)
    fits("PricesAnswer", flagged)
    fits("CheckoutRefusal", await refusal.json())


async def test_what_is_not_a_price_fits_the_document_too(shop: Shop) -> None:
    login = await shop.post(
        {"market": MARKET, "skus": ["S-1"]}, path=LOGIN_PATH.format(customer="C-1")
    )
    invalidation = await shop.post_admin(
        {"market": MARKET, "scope": {"sku": "S-1"}, "level": "soft", "reason": "changed"}
    )
    shop.obstacles.append("maps of market b2b_de")
    live = await shop.public.get("/health/live")
    unready = await shop.public.get("/health/ready")

    assert (login.status, invalidation.status, unready.status) == (202, 202, 503)
    fits("WarmingAnswer", await login.json())
    fits("InvalidationAnswer", await invalidation.json())
    fits("LiveAnswer", await live.json())
    fits("ReadyAnswer", await unready.json())


BAD_BODIES: Mapping[str, Any] = {
    "invalid_json": b"{",
    "unknown_member": body(colour="red"),
    "unknown_mode": body(mode="guess"),
    "invalid_request": body(mode="guess", colour="red"),
    "missing_member": {"market": MARKET, "customer": "C-1"},
    "invalid_value": body(lines=[]),
    "not_positive": body(lines=[{"sku": "S-1", "quantity": "0"}]),
    "unknown_market": body(market="nowhere"),
    "unknown_currency": body(currency="XXX"),
    "unknown_customer": body(customer="C-404"),
    "customer_not_mapped": body(customer={"magento_id": 404}),
    "no_price": body("NO-SUCH-SKU", mode="checkout"),
    "body_too_large": b" " * (BODY_LIMIT + 1),
}


@pytest.mark.parametrize("code", BAD_BODIES)
async def test_a_mistake_is_answered_with_the_documented_problem(shop: Shop, code: str) -> None:
    json_type = {"Content-Type": "application/json"}

    answer = await shop.post(BAD_BODIES[code], headers=json_type)

    await is_documented("post", "/v1/prices", answer, code)


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (None, "missing_key"),
        ("guess", "unknown_key"),
        (REVOKED_KEY, "revoked_key"),
        (READER_KEY, "missing_scope"),
    ],
)
@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        pytest.param(method, path, operation["security"][0]["ApiKey"], id=operation["operationId"])
        for method, path, operation in operations()
        if operation["security"] and operation["security"][0]
    ],
)
async def test_a_route_asks_for_the_documented_scope(  # noqa: PLR0917 -- parameters of the case
    shop: Shop, method: str, path: str, scope: list[str], key: str | None, code: str
) -> None:
    client = shop.public if (method.upper(), path) in served(shop.public) else shop.admin
    headers = {} if key is None else {"X-API-Key": key}

    answer = await client.request(method, path.format(customer="C-1", name="any"), headers=headers)

    await is_documented(method, path, answer, code)
    if code == "missing_scope":
        assert scope[0] in (await answer.json())["detail"]


@pytest.mark.parametrize(
    ("listener", "path"),
    [
        (listener, path)
        for method, path, operation in operations()
        for listener in DOCUMENT["paths"][path]["x-listeners"]
        if method == "get" and (not operation["security"] or {} in operation["security"])
    ],
)
async def test_a_route_without_a_documented_key_needs_none(
    shop: Shop, listener: str, path: str
) -> None:
    client = shop.public if listener == "public" else shop.admin

    answer = await client.get(path.format(file="docs.js"))

    assert answer.status == 200


@pytest.mark.parametrize(
    "parameter",
    [each["name"] for each in DOCUMENT["paths"]["/v1/prices"]["get"]["parameters"]],
)
async def test_every_documented_parameter_is_understood(shop: Shop, parameter: str) -> None:
    """A value of its own makes its problem; only an unknown name makes `unknown_member`."""
    others = {"market": MARKET, "customer": "C-1", "sku": "S-1"}
    if parameter == "magento_id":
        del others["customer"]
    query = "&".join(f"{name}={value}" for name, value in {**others, parameter: "~"}.items())

    answer = await shop.get(query)

    assert "unknown_member" not in await answer.text()
    assert "unknown_member" in await (await shop.get(f"{query}&colour=red")).text()


async def test_the_documented_query_is_answered(shop: Shop) -> None:
    names = {"market", "customer", "sku", "quantity", "unit", "mode", "wait_ms"}
    assert names <= {each["name"] for each in DOCUMENT["paths"]["/v1/prices"]["get"]["parameters"]}

    answer = await shop.get(
        f"market={MARKET}&customer=C-1&sku=S-1&sku=S-2&quantity=2&unit=PCS&mode=cart&wait_ms=2000"
    )

    assert answer.status == 200
    assert "Cache-Status" in answer.headers
    fits("PricesAnswer", await answer.json())

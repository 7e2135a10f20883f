"""The routes of both listeners as the OpenAPI document describes them.

One function per route, in the order in which `app` adds them. `x-listeners` says where a
route is served; a test compares it with the applications themselves.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pricing_proxy.problem_details import CONTENT_TYPE
from pricing_proxy.web import openapi_examples as examples
from pricing_proxy.web import openapi_parts as parts
from pricing_proxy.web import problems
from pricing_proxy.web.access import AccessScope
from pricing_proxy.web.openapi_operating import (
    get_metrics,
    get_status,
    post_breaker_order,
    post_clearing,
    post_gate_order,
)
from pricing_proxy.web.openapi_problems import problem_responses
from pricing_proxy.web.schemas import MAX_LINES

PUBLIC = "public"
ADMIN = "admin"

# The settings' defaults.
_PORTS = {PUBLIC: "8080", ADMIN: "8081"}
# Members of a line that a query gives once for each line.
_LINE_MEMBERS = ("sku", "quantity", "unit")
_UNAVAILABLE = str(problems.PRICE_NOT_CURRENT.status)


def paths(shapes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document's paths.

    Args:
        shapes: The generated schemas, from which the parameters of a GET are taken.
    """
    return {
        "/v1/prices": _on(
            (PUBLIC,),
            post=_post_prices(),
            get=_get_prices(shapes),
            options=_options_prices(),
        ),
        "/v1/carts/price": _on((PUBLIC,), post=_post_cart()),
        "/v1/customers/{customer}/login": _on((PUBLIC,), post=_post_login()),
        "/v1/invalidations": _on((ADMIN,), post=_post_invalidation()),
        "/v1/prices/explain": _on((ADMIN,), post=_post_explain()),
        "/status": _on((ADMIN,), get=get_status()),
        "/metrics": _on((ADMIN,), get=get_metrics()),
        "/v1/breakers/{name}": _on((ADMIN,), post=post_breaker_order()),
        "/v1/gates/{name}": _on((ADMIN,), post=post_gate_order()),
        "/v1/kept-out/clear": _on((ADMIN,), post=post_clearing()),
        "/openapi.json": _on((PUBLIC, ADMIN), get=_get_openapi()),
        "/docs": _on((ADMIN,), get=_get_docs()),
        "/docs/{file}": _on((ADMIN,), get=_get_docs_file()),
        "/health/live": _on((PUBLIC, ADMIN), get=_get_live()),
        "/health/ready": _on((PUBLIC, ADMIN), get=_get_ready()),
    }


def server(listener: str) -> dict[str, Any]:
    """Return where a listener is found unless the settings say otherwise."""
    return {
        "url": "http://{host}:{port}",
        "description": f"The {listener} listener, as the settings' defaults place it.",
        "variables": {
            "host": {"default": "127.0.0.1"},
            "port": {"default": _PORTS[listener]},
        },
    }


def _on(listeners: Sequence[str], **operations: dict[str, Any]) -> dict[str, Any]:
    for operation in operations.values():
        operation["tags"] = list(listeners)
    servers = [server(listener) for listener in listeners]
    return {"x-listeners": list(listeners), "servers": servers, **operations}


def _post_prices() -> dict[str, Any]:
    return parts.operation(
        "postPrices",
        "Price lines for a customer",
        body=parts.bodies(
            {"PricesBody": examples.PRICES_BODIES, "ShopperBody": examples.SHOPPER_BODIES}
        ),
        scope=AccessScope.PRICES,
        takes_token=True,
        answers=_prices_answers(),
        mistakes=(*problems.BODY, *problems.PRICES),
    )


def _get_prices(shapes: Mapping[str, Any]) -> dict[str, Any]:
    return parts.operation(
        "getPrices",
        "Price lines, asked for with a query",
        description="As the POST, with its members as parameters. `quantity` and `unit` are "
        "given once for all lines, or once for each `sku`, in the same order.",
        parameters=_price_parameters(shapes),
        scope=AccessScope.PRICES,
        takes_token=True,
        answers=_prices_answers(),
        mistakes=(*problems.VALUES, *problems.PRICES),
    )


def _options_prices() -> dict[str, Any]:
    names = ("Allow-Origin", "Allow-Methods", "Allow-Headers", "Max-Age")
    headers = {f"Access-Control-{name}": parts.TEXT for name in names}
    vary = {"Vary": {"$ref": "#/components/headers/Vary"}}
    return parts.operation(
        "optionsPrices",
        "Ask whether a page may ask for prices",
        description="A browser's preflight; allowed for the origins that a market lists.",
        answers={"204": {"description": "It may.", "headers": {**headers, **vary}}},
        mistakes=(problems.ORIGIN_NOT_ALLOWED,),
    )


def _post_cart() -> dict[str, Any]:
    return parts.operation(
        "postCart",
        "Price a whole cart, to be charged",
        description="All or nothing, as `/v1/prices` in mode `checkout`: every line binds, or "
        "the cart is refused. Discounts of the cart as a whole are not known to a source that "
        "prices line by line; `cart_discounts` is null then.",
        body=parts.body("CartBody", examples.CART_BODIES),
        scope=AccessScope.PRICES,
        answers=_priced("CartAnswer", "Every line binds, or is flagged.", examples.CART_ANSWERS),
        mistakes=(*problems.BODY, *problems.PRICES),
    )


def _post_login() -> dict[str, Any]:
    return parts.operation(
        "postLogin",
        "Warm a customer's prices in the background",
        description="Answered at once. The SKUs sent are loaded, and those seen lately.",
        parameters=[parts.in_path("customer", "The ERP account.", "C-1001")],
        body=parts.body("LoginBody", examples.LOGIN_BODIES),
        scope=AccessScope.LOGIN,
        answers={"202": parts.answer("WarmingAnswer", "Noted.", examples.WARMING_ANSWERS)},
        mistakes=(*problems.BODY, problems.UNKNOWN_MARKET, problems.UNKNOWN_CUSTOMER),
    )


def _post_invalidation() -> dict[str, Any]:
    return parts.operation(
        "postInvalidation",
        "Say that prices changed in the ERP",
        description="`soft`: an old price may stand in while the ERP fails. `hard`: it must not "
        "be shown again. `all` with `hard` needs the scope `invalidate_all_hard` as well.",
        body=parts.body("InvalidationBody", examples.INVALIDATION_BODIES),
        scope=AccessScope.INVALIDATE,
        answers={
            "202": parts.answer("InvalidationAnswer", "Noted.", examples.INVALIDATION_ANSWERS)
        },
        mistakes=(
            *problems.BODY,
            problems.UNKNOWN_MARKET,
            problems.TOO_OFTEN,
            problems.LEDGER_UNAVAILABLE,
        ),
    )


def _post_explain() -> dict[str, Any]:
    return parts.operation(
        "postExplain",
        "Ask why lines would be answered as they would be",
        description="Decided by the service's own code and table, at this instant. Nothing is "
        "loaded from the ERP for it, and nothing changes.",
        body=parts.body("PricesBody", examples.PRICES_BODIES),
        scope=AccessScope.EXPLAIN,
        answers={"200": parts.answer("ExplainAnswer", "Why.", examples.EXPLAIN_ANSWERS)},
        mistakes=(*problems.BODY, *problems.ASKING),
    )


def _get_openapi() -> dict[str, Any]:
    document = {
        "description": "The document.",
        "content": {parts.JSON: {"schema": {"type": "object"}}},
    }
    return parts.operation("getOpenapi", "Read this document", answers={"200": document})


def _get_docs() -> dict[str, Any]:
    page = parts.text_answer("text/html", "The page.")
    return parts.operation("getDocs", "Read this document as a page", answers={"200": page})


def _get_docs_file() -> dict[str, Any]:
    content = {"text/css": parts.TEXT, "text/javascript": parts.TEXT}
    return parts.operation(
        "getDocsFile",
        "Fetch a style sheet or script of the pages",
        parameters=[parts.in_path("file", "One of a fixed set.", "docs.js")],
        answers={"200": {"description": "The file.", "content": content}},
        mistakes=(problems.NO_SUCH_FILE,),
    )


def _get_live() -> dict[str, Any]:
    live = parts.answer("LiveAnswer", "It lives.", examples.LIVE_ANSWERS)
    return parts.operation("getLive", "Ask whether the process lives", answers={"200": live})


def _get_ready() -> dict[str, Any]:
    return parts.operation(
        "getReady",
        "Ask whether the process wants requests",
        description="An ERP that is away does not make it unready: prices flow from the cache.",
        answers={
            "200": parts.answer("ReadyAnswer", "Send requests.", examples.READY_ANSWERS),
            "503": parts.answer("ReadyAnswer", "Send none yet.", examples.UNREADY_ANSWERS),
        },
    )


def _prices_answers() -> dict[str, Any]:
    about = "A price or a state for each line."
    return _priced("PricesAnswer", about, examples.PRICES_ANSWERS)


def _priced(shape: str, about: str, samples: Mapping[str, Any]) -> dict[str, Any]:
    priced = parts.answer(shape, about, samples)
    priced["headers"] = {"Cache-Status": {"$ref": "#/components/headers/Cache-Status"}}
    refusal = problem_responses(problems.PRICES)[_UNAVAILABLE]
    content = refusal["content"][CONTENT_TYPE]
    content["schema"] = {"anyOf": [parts.reference("CheckoutRefusal"), parts.reference("Problem")]}
    content["examples"]["price_not_current"] = {"value": examples.REFUSAL}
    return {"200": priced, _UNAVAILABLE: refusal}


def _price_parameters(shapes: Mapping[str, Any]) -> list[dict[str, Any]]:
    body, line = shapes["PricesBody"], shapes["LineBody"]["properties"]
    shop_id = shapes["ShopCustomer"]["properties"]["magento_id"]
    account = next(branch for branch in body["properties"]["customer"]["anyOf"] if "type" in branch)
    whole = {
        name: shape
        for name, shape in body["properties"].items()
        if name not in ("customer", "lines")
    }
    singles = {"market": None, "customer": account, "magento_id": shop_id} | whole
    repeated = {
        name: {"type": "array", "items": line[name], "maxItems": MAX_LINES}
        for name in _LINE_MEMBERS
    }
    repeated["sku"]["minItems"] = 1
    # With a token market and customer may be left out; otherwise they may not.
    required = {"sku"}
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "description": examples.PARAMETERS[name].description,
            "schema": shape,
            **examples.PARAMETERS[name].as_member(),
        }
        for name, shape in {**singles, **repeated}.items()
    ]

"""The routes of both listeners as the OpenAPI document describes them.

One function per route, in the order in which `app` adds them. `x-listeners` says where a
route is served; a test compares it with the applications themselves.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pricing_proxy.web import openapi_examples as examples
from pricing_proxy.web import openapi_problems as problems
from pricing_proxy.web.access import AccessScope
from pricing_proxy.web.openapi_problems import KnownProblem, problem_responses
from pricing_proxy.web.problems import CONTENT_TYPE
from pricing_proxy.web.schemas import MAX_LINES

PUBLIC = "public"
ADMIN = "admin"
SCHEMAS = "#/components/schemas/"

_JSON = "application/json"
# The settings' defaults.
_PORTS = {PUBLIC: "8080", ADMIN: "8081"}
# Members of a line that a query gives once for each line.
_LINE_MEMBERS = ("sku", "quantity", "unit")
_UNAVAILABLE = 503
_TEXT = {"schema": {"type": "string"}}


def paths(shapes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document's paths.

    Args:
        shapes: The generated schemas, from which the parameters of a GET are taken.
    """
    return {
        "/v1/prices": _on((PUBLIC,), post=_post_prices(), get=_get_prices(shapes)),
        "/v1/customers/{customer}/login": _on((PUBLIC,), post=_post_login()),
        "/v1/invalidations": _on((ADMIN,), post=_post_invalidation()),
        "/status": _on((ADMIN,), get=_get_status()),
        "/metrics": _on((ADMIN,), get=_get_metrics()),
        "/v1/breakers/{name}": _on((ADMIN,), post=_post_breaker_order()),
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
    return _operation(
        "postPrices",
        "Price lines for a customer",
        body=_body("PricesBody", examples.PRICES_BODIES),
        scope=AccessScope.PRICES,
        answers=_prices_answers(),
        mistakes=(*problems.BODY, *problems.MARKET, *problems.CUSTOMER, *problems.PRICES),
    )


def _get_prices(shapes: Mapping[str, Any]) -> dict[str, Any]:
    return _operation(
        "getPrices",
        "Price lines, asked for with a query",
        description="As the POST, with its members as parameters. `quantity` and `unit` are "
        "given once for all lines, or once for each `sku`, in the same order.",
        parameters=_price_parameters(shapes),
        scope=AccessScope.PRICES,
        answers=_prices_answers(),
        mistakes=(*problems.VALUES, *problems.MARKET, *problems.CUSTOMER, *problems.PRICES),
    )


def _post_login() -> dict[str, Any]:
    return _operation(
        "postLogin",
        "Warm a customer's prices in the background",
        description="Answered at once. The SKUs sent are loaded, and those seen lately.",
        parameters=[_in_path("customer", "The ERP account.", "C-1001")],
        body=_body("LoginBody", examples.LOGIN_BODIES),
        scope=AccessScope.LOGIN,
        answers={"202": _answer("WarmingAnswer", "Noted.", examples.WARMING_ANSWERS)},
        mistakes=(*problems.BODY, *problems.MARKET, *problems.CUSTOMER),
    )


def _post_invalidation() -> dict[str, Any]:
    return _operation(
        "postInvalidation",
        "Say that prices changed in the ERP",
        description="`soft`: an old price may stand in while the ERP fails. `hard`: it must not "
        "be shown again. `all` with `hard` needs the scope `invalidate_all_hard` as well.",
        body=_body("InvalidationBody", examples.INVALIDATION_BODIES),
        scope=AccessScope.INVALIDATE,
        answers={"202": _answer("InvalidationAnswer", "Noted.", examples.INVALIDATION_ANSWERS)},
        mistakes=(*problems.BODY, *problems.MARKET, problems.TOO_OFTEN),
    )


def _get_status() -> dict[str, Any]:
    state = _answer("StatusAnswer", "A page for browsers, JSON for everybody else.")
    state["content"]["text/html"] = _TEXT
    return _operation(
        "getStatus",
        "See the state of the process",
        scope=AccessScope.OPERATE,
        is_open_on_loopback=True,
        answers={"200": state},
    )


def _get_metrics() -> dict[str, Any]:
    return _operation(
        "getMetrics",
        "Read all values in Prometheus' text format",
        scope=AccessScope.OPERATE,
        is_open_on_loopback=True,
        answers={"200": _text("text/plain", "The values.")},
    )


def _post_breaker_order() -> dict[str, Any]:
    return _operation(
        "postBreakerOrder",
        "Isolate or close a circuit breaker",
        description="`isolate` lets nothing through until told otherwise; `close` lets "
        "everything through and counts anew.",
        parameters=[_in_path("name", "As `/status` shows it.", "sandbox:price_read")],
        body=_body("BreakerOrderBody", examples.BREAKER_BODIES),
        scope=AccessScope.OPERATE,
        answers={"200": _answer("StatusAnswer", "The state of the process afterwards.")},
        mistakes=(*problems.BODY, problems.UNKNOWN_BREAKER),
    )


def _get_openapi() -> dict[str, Any]:
    document = {
        "description": "The document.",
        "content": {_JSON: {"schema": {"type": "object"}}},
    }
    return _operation("getOpenapi", "Read this document", answers={"200": document})


def _get_docs() -> dict[str, Any]:
    page = _text("text/html", "The page.")
    return _operation("getDocs", "Read this document as a page", answers={"200": page})


def _get_docs_file() -> dict[str, Any]:
    content = {"text/css": _TEXT, "text/javascript": _TEXT}
    return _operation(
        "getDocsFile",
        "Fetch a style sheet or script of the pages",
        parameters=[_in_path("file", "One of a fixed set.", "docs.js")],
        answers={"200": {"description": "The file.", "content": content}},
        mistakes=(problems.NO_SUCH_FILE,),
    )


def _get_live() -> dict[str, Any]:
    live = _answer("LiveAnswer", "It lives.", examples.LIVE_ANSWERS)
    return _operation("getLive", "Ask whether the process lives", answers={"200": live})


def _get_ready() -> dict[str, Any]:
    return _operation(
        "getReady",
        "Ask whether the process wants requests",
        description="An ERP that is away does not make it unready: prices flow from the cache.",
        answers={
            "200": _answer("ReadyAnswer", "Send requests.", examples.READY_ANSWERS),
            "503": _answer("ReadyAnswer", "Send none yet.", examples.UNREADY_ANSWERS),
        },
    )


def _operation(
    name: str,
    summary: str,
    *,
    answers: Mapping[str, Any],
    description: str | None = None,
    parameters: Sequence[Mapping[str, Any]] = (),
    body: Mapping[str, Any] | None = None,
    scope: AccessScope | None = None,
    is_open_on_loopback: bool = False,
    mistakes: Iterable[KnownProblem] = (),
) -> dict[str, Any]:
    access = () if scope is None else problems.ACCESS
    responses = problem_responses((*access, *mistakes, problems.BROKEN))
    security = [{"ApiKey": [scope.value]}] if scope is not None else []
    members: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "description": description,
        "parameters": list(parameters) or None,
        "requestBody": body,
        "security": [{}, *security] if is_open_on_loopback else security,
        # A route's own answer for a status wins: it knows the problem that it describes.
        "responses": dict(sorted({**responses, **answers}.items())),
    }
    return {member: value for member, value in members.items() if value is not None}


def _prices_answers() -> dict[str, Any]:
    priced = _answer("PricesAnswer", "A price or a state for each line.", examples.PRICES_ANSWERS)
    priced["headers"] = {"Cache-Status": {"$ref": "#/components/headers/Cache-Status"}}
    mistakes = [problem for problem in problems.PRICES if problem.status == _UNAVAILABLE]
    refusal = problem_responses([*mistakes, problems.PRICE_NOT_CURRENT])[str(_UNAVAILABLE)]
    content = refusal["content"][CONTENT_TYPE]
    content["schema"] = {"anyOf": [_ref("CheckoutRefusal"), _ref("Problem")]}
    content["examples"]["price_not_current"] = {"value": examples.REFUSAL}
    return {"200": priced, str(_UNAVAILABLE): refusal}


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
    required = {"market", "sku"}
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


def _body(shape: str, samples: Mapping[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {_JSON: _sampled(shape, samples)}}


def _answer(
    shape: str, description: str, samples: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    return {"description": description, "content": {_JSON: _sampled(shape, samples or {})}}


def _sampled(shape: str, samples: Mapping[str, Any]) -> dict[str, Any]:
    named = {name: {"value": value} for name, value in samples.items()}
    return {"schema": _ref(shape)} | ({"examples": named} if named else {})


def _text(content_type: str, description: str) -> dict[str, Any]:
    return {"description": description, "content": {content_type: _TEXT}}


def _in_path(name: str, description: str, example: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "string", "minLength": 1},
        "example": example,
    }


def _ref(shape: str) -> dict[str, str]:
    return {"$ref": f"{SCHEMAS}{shape}"}

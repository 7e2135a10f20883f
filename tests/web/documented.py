"""Hold what is sent and answered to the OpenAPI document."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from aiohttp import ClientResponse, web
from jsonschema_rs import Draft202012Validator
from pydantic import TypeAdapter, ValidationError

from pricing_proxy.problem_details import CONTENT_TYPE
from pricing_proxy.web import schemas
from pricing_proxy.web.openapi import openapi_document
from pricing_proxy.web.problems import ELSEWHERE, INTERNAL_ERROR
from pricing_proxy.web.routes import ROUTES

DOCUMENT = openapi_document()
BODIES: Mapping[str, TypeAdapter[Any]] = {
    "PricesBody": schemas.PRICES,
    "ShopperBody": schemas.SHOPPER_PRICES,
    "CartBody": schemas.CART,
    "LoginBody": schemas.LOGIN,
    "InvalidationBody": schemas.INVALIDATION,
    "BreakerOrderBody": schemas.BREAKER_ORDER,
    "GateOrderBody": schemas.GATE_ORDER,
    "ClearingBody": schemas.CLEARING,
}


def fits(shape: str, value: Any) -> None:
    """Fail unless the value has the shape, and no member besides."""
    if shape in BODIES:
        try:
            BODIES[shape].validate_json(json.dumps(value), strict=True)
        except ValidationError as error:
            raise AssertionError(str(error)) from error
    else:
        wrong = [error.message for error in _validator(shape).iter_errors(value)]
        assert not wrong, wrong


async def is_documented(method: str, path: str, answer: ClientResponse, code: str) -> None:
    """Fail unless the answer is this problem, and the document lists it for the route."""
    problem = await answer.json(content_type=CONTENT_TYPE)
    listed = DOCUMENT["paths"][path][method]["responses"][str(answer.status)]
    assert problem["type"] == f"/problems/{code}"
    assert code in listed["content"][CONTENT_TYPE]["examples"]
    assert set(listed.get("headers", {})) <= set(answer.headers)
    fits("Problem", problem)


class Observed:
    """Watches what an application answers.

    Attributes:
        undocumented: Answers that the document does not tell of: method, path, status, and the
            problem's code or what is wrong with the answer's shape.
    """

    def __init__(self) -> None:
        self.undocumented: list[tuple[str, str, int, str]] = []

    def watch(self, app: web.Application) -> None:
        """Look at every answer of an application that does not run yet."""
        app.on_response_prepare.append(self._look)

    async def _look(self, request: web.Request, response: web.StreamResponse) -> None:
        resource = request.match_info.route.resource
        path = "" if resource is None else resource.canonical
        # A HEAD is answered as the GET.
        route = _ROWS.get(("GET" if request.method == "HEAD" else request.method, path))
        if not isinstance(response, web.Response) or not isinstance(response.body, bytes):
            return
        wrong = ""
        if response.content_type == CONTENT_TYPE:
            code = json.loads(response.body)["type"].removeprefix("/problems/")
            named = (*ELSEWHERE, INTERNAL_ERROR, *(route.problems if route else ()))
            if (response.status, code) not in {(each.status, each.code) for each in named}:
                wrong = code
        elif route is not None and response.status in route.answers:
            wrong = misfit(route.answers[response.status], response)
        if wrong:
            self.undocumented.append((request.method, path, response.status, wrong))


def misfit(shape: str, response: web.Response) -> str:
    """Return what does not fit, nothing for an answer that does."""
    # The state of a process is made up in these tests, and may be a page.
    if shape == "StatusAnswer":
        return ""
    assert isinstance(response.body, bytes)
    wrong = _validator(shape).iter_errors(json.loads(response.body))
    return "; ".join(error.message for error in wrong)


_ROWS = {(route.method, route.path): route for route in ROUTES}


@cache
def _validator(shape: str) -> Draft202012Validator:
    components = {"schemas": _closed(DOCUMENT["components"]["schemas"])}
    return Draft202012Validator({"$ref": f"#/components/schemas/{shape}", "components": components})


def _closed(schema: Any) -> Any:
    """Return a schema without room for members that it does not name."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(value) for name, value in schema.items()}
    return closed | ({"additionalProperties": False} if "properties" in schema else {})

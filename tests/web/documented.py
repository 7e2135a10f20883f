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
        undocumented: Problems that the document does not tell of, with their routes.
    """

    def __init__(self) -> None:
        self.undocumented: list[tuple[str, str, int, str]] = []

    def watch(self, app: web.Application) -> None:
        """Look at every answer of an application that does not run yet."""
        app.on_response_prepare.append(self._look)

    async def _look(self, request: web.Request, response: web.StreamResponse) -> None:
        if response.headers.get("Content-Type") != CONTENT_TYPE:
            return
        assert isinstance(response, web.Response)
        assert isinstance(response.body, bytes)
        code = json.loads(response.body)["type"].removeprefix("/problems/")
        resource = request.match_info.route.resource
        path = "" if resource is None else resource.canonical
        known = _documented(path, request.method) | {
            (problem.status, problem.code) for problem in (*ELSEWHERE, INTERNAL_ERROR)
        }
        if (response.status, code) not in known:
            self.undocumented.append((request.method, path, response.status, code))


@cache
def _documented(path: str, method: str) -> set[tuple[int, str]]:
    # A HEAD is answered as the GET.
    verb = "get" if method == "HEAD" else method.lower()
    responses = DOCUMENT["paths"].get(path, {}).get(verb, {}).get("responses", {})
    return {
        (int(status), code)
        for status, response in responses.items()
        for code in response.get("content", {}).get(CONTENT_TYPE, {}).get("examples", {})
    }


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

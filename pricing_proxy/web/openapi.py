"""The OpenAPI 3.1 document of both listeners.

Routes come from the table that `app` serves; request bodies from the very adapters that
read requests (`schemas`), so they cannot drift, and the query of `GET /v1/prices` is made of
the same members; problems from their registry; the freshness table from `domain`. What
only words can say stands beside this module as data: `openapi_operations.json` describes
each operation by its name, `openapi_components.json` the shapes of answers, which the tests
hold real answers to, and `openapi_examples.json` has examples of each shape: the README's
customer, lamp and numbers.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from itertools import groupby
from typing import Any, Literal, NamedTuple

import orjson
from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from pricing_proxy.problem_details import CONTENT_TYPE, Problem, ProblemError
from pricing_proxy.web.asking import LINE_PARAMETERS
from pricing_proxy.web.freshness_words import freshness_markdown
from pricing_proxy.web.problems import ELSEWHERE
from pricing_proxy.web.routes import ADMIN, PUBLIC, ROUTES, Route
from pricing_proxy.web.schemas import MAX_LINES

_SCHEMAS = "#/components/schemas/"
_JSON = "application/json"
# What stands in a path for a name.
_SEGMENT = {"type": "string", "minLength": 1}
# The settings' defaults.
_PORTS: Mapping[str, int] = {PUBLIC: 8080, ADMIN: 8081}
_ABOUT = """\
What *this* customer pays for *these* SKUs, from memory, from Redis, or from the ERP.

Money and quantities are decimal strings; a JSON number in their place is a 422. Instants
are RFC 3339, UTC. Every mistake is answered as `application/problem+json` (RFC 9457)
whose `errors` point at the members, at 20 of them at most.

A **browse** or **cart** answer to a well-formed request is always 200, with a state for
each line. A **checkout** is all or nothing: every line binds, or it is a 422 (a line has no
price; repeating is pointless) or a 503 (ask again after `Retry-After`). An old price is
never passed off as a current one.

## Asking from a browser

A page asks with a token that the shop issued for its customer (`Authorization: Bearer`),
from an origin that the market lists. It may leave market and customer out; naming others is
a 403, and so is a checkout. It may ask for 60 lines and wait 2 s at most. What has to be
loaded from the ERP is counted: 120 lines a minute for each customer, over all replicas.
Beyond that, cached lines are served as ever, old ones flagged, and the rest is `unavailable`
with the reason `cold_budget_spent`.

## When a stored price is shown

Read from the table that decides it; the times are the defaults of settings.

"""


def openapi_document(ports: Mapping[str, int] = _PORTS) -> dict[str, Any]:
    """Return the document as plain values, which are not to be changed.

    Args:
        ports: Of the listeners, by name.
    """
    return _document(tuple(sorted(ports.items())))


@cache
def _document(ports_by_name: tuple[tuple[str, int], ...]) -> dict[str, Any]:
    data, ports = _read(), dict(ports_by_name)
    paths: dict[str, Any] = {}
    for route in ROUTES:
        whole = {
            "x-listeners": list(route.listeners),
            "servers": [_server(listener, ports) for listener in route.listeners],
        }
        path = paths.setdefault(route.path, whole)
        path[route.method.lower()] = operation = _operation(route, data)
        if route.has_head:
            path["head"] = _head(operation)
    every = [*ELSEWHERE, *(problem for route in ROUTES for problem in route.problems)]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Prices of Dynamics 365 for the shop",
            "version": version("pricing-proxy"),
            "description": _ABOUT + freshness_markdown(),
        },
        "servers": [_server(PUBLIC, ports)],
        "tags": [
            {"name": PUBLIC, "description": "What the shop calls."},
            {
                "name": ADMIN,
                "description": "What operators call; on loopback by default.",
            },
        ],
        "paths": paths,
        "components": data.components,
        "x-problems": [
            {"status": problem.status, "code": problem.code, "detail": problem.detail}
            for problem in _in_order(every)
        ],
    }


class _Data(NamedTuple):
    """What the document is made of besides the table.

    Attributes:
        components: As the document has them, with the schemas of bodies.
        operations: Words for each, by its name.
        examples: By shape.
        sent: Shapes of the bodies of each operation.
    """

    components: Mapping[str, Any]
    operations: Mapping[str, Any]
    examples: Mapping[str, Any]
    sent: Mapping[str, Sequence[str]]


def _read() -> _Data:
    bodies: list[tuple[tuple[str, int], Literal["validation"], TypeAdapter[Any]]] = [
        ((route.name, index), "validation", body)
        for route in ROUTES
        for index, body in enumerate(route.bodies)
    ]
    references, definitions = TypeAdapter.json_schemas(
        bodies, ref_template=f"{_SCHEMAS}{{model}}", schema_generator=_Untitled
    )
    sent: dict[str, list[str]] = {}
    for ((name, _), _), reference in references.items():
        sent.setdefault(name, []).append(reference["$ref"].removeprefix(_SCHEMAS))
    components, operations, examples = (
        orjson.loads(files(__package__).joinpath(f"openapi_{name}.json").read_bytes())
        for name in ("components", "operations", "examples")
    )
    components["schemas"] |= definitions["$defs"]
    return _Data(components, operations, examples, sent)


class _Untitled(GenerateJsonSchema):
    """Leaves out titles that only repeat a member's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 -- pydantic's hook
        return False


def _server(listener: str, ports: Mapping[str, int]) -> dict[str, Any]:
    """Return where a listener is found."""
    return {
        "url": "http://{host}:{port}",
        "description": f"The {listener} listener.",
        "variables": {
            "host": {"default": "127.0.0.1"},
            "port": {"default": str(ports[listener])},
        },
    }


def _operation(route: Route, data: _Data) -> dict[str, Any]:
    words = data.operations[route.name]
    security: list[dict[str, Any]] = [{"ApiKey": [route.scope]}] if route.scope else []
    security += [{"StorefrontToken": []}] if route.takes_token else []
    operation = {
        "operationId": route.name,
        **words,
        "tags": list(route.listeners),
        "security": [{}, *security] if route.is_open_on_loopback else security,
        "responses": _responses(route, words["responses"], data),
    }
    if "parameters" in words:
        operation["parameters"] = _parameters(route, words["parameters"], data)
    if route.bodies:
        content = _content(data.sent[route.name], data)
        operation["requestBody"] = {"required": True, "content": {_JSON: content}}
    return operation


def _head(operation: Mapping[str, Any]) -> dict[str, Any]:
    """Return the operation that answers the same without a body."""
    responses = {
        status: {name: value for name, value in answer.items() if name != "content"}
        for status, answer in operation["responses"].items()
    }
    name = operation["operationId"].replace("get", "head", 1)
    return {**operation, "operationId": name, "responses": responses}


def _responses(route: Route, words: Mapping[str, Any], data: _Data) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for code, answer in words.items():
        content = dict(answer.get("content", {}))
        if (shape := route.answers.get(int(code))) is not None:
            content[_JSON] = _content([shape], data) | content.get(_JSON, {})
        responses[code] = answer | ({"content": content} if content else {})
    for status, problems in groupby(_in_order(route.problems), lambda problem: problem.status):
        responses[str(status)] = _refusal(list(problems), data)
    return dict(sorted(responses.items()))


def _refusal(problems: Sequence[Problem], data: _Data) -> dict[str, Any]:
    """Return the response for some problems of one status."""
    headers = {
        name: {"$ref": f"#/components/headers/{name}"}
        for name in data.components["headers"]
        if all(name in problem.headers for problem in problems)
    }
    samples = {
        problem.code: ProblemError(problem, members=data.examples.get(problem.shape)).document()
        for problem in problems
    }
    content = _content(sorted({problem.shape for problem in problems}), data, samples)
    return {
        "description": " or ".join(f"`{problem.code}`" for problem in problems),
        **({"headers": headers} if headers else {}),
        "content": {CONTENT_TYPE: content},
    }


def _content(
    shapes: Sequence[str], data: _Data, samples: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return what has one of some shapes, with examples: those given, or the shapes' own."""
    references = [{"$ref": f"{_SCHEMAS}{shape}"} for shape in shapes]
    if samples is None:
        samples = {k: v for shape in shapes for k, v in data.examples.get(shape, {}).items()}
    schema = references[0] if len(references) == 1 else {"anyOf": references}
    named = {name: {"value": value} for name, value in samples.items()}
    return {"schema": schema, **({"examples": named} if named else {})}


def _in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Return each problem once, by status and code."""
    return sorted(set(problems), key=lambda problem: (problem.status, problem.code))


def _parameters(route: Route, words: Mapping[str, Any], data: _Data) -> list[dict[str, Any]]:
    schemas = _query_schemas(data.components["schemas"])
    return [
        {
            "name": name,
            "in": "path" if f"{{{name}}}" in route.path else "query",
            # With a token market and customer may be left out; otherwise they may not.
            "required": f"{{{name}}}" in route.path or name == "sku",
            "schema": schemas.get(name, _SEGMENT),
            **about,
        }
        for name, about in words.items()
    ]


def _query_schemas(shapes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schemas of the parameters that a body of prices may be asked with."""
    body, line = shapes["PricesBody"]["properties"], shapes["LineBody"]["properties"]
    [account] = [branch for branch in body["customer"]["anyOf"] if "type" in branch]
    repeated = {
        name: {"type": "array", "items": line[name], "maxItems": MAX_LINES}
        for name in LINE_PARAMETERS
    }
    repeated["sku"]["minItems"] = 1
    return {
        **body,
        **repeated,
        "customer": account,
        "magento_id": shapes["CustomerByShopId"]["properties"]["magento_id"],
    }

"""The parts that the OpenAPI document's operations are made of."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pricing_proxy.problem_details import Problem
from pricing_proxy.web import problems
from pricing_proxy.web.access import AccessScope
from pricing_proxy.web.openapi_problems import problem_responses

SCHEMAS = "#/components/schemas/"
JSON = "application/json"
TEXT = {"schema": {"type": "string"}}


def operation(
    name: str,
    summary: str,
    *,
    answers: Mapping[str, Any],
    description: str | None = None,
    parameters: Sequence[Mapping[str, Any]] = (),
    body: Mapping[str, Any] | None = None,
    scope: AccessScope | None = None,
    is_open_on_loopback: bool = False,
    takes_token: bool = False,
    mistakes: Iterable[Problem] = (),
) -> dict[str, Any]:
    """Return one operation: a method of a route.

    Args:
        name: Its `operationId`.
        summary: What it is for.
        answers: Its own answers by status.
        description: What else is to be known.
        parameters: In path and query.
        body: What is sent.
        scope: What an API key needs; None for a route that is open to all.
        is_open_on_loopback: Whether it needs no key where only this machine reaches it.
        takes_token: Whether a storefront token opens it as well.
        mistakes: The problems it answers, besides those of access.
    """
    access = [] if scope is None else _access_problems(takes_token=takes_token)
    responses = problem_responses((*access, *mistakes, problems.INTERNAL_ERROR))
    security: list[dict[str, Any]] = [{"ApiKey": [scope.value]}] if scope is not None else []
    security += [{"StorefrontToken": []}] if takes_token else []
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


def _access_problems(*, takes_token: bool) -> list[Problem]:
    # Where no token is taken one may be sent all the same, and is verified first.
    tokens = problems.SHOPPER if takes_token else (problems.TOKEN_NOT_ENOUGH,)
    return [*problems.ACCESS, *problems.TOKEN, *tokens]


def body(shape: str, samples: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON body of one shape, with examples."""
    return {"required": True, "content": {JSON: _sampled(shape, samples)}}


def bodies(samples: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return a body that may have several shapes, each with its examples."""
    named = {name: {"value": value} for each in samples.values() for name, value in each.items()}
    schema = {"anyOf": [reference(shape) for shape in samples]}
    return {"required": True, "content": {JSON: {"schema": schema, "examples": named}}}


def answer(
    shape: str, description: str, samples: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return a JSON answer."""
    return {"description": description, "content": {JSON: _sampled(shape, samples or {})}}


def _sampled(shape: str, samples: Mapping[str, Any]) -> dict[str, Any]:
    named = {name: {"value": value} for name, value in samples.items()}
    return {"schema": reference(shape)} | ({"examples": named} if named else {})


def text_answer(content_type: str, description: str) -> dict[str, Any]:
    """Return an answer that is text."""
    return {"description": description, "content": {content_type: TEXT}}


def in_path(name: str, description: str, example: str) -> dict[str, Any]:
    """Return a parameter in the path."""
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "string", "minLength": 1},
        "example": example,
    }


def reference(shape: str) -> dict[str, str]:
    """Return the reference to a schema of the document."""
    return {"$ref": f"{SCHEMAS}{shape}"}

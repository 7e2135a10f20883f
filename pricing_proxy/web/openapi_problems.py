"""How problems are told in the OpenAPI document: by status, each code as an example."""

from collections.abc import Iterable
from typing import Any

from pricing_proxy.problem_details import CONTENT_TYPE, Problem, ProblemError
from pricing_proxy.web import problems as known

# Headers that the document describes.
_DESCRIBED = ("Retry-After", "Vary", "WWW-Authenticate")
_SCHEMAS = "#/components/schemas/"


def problem_responses(problems: Iterable[Problem]) -> dict[str, Any]:
    """Return the document's responses by status, each code as an example."""
    responses: dict[str, Any] = {}
    for problem in in_order(problems):
        response = responses.setdefault(str(problem.status), _response(problem))
        response["description"] += f"{' or ' * bool(response['description'])}`{problem.code}`"
        content = response["content"][CONTENT_TYPE]
        content["examples"][problem.code] = {"value": problem_example(problem)}
    return responses


def problem_example(problem: Problem, **members: Any) -> dict[str, Any]:
    """Return the problem as it is answered, with further members."""
    return ProblemError(problem, members=members).document()


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Return each problem once, by status and code."""
    return [problem for _, problem in sorted({(p.status, p.code): p for p in problems}.items())]


def catalogue() -> list[dict[str, Any]]:
    """Return every problem once, for the documentation page."""
    every = [value for value in vars(known).values() if isinstance(value, Problem)]
    return [
        {"status": problem.status, "code": problem.code, "detail": problem.detail}
        for problem in in_order([*every, *known.ELSEWHERE])
    ]


def _response(problem: Problem) -> dict[str, Any]:
    names = [name for name in _DESCRIBED if name in problem.headers]
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    content = {CONTENT_TYPE: {"schema": {"$ref": f"{_SCHEMAS}Problem"}, "examples": {}}}
    return {"description": "", **({"headers": headers} if headers else {}), "content": content}

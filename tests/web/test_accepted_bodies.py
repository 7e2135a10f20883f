"""What a body may be, the document says: nothing else is taken for it.

Each documented body is changed in one place, to what equals it, looks like it or is close to
it; where the program takes the changed one, the document's schema must allow it too.
"""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator
from pydantic import ValidationError

from tests.web.documented import BODIES, DOCUMENT

Place = tuple[str | int, ...]

VALIDATORS = {
    shape: Draft202012Validator(
        {"$ref": f"#/components/schemas/{shape}", "components": DOCUMENT["components"]}
    )
    for shape in BODIES
}


def documented() -> Iterator[tuple[str, Any]]:
    """Yield the name of each shape with its examples."""
    for item in DOCUMENT["paths"].values():
        for operation in (item[verb] for verb in ("get", "post") if verb in item):
            content = operation.get("requestBody", {}).get("content", {})
            for example in content.get("application/json", {}).get("examples", {}).values():
                yield from (
                    (shape, example["value"])
                    for shape, validator in VALIDATORS.items()
                    if validator.is_valid(example["value"])
                )


EXAMPLES = list(documented())


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    yield at
    if isinstance(value, dict | list):
        names = value if isinstance(value, dict) else range(len(value))
        for name in names:
            yield from places(value[name], (*at, name))


def near(value: Any) -> list[Any]:
    """Return what equals a value, looks like it, or stands beside it."""
    found = [None, True, False, 0, 1, 1.0, "true", "1", [], {}, [value], {"value": value}]
    if isinstance(value, str):
        found += [
            f" {value}",
            f"{value}\n",
            value.upper(),
            value * 40,
            f"{value}\x00",
            "",
            "\uff11",
        ]
    if isinstance(value, int):
        found += [value + 1, -value, float(value), str(value), value * 10**9, bool(value)]
    if isinstance(value, dict):
        found += [{**value, "more": 1}, dict(list(value.items())[1:])]
    if isinstance(value, list):
        found += [value * 300, [*value, value]]
    return found


def changed(example: Any) -> Iterator[Any]:
    """Yield a body with each of its values changed to each that is near."""
    for place in places(example):
        for number in range(len(near(_at(example, place)))):
            body = copy.deepcopy(example)
            if not place:
                yield near(body)[number]
                continue
            holder = _at(body, place[:-1])
            holder[place[-1]] = near(holder[place[-1]])[number]
            yield body


@pytest.mark.parametrize("shape", sorted(BODIES))
def test_no_body_is_taken_that_the_document_does_not_allow(shape: str) -> None:
    bodies = (body for named, example in EXAMPLES if named == shape for body in changed(example))
    for body in bodies:
        text = json.dumps(body)
        try:
            BODIES[shape].validate_json(text)
        except ValidationError:
            continue
        wrong = [error.message for error in VALIDATORS[shape].iter_errors(json.loads(text))]
        assert not wrong, text


def test_every_shape_of_a_body_has_an_example() -> None:
    assert {shape for shape, _ in EXAMPLES} == BODIES.keys()


def _at(value: Any, place: Place) -> Any:
    for name in place:
        value = value[name]
    return value

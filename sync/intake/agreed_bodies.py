"""Read a body as what was agreed with its sender, or say what is wrong, member by member."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from pricing_proxy.listening.problems import INVALID_JSON, INVALID_VALUE
from pricing_proxy.problem_details import Flaw, ProblemError

T = TypeVar("T", bound=BaseModel)


def agreed(model: type[T], body: bytes) -> T:
    """Return the body; raises `ProblemError` with a pointer to each wrong member."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False, include_context=False)
        if any(each["type"] == "json_invalid" for each in details):
            raise ProblemError(INVALID_JSON) from None
        flaws = [
            Flaw("".join(f"/{part}" for part in each["loc"]), INVALID_VALUE.code, each["msg"])
            for each in details
        ]
        raise ProblemError(INVALID_VALUE, flaws=flaws) from None

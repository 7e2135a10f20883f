"""The bodies that callers send, and what is wrong with those that do not fit.

Read by pydantic's core straight from the bytes; money and quantities are strings, so a
JSON number there is a mistake and no digit is ever lost. A body that is not JSON, or that
has a member or a name we do not know, is a 400; a value out of range is a 422.
"""

from collections.abc import Sequence
from itertools import takewhile
from typing import Annotated, Literal, NotRequired

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    with_config,
)
from pydantic_core import ErrorDetails, PydanticCustomError
from typing_extensions import TypedDict

from pricing_proxy.listening.problems import INVALID_JSON, INVALID_VALUE
from pricing_proxy.problem_details import Flaw, Problem, ProblemError
from pricing_proxy.web.problems import (
    INVALID_REQUEST,
    MISSING_MEMBER,
    UNFIT_REQUEST,
    UNKNOWN_MEMBER,
    UNKNOWN_MODE,
)

MAX_LINES = 200
# Longer waits than this keep a page's connection open for nothing.
MAX_WAIT_MS = 5000
# In characters.
LONGEST_SKU = 64
LONGEST_ACCOUNT = 32
LONGEST_UNIT = 10
LONGEST_CODE = 64
# What a browser may ask for with a storefront token: a page, and the patience of its reader.
MAX_SHOPPER_LINES = 60
MAX_SHOPPER_WAIT_MS = 2000
MAX_SHOP_ID = 2**53

_CLOSED = ConfigDict(extra="forbid", strict=True)

# Any text may be a SKU: one that the item map does not hold goes no further.
Sku = Annotated[str, Field(min_length=1, max_length=LONGEST_SKU)]
Account = Annotated[
    str, Field(min_length=1, max_length=LONGEST_ACCOUNT, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Unit = Annotated[str, Field(min_length=1, max_length=LONGEST_UNIT, pattern=r"^[^\x00-\x1f\x7f]+$")]
Code = Annotated[str, Field(min_length=1, max_length=LONGEST_CODE)]
Quantity = Annotated[str, Field(pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?$")]


@with_config(_CLOSED)
class LineBody(TypedDict):
    """One line to price."""

    sku: Sku
    quantity: NotRequired[Quantity]
    unit: NotRequired[Unit]


@with_config(_CLOSED)
class CustomerByShopId(TypedDict):
    """A customer by the shop's id."""

    magento_id: Annotated[int, Field(ge=1, le=MAX_SHOP_ID)]


class _Asking(TypedDict):
    market: Code
    customer: Account | CustomerByShopId
    lines: Annotated[list[LineBody], Field(min_length=1, max_length=MAX_LINES)]
    currency: NotRequired[Code]
    wait_ms: NotRequired[Annotated[int, Field(ge=0, le=MAX_WAIT_MS)]]
    accept: NotRequired[Literal["flagged"]]


@with_config(_CLOSED)
class PricesBody(_Asking):
    """`POST /v1/prices`."""

    mode: NotRequired[Literal["browse", "cart", "checkout"]]


@with_config(_CLOSED)
class ShopperBody(TypedDict):
    """`POST /v1/prices` with a storefront token, which names market and customer itself."""

    market: NotRequired[Code]
    customer: NotRequired[Account | CustomerByShopId]
    lines: Annotated[list[LineBody], Field(min_length=1, max_length=MAX_SHOPPER_LINES)]
    mode: NotRequired[Literal["browse", "cart", "checkout"]]
    currency: NotRequired[Code]
    wait_ms: NotRequired[Annotated[int, Field(ge=0, le=MAX_SHOPPER_WAIT_MS)]]
    accept: NotRequired[Literal["flagged"]]


@with_config(_CLOSED)
class CartBody(_Asking):
    """`POST /v1/carts/price`."""

    mode: NotRequired[Literal["checkout"]]


@with_config(_CLOSED)
class LoginBody(TypedDict):
    """`POST /v1/customers/{customer}/login`."""

    market: Code
    skus: NotRequired[Annotated[list[Sku], Field(max_length=MAX_LINES)]]


@with_config(_CLOSED)
class CustomerScope(TypedDict):
    """All prices of one customer."""

    customer: Account


@with_config(_CLOSED)
class SkuScope(TypedDict):
    """One item's prices, for every customer."""

    sku: Sku


@with_config(_CLOSED)
class PriceGroupScope(TypedDict):
    """All prices of the customers in one price group."""

    price_group: Code


def _nothing_equal(value: object) -> object:
    """Let no number pass for true, though it equals it."""
    if value is not True:
        raise PydanticCustomError("literal_error", "Input should be true")
    return value


Yes = Annotated[Literal[True], BeforeValidator(_nothing_equal)]


@with_config(_CLOSED)
class AllScope(TypedDict):
    """Every price of the market."""

    all: Yes


@with_config(_CLOSED)
class InvalidationBody(TypedDict):
    """`POST /v1/invalidations`."""

    market: Code
    scope: CustomerScope | SkuScope | PriceGroupScope | AllScope
    level: Literal["soft", "hard"]
    reason: Annotated[str, Field(min_length=1, max_length=200)]


@with_config(_CLOSED)
class BreakerOrderBody(TypedDict):
    """`POST /v1/breakers/{name}`."""

    order: Literal["isolate", "close"]


@with_config(_CLOSED)
class GateOrderBody(TypedDict):
    """`POST /v1/gates/{name}`."""

    order: Literal["open"]


ACCOUNT: TypeAdapter[str] = TypeAdapter(Account)


@with_config(_CLOSED)
class ClearingBody(TypedDict):
    """`POST /v1/kept-out/clear`: all of it, or as named."""

    market: NotRequired[Code]
    sku: NotRequired[Sku]


PRICES = TypeAdapter(PricesBody)
SHOPPER_PRICES = TypeAdapter(ShopperBody)
CART = TypeAdapter(CartBody)
LOGIN = TypeAdapter(LoginBody)
INVALIDATION = TypeAdapter(InvalidationBody)
BREAKER_ORDER = TypeAdapter(BreakerOrderBody)
GATE_ORDER = TypeAdapter(GateOrderBody)
CLEARING = TypeAdapter(ClearingBody)

_Path = tuple[int | str, ...]
# No name of ours is so long, and what was sent may be as long as a body.
_LONGEST_NAME = 64
# Names that pydantic puts into a location for the branch of a union; they are not members.
_BRANCHES = frozenset(
    {
        "constrained-str",
        "CustomerByShopId",
        "CustomerScope",
        "SkuScope",
        "PriceGroupScope",
        "AllScope",
    }
)
# pydantic's name of a mistake -> ours; what is missing here is an `INVALID_VALUE`.
_PROBLEMS = {
    "json_invalid": INVALID_JSON,
    "extra_forbidden": UNKNOWN_MEMBER,
    "missing": MISSING_MEMBER,
}
# At these members an unknown name is a mistake of the program, not of a user's input.
_NAMES: dict[_Path, Problem] = {("mode",): UNKNOWN_MODE}


def flaws_problem(error: ValidationError) -> ProblemError:
    """Return the problem that tells a caller everything that is wrong with the body."""
    found = [_found(details) for details in _one_branch_each(error.errors(include_url=False))]
    kinds = [problem for problem, _ in found]
    kind = kinds[0]
    if len({*kinds}) > 1:
        is_bad = any(each.status == INVALID_REQUEST.status for each in kinds)
        kind = INVALID_REQUEST if is_bad else UNFIT_REQUEST
    return ProblemError(kind, flaws=[flaw for _, flaw in found])


def pointer(*path: str | int) -> str:
    """Return the JSON Pointer of a member; of what holds it, where its name is a long one."""
    parts = takewhile(lambda part: len(part) <= _LONGEST_NAME, map(str, path))
    return "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in parts)


def _found(details: ErrorDetails) -> tuple[Problem, Flaw]:
    path = tuple(part for part in details["loc"] if part not in _BRANCHES)
    problem = _NAMES.get(path) or _PROBLEMS.get(details["type"], INVALID_VALUE)
    # Only pydantic's own words: what the caller sent may be anything, and is never repeated.
    return problem, Flaw(pointer(*path), problem.code, details["msg"])


def _one_branch_each(errors: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Leave a union's errors of one branch only: of the one that the caller seems to mean.

    That is the branch whose errors lie deepest, for it took the value apart, and among
    such the one with the fewest.
    """
    unions: dict[_Path, dict[str, list[ErrorDetails]]] = {}
    left: list[ErrorDetails] = []
    for details in errors:
        path = details["loc"]
        place = next((i for i, part in enumerate(path) if part in _BRANCHES), None)
        if place is None:
            left.append(details)
        else:
            branches = unions.setdefault(path[:place], {})
            branches.setdefault(str(path[place]), []).append(details)
    for branches in unions.values():
        best: list[ErrorDetails] = min(branches.values(), key=_distance)
        left += best
    return left


def _distance(branch: list[ErrorDetails]) -> tuple[int, int]:
    return -max(len(details["loc"]) for details in branch), len(branch)

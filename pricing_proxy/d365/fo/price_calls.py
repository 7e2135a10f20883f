"""The custom price service's request and answer, outside of any transport.

One call prices up to 100 lines of one customer. Lines are told apart by a `ref` that
the caller chooses. The answer is matched by it, and one line never fails another: what
is missing is reported as missing, what cannot be used with its reason. Only an answer
that names a line twice, or one nobody asked for, is not believed at all: whoever numbers
lines wrongly once may have done so for all of them, and any of its prices could belong to
another line. Asked for alone, a line cannot be taken for another. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self

from pydantic import ValidationError

from pricing_proxy.d365.fo.models import PriceAnswer, PriceLine
from pricing_proxy.d365.json_numbers import write_json
from pricing_proxy.money import ImplausibleNumber
from pricing_proxy.resilience.errors import UpstreamContractError, UpstreamMismatchError
from pricing_proxy.shared_state.item_map import Item

# Agreed with the X++ service: longer calls are throttled first and fail as a whole.
MAX_LINES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRequestLine:
    """One line to price.

    Attributes:
        ref: Tells the lines of one request apart.
        unit: The ERP's unit code; the quantity counts in it.
        quantity: Above zero.
        color, size, style, configuration, version: Product dimensions; empty where unused.
    """

    ref: str
    item_number: str
    unit: str
    quantity: Decimal
    color: str = ""
    size: str = ""
    style: str = ""
    configuration: str = ""
    version: str = ""

    @classmethod
    def of_item(cls, item: Item, *, ref: str, unit: str, quantity: Decimal) -> Self:
        """Return the line for a quantity of an item."""
        return cls(
            ref=ref,
            item_number=item.item_number,
            unit=unit,
            quantity=quantity,
            color=item.color,
            size=item.size,
            style=item.style,
            configuration=item.configuration,
            version=item.version,
        )

    def __post_init__(self) -> None:
        if not self.quantity.is_finite() or self.quantity <= 0:
            raise ValueError("a quantity is above zero")


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRequest:
    """What one customer pays for some lines on one day.

    Attributes:
        company: The legal entity's id, such as "demf".
        customer: The ERP account.
        currency: ISO 4217.
        day: The price date, in the company's time zone.
        lines: 1 to 100, each with its own `ref`.
    """

    company: str
    customer: str
    currency: str
    day: date
    lines: tuple[PriceRequestLine, ...]

    def __post_init__(self) -> None:
        if not 0 < len(self.lines) <= MAX_LINES:
            raise ValueError(f"a price call has 1 to {MAX_LINES} lines, not {len(self.lines)}")
        if len({line.ref for line in self.lines}) < len(self.lines):
            raise ValueError("each line has a ref of its own")

    def body(self) -> bytes:
        """Return the JSON that the service expects; quantities keep their digits."""
        members = {
            "dataAreaId": self.company,
            "customerAccount": self.customer,
            "currency": self.currency,
            "date": self.day.isoformat(),
            "lines": [_line_members(line) for line in self.lines],
        }
        return write_json({"_request": members})


class OddLine(StrEnum):
    """Why an answered line cannot be used."""

    UNREADABLE = "unreadable"
    """A member is missing, or of another kind: null, a text, NaN."""
    OTHER_CURRENCY = "other_currency"
    """Its price is in a currency that was not asked for."""
    IMPLAUSIBLE = "implausible_price"
    """A number has more digits than any amount of money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedLines:
    """What the service said, by `ref`.

    Attributes:
        lines: Each with a price, or with the reason why there is none.
        odd: Lines that were answered so that nothing can be made of them.
        missing: Refs of the request that the answer leaves out, in the request's order.
    """

    lines: Mapping[str, PriceLine]
    odd: Mapping[str, OddLine]
    missing: tuple[str, ...]


def read_price_answer(request: PriceRequest, body: Any, *, system: str) -> PricedLines:
    """Return the answer to `request`, matched by `ref`.

    Args:
        request: What was asked.
        body: As `read_odd_json` reads it.
        system: The other side's name in errors.

    Raises:
        UpstreamMismatchError: Its lines are not those of the request, each once.
        UpstreamContractError: Not a price answer.
    """
    try:
        answered = PriceAnswer.model_validate(body).lines
    except ValidationError as exc:
        raise UpstreamContractError(f"not a price answer: {exc}", system=system) from exc
    # What has no ref is nobody's, so that whoever it was meant for is missing.
    named = [(values["ref"], values) for values in answered if _has_ref(values)]
    if answered and not named:
        raise UpstreamContractError("not a price answer: no line has a ref", system=system)
    refs = {ref for ref, _ in named}
    asked = [line.ref for line in request.lines]
    if len(refs) < len(named):
        raise UpstreamMismatchError("the price answer repeats a line", system=system)
    if not refs <= set(asked):
        raise UpstreamMismatchError("the price answer has a line nobody asked for", system=system)
    read = {ref: _read_line(values, request.currency) for ref, values in named}
    return PricedLines(
        lines={ref: line for ref, line in read.items() if isinstance(line, PriceLine)},
        odd={ref: line for ref, line in read.items() if isinstance(line, OddLine)},
        missing=tuple(ref for ref in asked if ref not in refs),
    )


def _has_ref(values: Any) -> bool:
    return isinstance(values, dict) and isinstance(values.get("ref"), str)


def _read_line(values: Mapping[str, Any], currency: str) -> PriceLine | OddLine:
    try:
        line = PriceLine.model_validate(values)
    except ValidationError:
        is_number = any(
            isinstance(values.get(name), ImplausibleNumber) for name in PriceLine.model_fields
        )
        return OddLine.IMPLAUSIBLE if is_number else OddLine.UNREADABLE
    if line.error is None and line.currency.upper() != currency.upper():
        return OddLine.OTHER_CURRENCY
    return line


def _line_members(line: PriceRequestLine) -> dict[str, str | Decimal]:
    dimensions = {
        "colorId": line.color,
        "sizeId": line.size,
        "styleId": line.style,
        "configId": line.configuration,
        "versionId": line.version,
    }
    return {
        "ref": line.ref,
        "itemNumber": line.item_number,
        **{name: value for name, value in dimensions.items() if value},
        "unit": line.unit,
        "quantity": line.quantity,
    }

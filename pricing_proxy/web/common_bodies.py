"""Read the bodies that nearly every caller sends, without asking pydantic about each line.

What is approved here is what `web.schemas` would approve as well, with the same values. It
may say "not common" to anything, for then pydantic reads the body, and pydantic alone finds
the words for what is wrong with it.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple, cast

import orjson

from pricing_proxy.prices.query import Columns, canonical_quantity
from pricing_proxy.web.kept_by_digest import KeptByDigest
from pricing_proxy.web.schemas import (
    LONGEST_ACCOUNT,
    LONGEST_CODE,
    LONGEST_SKU,
    LONGEST_UNIT,
    MAX_LINES,
    MAX_WAIT_MS,
    LineBody,
    PricesBody,
)

_MODES = ("browse", "cart", "checkout")
_QUANTITY = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")
# Nine digits, a point and six more: what is longer is none, and not remembered as such.
_LONGEST_QUANTITY = 16
# All members at their longest have half as many characters.
_LONGEST_HEAD = 512
# The dict of the members and the texts in it, besides their characters; measured, rounded up.
_BODY_BYTES = 700
# Some three thousand customers, each in the market's modes.
_MOST_KEPT_BYTES = 4 * 1024 * 1024
_sku = itemgetter("sku")
_quantity = itemgetter("quantity")


class CommonBody(NamedTuple):
    """A body that is valid, with its lines by column."""

    body: PricesBody
    lines: Columns


def common_body(text: bytes) -> CommonBody | None:
    """Return the body of a `POST /v1/prices`; None when pydantic must look at it."""
    try:
        body = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return _checked(body) if type(body) is dict else None


class CommonQueries:
    """Reads the query strings of callers with access.

    A customer's pages begin alike, so the members before the SKUs are kept where they are
    valid and name somebody; those have a bounded length each, and all together `most_bytes`.

    Args:
        is_known: Whether there is such a market and customer: nobody else is kept, lest made-up
            ones drive out those who come again.
        most_bytes: What all that is kept may cost, by estimate.
    """

    def __init__(
        self, is_known: Callable[[PricesBody], bool], *, most_bytes: int = _MOST_KEPT_BYTES
    ) -> None:
        self._is_known = is_known
        self._kept: KeptByDigest[PricesBody] = KeptByDigest(most_bytes=most_bytes)

    def read(self, text: str) -> CommonBody | None:
        """Return the body that a raw query string stands for; None when pydantic must look."""
        head, *skus = text.split("&sku=")
        if len(head) > _LONGEST_HEAD or not 0 < len(skus) <= MAX_LINES:
            return None
        body = self._kept.get(head)
        if body is None:
            body = _body_of(head)
            if body is None:
                return None
            if self._is_known(body):
                self._kept.keep(head, body, cost_bytes=_BODY_BYTES + len(head))
        rest = "".join(skus)
        lengths = set(map(len, skus))
        if "&" in rest or not _is_literal(rest) or 0 in lengths or max(lengths) > LONGEST_SKU:
            return None
        return CommonBody(body, Columns.of_one_each(skus))


def _body_of(head: str) -> PricesBody | None:
    """Return the members before the SKUs."""
    body: dict[str, Any] = {}
    for parameter in head.split("&"):
        name, _, value = parameter.partition("=")
        if name in body:
            return None
        body[name] = value
    wait = body.get("wait_ms")
    if wait is not None and wait.isdecimal() and len(wait) <= len(str(MAX_WAIT_MS)):
        body["wait_ms"] = int(wait)
    return cast("PricesBody", body) if _is_literal(head) and _is_page(body) else None


def columns_of(lines: list[LineBody]) -> Columns:
    """Return the lines of a body that is valid."""
    return Columns(
        [line["sku"] for line in lines],
        [line.get("quantity", "1") for line in lines],
        [line.get("unit") for line in lines],
    )


def _checked(body: dict[str, Any]) -> CommonBody | None:
    lines = body.pop("lines", None)
    if not _is_page(body) or type(lines) is not list or not 0 < len(lines) <= MAX_LINES:
        return None
    try:
        columns = _columns(lines)
    except (TypeError, KeyError, AttributeError):
        return None  # a line that is no object, or lacks its SKU
    return None if columns is None else CommonBody(cast("PricesBody", body), columns)


def _columns(lines: list[dict[str, Any]]) -> Columns | None:
    skus = list(map(_sku, lines))
    if not _are_skus(skus):
        return None
    members = set(map(len, lines))
    if members == {1}:
        return Columns.of_one_each(skus)
    if members == {2} and "quantity" in lines[0]:
        # By far the most; the loops are C's.
        quantities = list(map(_quantity, lines))
        return Columns(skus, quantities) if all(map(_is_quantity, set(quantities))) else None
    return _mixed_columns(lines, skus)


def _mixed_columns(lines: list[dict[str, Any]], skus: list[str]) -> Columns | None:
    quantities: list[Any] = [line.get("quantity") for line in lines]
    units: list[Any] = [line.get("unit") for line in lines]
    # As many members as are known here, so there is no other.
    known = 3 * len(lines) - quantities.count(None) - units.count(None)
    if sum(map(len, lines)) != known:
        return None
    quantities = ["1" if quantity is None else quantity for quantity in quantities]
    if not all(map(_is_quantity, set(quantities))) or not all(map(_is_unit, set(units))):
        return None
    return Columns(skus, quantities, units)


def _is_page(body: Mapping[str, Any]) -> bool:
    if "market" not in body or "customer" not in body:
        return False
    for name, value in body.items():
        is_right = _MEMBERS.get(name)
        if is_right is None or not is_right(value):
            return False
    return True


def _are_skus(skus: list[Any]) -> bool:
    # Joining raises a TypeError for what is no text.
    if not "".join(skus):
        return False
    lengths = set(map(len, skus))
    return 0 not in lengths and max(lengths) <= LONGEST_SKU


def _is_quantity(text: Any) -> bool:
    return isinstance(text, str) and len(text) <= _LONGEST_QUANTITY and _is_positive(text)


@lru_cache(maxsize=4096)
def _is_positive(text: str) -> bool:
    return _QUANTITY.fullmatch(text) is not None and canonical_quantity(text) != "0"


def _is_literal(text: str) -> bool:
    """Return whether a query string stands for itself, without anything to decode."""
    return (
        text.isascii()
        and text.isprintable()
        and "%" not in text
        and "+" not in text
        and "#" not in text
        and " " not in text
    )


def _is_unit(text: Any) -> bool:
    return text is None or _is_plain(text, LONGEST_UNIT)


def _is_plain(text: Any, longest: int) -> bool:
    return (
        isinstance(text, str) and 0 < len(text) <= longest and text.isascii() and text.isprintable()
    )


def _is_code(text: Any) -> bool:
    return isinstance(text, str) and 0 < len(text) <= LONGEST_CODE


def _is_wait(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MAX_WAIT_MS


_MEMBERS: dict[str, Callable[[Any], bool]] = {
    "market": _is_code,
    "customer": lambda text: _is_plain(text, LONGEST_ACCOUNT),
    "mode": lambda mode: mode in _MODES,
    "currency": _is_code,
    "wait_ms": _is_wait,
    "accept": lambda text: text == "flagged",
}

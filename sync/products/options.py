"""Options of the shop's attributes: found by label, made once, never guessed.

A mirror holds what an option is called. The shop holds its id, takes any id without a word, and
takes attributes that it does not have without a word as well: whatever is not known to be there
refuses its row. A label that is missing is made by one process at a time, after a second look. Two
options of one label cannot be told apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from pricing_proxy.clock import Clock
from pricing_proxy.http_exchange import Guard
from sync.engine.flow import Work
from sync.engine.writes import written
from sync.magento.answers import MagentoRejectedError
from sync.magento.attributes import ProductAttribute
from sync.products.plain_numbers import plain
from sync.products.ports import AttributeLocks, ShopAttributes
from sync.store.mirror_records import Value

_MAGENTO = "magento"
_BELIEVED = timedelta(minutes=10)
_NUMBERS = frozenset({"price", "weight"})
_SEVERAL = "multiselect"
_DAY_CHARACTERS = len("2026-11-29")


class FieldFaultError(Exception):
    """A field cannot be written.

    Attributes:
        field: Which.
        text: Why.
        advice: What to do.
    """

    def __init__(self, field: str, text: str, advice: str) -> None:
        super().__init__(f"{field}: {text}")
        self.field = field
        self.text = text
        self.advice = advice


@dataclass(frozen=True, slots=True)
class _Known:
    """An attribute as it was read."""

    attribute: ProductAttribute | None
    read_at_us: int

    def labels(self) -> Mapping[str, str]:
        """Return what options are called, by id."""
        options = () if self.attribute is None else self.attribute.options
        return {option.value: option.label.strip() for option in options if option.value}

    def ids(self, label: str) -> Sequence[str]:
        """Return the ids of the options that are called so; by letter, else without case."""
        labels = self.labels()
        exact = [number for number, known in labels.items() if known == label]
        wanted = label.casefold()
        return exact or [each for each, known in labels.items() if known.casefold() == wanted]


class OptionBook:
    """The attributes of one shop.

    Args:
        attributes: The shop's.
        locks: One process at a time makes an option of an attribute.
        clock: Time.
        makes: Whether options are made.
    """

    def __init__(
        self, attributes: ShopAttributes, *, locks: AttributeLocks, clock: Clock, makes: bool
    ) -> None:
        self._attributes = attributes
        self._locks = locks
        self._clock = clock
        self._makes = makes
        self._known: dict[str, _Known] = {}

    async def attribute(self, code: str) -> ProductAttribute | None:
        """Return an attribute, None where the shop has none of this code."""
        return (await self._read(code)).attribute

    async def text(self, code: str, value: Any) -> Value:
        """Return a value of the shop as a mirror holds it."""
        attribute = await self.attribute(code)
        if value is None or value == "" or attribute is None:
            return None
        if attribute.is_chosen:
            ids = value if isinstance(value, list) else str(value).split(",")
            labels = [await self._label(code, str(each)) for each in ids]
            return sorted(labels) if attribute.frontend_input == _SEVERAL else labels[0]
        if attribute.frontend_input in _NUMBERS:
            return _number(str(value))
        text = str(value)
        return text[:_DAY_CHARACTERS] if attribute.frontend_input == "date" else text

    async def value(self, code: str, text: Value, work: Work) -> Any:
        """Return what the shop is sent for a value; raises `FieldFaultError`."""
        attribute = await self.attribute(code)
        if attribute is None:
            raise FieldFaultError(
                code,
                "the shop has no such attribute, and would drop the value without a word",
                f"make the product attribute {code} in the shop, then replay",
            )
        if text is None or not attribute.is_chosen:
            return text
        labels = text if isinstance(text, list) else [text]
        return ",".join([await self.option(code, label, work) for label in labels])

    async def option(self, code: str, label: str, work: Work) -> str:
        """Return the id of an option by its label; raises `FieldFaultError`."""
        found = (await self._read(code)).ids(label)
        if not found:
            found = await self._made(code, label, work)
        if len(found) > 1:
            raise FieldFaultError(
                code,
                f'the shop has several options "{label}": {", ".join(found)}',
                "leave one of them in the shop, then replay",
            )
        return found[0]

    async def _made(self, code: str, label: str, work: Work) -> Sequence[str]:
        async with self._locks.hold([f"attribute {code}"]):
            # Another process may have made it.
            known = await self._read(code, is_anew=True)
            if found := known.ids(label):
                return found
            if not self._makes:
                raise FieldFaultError(
                    code,
                    f'the shop has no option "{label}"',
                    f'add it to the attribute {code} in the shop, or set new_options to "create"',
                )
            await self._make(code, label, work)
            return (await self._read(code, is_anew=True)).ids(label) or [self._lost(code, label)]

    async def _make(self, code: str, label: str, work: Work) -> None:
        async def add(*, guard: Guard) -> str:
            return await self._attributes.add_option(code, label, guard=guard)

        about = {"attribute": code, "label": label}
        try:
            await written(work, _MAGENTO, "add option", about, add)
        except MagentoRejectedError as error:
            if (await self._read(code, is_anew=True)).ids(label):
                return  # made by somebody else, by hand perhaps
            raise FieldFaultError(
                code,
                f'the shop refused the option "{label}": {"; ".join(error.reasons)}',
                "correct the value in the ERP, or name it otherwise under labels; then replay",
            ) from error

    def _lost(self, code: str, label: str) -> str:
        raise FieldFaultError(
            code, f'the option "{label}" is not in the shop after it was made', "replay"
        )

    async def _label(self, code: str, number: str) -> str:
        labels = (await self._read(code)).labels()
        if number not in labels:
            labels = (await self._read(code, is_anew=True)).labels()
        # An id of no option is nobody's label; nothing that is wanted is equal to it.
        return labels.get(number, f"#{number}")

    async def _read(self, code: str, *, is_anew: bool = False) -> _Known:
        now_us = self._clock.monotonic_us()
        known = self._known.get(code)
        longest_us = _BELIEVED // timedelta(microseconds=1)
        if known is None or is_anew or now_us - known.read_at_us > longest_us:
            known = _Known(await self._attributes.attribute(code), now_us)
            self._known[code] = known
        return known


def _number(text: str) -> str:
    try:
        return plain(Decimal(text))
    except InvalidOperation:
        return text

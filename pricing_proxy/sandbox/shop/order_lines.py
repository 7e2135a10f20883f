"""The lines of an order, computed: what a cart's products become.

A variant brings its configurable, a bundle its parts. What counts in the order's sums
is a "value" line; a "companion" carries nothing, and a "sum" repeats what its parts
come to.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from pricing_proxy.sandbox.shop.catalog import Options, Product
from pricing_proxy.sandbox.shop.catalog_view import CatalogView
from pricing_proxy.sandbox.shop.order_request import LineRequest
from pricing_proxy.sandbox.shop.totals import NOTHING, ZERO, Amounts, amounts, cents, total

_HUNDRED = Decimal(100)
# As many as the database keeps of prices.
_FOUR_DIGITS = Decimal("0.0001")
ONE = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line, computed, without ids.

    Attributes:
        original: The product's own price, in the shop's mode (net or gross).
        is_value: Whether it counts in the order's sums.
        kind: "value", "companion" or "sum".
        parent: Index of the parent among the order's lines.
        has_rules: Whether a discount rule was applied, which shows on lines without a parent.
    """

    product: Product
    product_type: str
    sku: str
    quantity: Decimal
    amounts: Amounts
    original: Decimal
    discount_percent: Decimal
    kind: str = "value"
    parent: int | None = None
    has_rules: bool = False
    row_weight: Decimal = ZERO
    chosen: dict[str, Any] | None = None

    @property
    def own_sku(self) -> str:
        """What was sold: the variant of a configurable, any other without its options' suffixes."""
        return self.sku if self.product_type == "configurable" else self.product.sku

    @property
    def is_value(self) -> bool:
        """Whether it counts in the order's sums."""
        return self.kind == "value"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How lines are computed: the rate of each tax class, the discount, the shop's mode.

    Attributes:
        exchange: What one of the shop's currency is in that of the lines.
    """

    rates: Callable[[str], Decimal]
    discount_percent: Decimal
    includes_tax: bool
    exchange: Decimal = ONE

    def apply(self, product: Product, unit_price: Decimal, quantity: Decimal) -> Amounts:
        """Return what units of a product come to."""
        return amounts(
            cents(unit_price * self.exchange),
            quantity,
            rate=self.rates(product.tax_class),
            discount_percent=self.discount_percent,
            includes_tax=self.includes_tax,
        )


def computed_lines(
    catalog: CatalogView, requests: tuple[LineRequest, ...], terms: Terms
) -> list[Line]:
    """Return the order's lines, children behind their parents."""
    lines: list[Line] = []
    for request in requests:
        lines += _lines(catalog, request, terms, first=len(lines))
    if terms.exchange == ONE:
        return lines
    return [
        replace(line, original=(line.original * terms.exchange).quantize(_FOUR_DIGITS))
        for line in lines
    ]


def _lines(
    catalog: CatalogView, request: LineRequest, terms: Terms, *, first: int
) -> Iterator[Line]:
    product = catalog.named(request.sku)
    if product.type_id == "bundle":
        yield from _bundle(catalog, product, request, terms, first=first)
        return
    configurable = catalog.configurable_of(product)
    price, sku, chosen = _with_options(product, request)
    one = terms.apply(product, price, request.quantity)
    value = Line(
        product=product if configurable is None else configurable,
        product_type=product.type_id if configurable is None else "configurable",
        sku=sku,
        quantity=request.quantity,
        amounts=one,
        original=product.price,
        discount_percent=terms.discount_percent,
        has_rules=bool(terms.discount_percent),
        row_weight=product.row_weight(request.quantity),
        chosen=chosen if configurable is None else _variant(configurable, product),
    )
    yield value
    if configurable is not None:
        yield _companion(product, request.quantity, parent=first)


def _with_options(
    product: Product, request: LineRequest
) -> tuple[Decimal, str, dict[str, Any] | None]:
    """Return unit price, SKU with suffixes, and what was chosen."""
    price = product.price if request.price is None else request.price
    options = product.options
    if options is None or (request.text is None and request.choice is None):
        return price, product.sku, None
    surcharge, suffixes, chosen = ZERO, "", []
    if request.text is not None:
        surcharge += options.text_price
        suffixes += f"-{options.text_sku}"
        chosen.append({"option_id": str(options.text_id), "option_value": request.text})
    if request.choice is not None:
        choice = _choice(options, request.choice)
        surcharge += cents(price * choice.percent / _HUNDRED)
        suffixes += f"-{choice.sku}"
        chosen.append({"option_id": str(options.choice_id), "option_value": str(choice.id)})
    return price + surcharge, product.sku + suffixes, {"custom_options": chosen}


def _choice(options: Options, number: int) -> Any:
    return next((one for one in options.choices if one.id == number), options.choices[0])


def _variant(configurable: Product, variant: Product) -> dict[str, Any]:
    chosen = [
        {"option_id": str(axis.attribute_id), "option_value": int(variant.attributes[axis.code])}
        for axis in configurable.axes
        if axis.code in variant.attributes
    ]
    return {"configurable_item_options": chosen}


def _companion(product: Product, quantity: Decimal, *, parent: int) -> Line:
    return Line(
        product=product,
        product_type=product.type_id,
        sku=product.sku,
        quantity=quantity,
        amounts=NOTHING,
        original=ZERO,
        discount_percent=ZERO,
        kind="companion",
        parent=parent,
    )


def _bundle(
    catalog: CatalogView, bundle: Product, request: LineRequest, terms: Terms, *, first: int
) -> Iterator[Line]:
    parts = [(catalog.by_id(number), Decimal(held)) for number, held in bundle.parts]
    options = [
        {"option_id": position, "option_qty": held, "option_selections": [position]}
        for position, (_, held) in enumerate(parts, start=1)
    ]
    price = bundle.price if request.price is None else request.price
    fixed = Line(
        product=bundle,
        product_type="bundle",
        sku=bundle.sku,
        quantity=request.quantity,
        amounts=terms.apply(bundle, price, request.quantity),
        original=price,
        discount_percent=terms.discount_percent,
        row_weight=bundle.row_weight(request.quantity),
        has_rules=bool(terms.discount_percent),
        chosen={"bundle_options": options},
    )
    if bundle.price:
        yield fixed
        for part, held in parts:
            yield _companion(part, held * request.quantity, parent=first)
        return
    children = [_part(part, held * request.quantity, terms, parent=first) for part, held in parts]
    yield replace(
        fixed,
        sku="-".join((bundle.sku, *(part.sku for part, _ in parts))),
        amounts=_sum(children, parts),
        original=sum((part.price * held for part, held in parts), ZERO),
        discount_percent=ZERO,
        kind="sum",
    )
    yield from children


def _part(product: Product, quantity: Decimal, terms: Terms, *, parent: int) -> Line:
    return Line(
        product=product,
        product_type=product.type_id,
        sku=product.sku,
        quantity=quantity,
        amounts=terms.apply(product, product.price, quantity),
        original=product.price,
        discount_percent=terms.discount_percent,
        parent=parent,
    )


def _sum(children: list[Line], parts: list[tuple[Product, Decimal]]) -> Amounts:
    """Return what a bundle's parent repeats: rows before discount, taxes after it."""
    summed = total([child.amounts for child in children])
    held = [quantity for _, quantity in parts]
    pairs = list(zip(children, held, strict=True))
    return Amounts(
        unit_net=sum((child.amounts.unit_net * count for child, count in pairs), ZERO),
        unit_gross=sum((child.amounts.unit_gross * count for child, count in pairs), ZERO),
        net=summed.net,
        discount=ZERO,
        tax=summed.tax,
        compensation=ZERO,
        rate=ZERO,
    )

"""How the ERP's inventory units become the units that are sold."""

from collections.abc import Collection
from fractions import Fraction

from pricing_proxy.d365.fo.models import ReleasedProductRow
from pricing_proxy.d365.fo.product_models import ProductUnitConversionRow, UnitConversionRow
from pricing_proxy.names import same_name_key
from sync.stock.mapping import UnitRules
from sync.stock.ports import ErpRows


class Units:
    """The rules by which units convert, read once for a read, and only if any is needed.

    Args:
        erp: The ERP's rows.
        company: Whose.
    """

    def __init__(self, erp: ErpRows, company: str) -> None:
        self._erp = erp
        self._company = company
        self._rules: UnitRules | None = None

    async def ratio(self, product: ReleasedProductRow) -> Fraction | None:
        """Return what a quantity in the inventory unit is times to be one in the sales unit."""
        held, sold = (
            same_name_key(product.InventoryUnitSymbol),
            same_name_key(product.SalesUnitSymbol),
        )
        if held == sold:
            return Fraction(1)
        if self._rules is None:
            self._rules = await self._read()
        return self._rules.ratio(same_name_key(product.ProductNumber), unit=held, into=sold)

    async def conversions(self, product: ReleasedProductRow) -> Collection[Fraction]:
        """Return all ratios by which the ERP converts a product's units, in either direction."""
        if self._rules is None:
            self._rules = await self._read()
        units = {
            same_name_key(product.InventoryUnitSymbol),
            same_name_key(product.SalesUnitSymbol),
        }
        return self._rules.conversions(same_name_key(product.ProductNumber), units)

    async def _read(self) -> UnitRules:
        of_all = await self._erp.whole(UnitConversionRow, company=self._company)
        of_product = await self._erp.whole(ProductUnitConversionRow, company=self._company)
        return UnitRules(
            of_all={_units(row): ratio for row in of_all.rows if (ratio := _ratio(row))},
            of_product={
                (same_name_key(row.ProductNumber), *_units(row)): ratio
                for row in of_product.rows
                if (ratio := _ratio(row))
            },
        )


def _units(row: UnitConversionRow) -> tuple[str, str]:
    return same_name_key(row.FromUnitSymbol), same_name_key(row.ToUnitSymbol)


def _ratio(row: UnitConversionRow) -> Fraction | None:
    """Return a rule's ratio, None for scales that begin elsewhere and for empty rules."""
    if row.InnerOffset.value or row.OuterOffset.value or not row.Denominator.value:
        return None
    ratio = Fraction(row.Factor.value) * Fraction(row.Numerator.value)
    return ratio / Fraction(row.Denominator.value) or None

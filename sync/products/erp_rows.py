"""Put together what several sets of the ERP say of one item: pure.

A row that cannot be read holds what it would have said of its item, and the item's own row all of
it: without its blocking or its translation it would be shown as something else.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from pricing_proxy.d365.fo.mirror_reads import UnreadableRow
from pricing_proxy.d365.fo.product_models import (
    AttributeValueRow,
    CatalogOrderSettingsRow,
    CatalogProductRow,
    CatalogVariantRow,
    NumberedBarcodeRow,
    ProductTranslationRow,
)
from pricing_proxy.names import same_name_key
from sync.products.erp_product import ErpProduct, Part, ProductKind
from sync.products.plain_numbers import plain
from sync.products.rules import Dimension

_SERVICE = "Service"
_DIMENSION_FIELDS: Mapping[Dimension, str] = {
    "configuration": "ProductConfigurationId",
    "size": "ProductSizeId",
    "color": "ProductColorId",
    "style": "ProductStyleId",
    "version": "ProductVersionId",
}


@dataclass(slots=True)
class Companions:
    """What other sets say of the items of one page, by item number or product number.

    Attributes:
        odd: Why a part of what is said of an item or product cannot be used, by what all
            spellings of its number share.
        unread: Why an item cannot be used at all, by its number.
    """

    settings: dict[str, CatalogOrderSettingsRow] = field(default_factory=dict)
    names: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    attributes: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    barcodes: dict[str, list[NumberedBarcodeRow]] = field(default_factory=lambda: defaultdict(list))
    variants: dict[str, list[CatalogVariantRow]] = field(default_factory=lambda: defaultdict(list))
    odd: dict[str, dict[Part, str]] = field(default_factory=lambda: defaultdict(dict))
    unread: dict[str, str] = field(default_factory=dict)

    def add_settings(self, rows: Iterable[CatalogOrderSettingsRow]) -> None:
        """Add what is said of ordering items."""
        self.settings |= {same_name_key(row.ItemNumber): row for row in rows}

    def add_names(self, rows: Iterable[ProductTranslationRow]) -> None:
        """Add names."""
        for row in rows:
            if row.ProductName:
                key = same_name_key(row.ProductNumber)
                self.names[key][row.LanguageId.lower()] = row.ProductName

    def add_attributes(self, rows: Iterable[AttributeValueRow], wanted: Iterable[str]) -> None:
        """Add values of attributes that somebody wants."""
        named = {name.casefold(): name for name in wanted}
        for row in rows:
            name = named.get(row.AttributeName.casefold())
            if name is not None and (value := _value(row)):
                self.attributes[same_name_key(row.ProductNumber)][name] = value

    def add_barcodes(self, rows: Iterable[NumberedBarcodeRow], setup: str | None) -> None:
        """Add barcodes, of one setup where that is named."""
        for row in rows:
            if setup is None or row.BarcodeSetupId.casefold() == setup.casefold():
                self.barcodes[same_name_key(row.ProductNumber)].append(row)

    def add_variants(self, rows: Iterable[CatalogVariantRow]) -> None:
        """Add variants to their masters."""
        for row in rows:
            self.variants[same_name_key(row.master_number)].append(row)

    def add_odd(
        self, rows: Iterable[UnreadableRow], what: str, *, place: int, part: Part | None = None
    ) -> None:
        """Add rows that cannot be read.

        Args:
            rows: Which.
            what: Their set.
            place: Where in its key the item or product stands.
            part: What they say of it; None where such a row is the item itself.
        """
        for row in rows:
            told = f"{what} has a row of it that is not as agreed, in {', '.join(row.fields)}"
            if part is None:
                self.unread[row.key[place]] = told
            else:
                self.odd[same_name_key(row.key[place])][part] = told

    def parts_of(self, *numbers: str) -> dict[Part, str]:
        """Return why parts of what is said of an item cannot be used, under any of its numbers."""
        return {part: told for one in numbers for part, told in self.odd.get(one, {}).items()}


def erp_product(row: CatalogProductRow, known: Companions) -> ErpProduct:
    """Return a distinct product or a master."""
    item, number = same_name_key(row.ItemNumber), same_name_key(row.ProductNumber or row.ItemNumber)
    settings = known.settings.get(item)
    variants = known.variants.get(item, []) if row.is_master else []
    product = ErpProduct(
        sku=row.ItemNumber,
        kind=_kind(row),
        names=known.names.get(number, {}),
        own_name=row.ProductSearchName or row.SearchName,
        price=row.SalesPrice.value,
        price_quantity=row.SalesPriceQuantity.value or Decimal(1),
        unit=row.SalesUnitSymbol,
        inventory_unit=row.InventoryUnitSymbol,
        tax_group=row.SalesSalesTaxItemGroupCode,
        net_weight=row.NetProductWeight.value,
        tare_weight=row.TareProductWeight.value,
        state=row.ProductLifecycleStateId,
        begins_on=row.SellStartDate,
        ends_on=row.SellEndDate,
        attributes=known.attributes.get(number, {}),
        barcode=_barcode(known.barcodes.get(number, ()), row.SalesUnitSymbol),
        variants=[each.ProductVariantNumber for each in variants if each.ProductVariantNumber],
        axes=_axes(variants),
        unread=known.parts_of(number, item),
    )
    if settings is None:
        return product
    return replace(
        product,
        is_stopped=settings.IsSalesProcessingStopped,
        minimum=settings.MinimumSalesOrderQuantity.value,
        maximum=settings.MaximumSalesOrderQuantity.value,
        multiple=settings.SalesQuantityMultiples.value,
    )


def erp_variant(row: CatalogVariantRow, master: ErpProduct, known: Companions) -> ErpProduct:
    """Return a variant, which has of its master what it has not of its own."""
    number = same_name_key(row.ProductVariantNumber)
    return replace(
        master,
        sku=row.ProductVariantNumber,
        kind=ProductKind.SIMPLE,
        names=known.names.get(number) or master.names,
        own_name=row.ProductName or master.own_name,
        tax_group=row.SalesSalesTaxItemGroupCode or master.tax_group,
        state=row.ProductLifecycleStateId or master.state,
        dimensions=_dimensions(row),
        attributes={**master.attributes, **known.attributes.get(number, {})},
        barcode=_barcode(known.barcodes.get(number, ()), master.unit),
        variants=(),
        axes=(),
        is_variant=True,
        unread={**master.unread, **known.parts_of(number)},
    )


def _kind(row: CatalogProductRow) -> ProductKind:
    if row.is_master:
        return ProductKind.CONFIGURABLE
    return ProductKind.VIRTUAL if row.ProductType == _SERVICE else ProductKind.SIMPLE


def _dimensions(row: CatalogVariantRow) -> dict[Dimension, str]:
    named = ((name, str(getattr(row, wire))) for name, wire in _DIMENSION_FIELDS.items())
    return {name: value for name, value in named if value}


def _axes(variants: Sequence[CatalogVariantRow]) -> tuple[Dimension, ...]:
    used = {name for row in variants for name in _dimensions(row)}
    return tuple(name for name in _DIMENSION_FIELDS if name in used)


def _barcode(rows: Iterable[NumberedBarcodeRow], unit: str) -> str:
    """Return the barcode of the unit in which it is sold, the first where there are several."""
    units = {"", unit.casefold()}
    fitting = [row.Barcode for row in rows if row.ProductQuantityUnitSymbol.casefold() in units]
    return min(fitting, default="")


def _value(row: AttributeValueRow) -> str:
    """Return the value that the row's type means, empty for none."""
    match row.DataType:
        case "Integer":
            return plain(row.IntegerValue.value)
        case "Decimal":
            return plain(row.DecimalValue.value)
        case "Currency":
            return plain(row.CurrencyValue.value)
        case "TrueFalse":
            return "1" if row.BooleanValue else "0"
        case "DateTime":
            return "" if row.DateTimeValue is None else row.DateTimeValue.isoformat()
        case _:
            return " ".join(row.TextValue.split())

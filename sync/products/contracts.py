"""What the products of a market rely on in the ERP, as its rules make them: pure."""

from collections.abc import Iterable

from pricing_proxy.d365.fo.mirror_contracts import read_contracts
from pricing_proxy.d365.fo.models import Row
from pricing_proxy.d365.fo.product_models import (
    AttributeValueRow,
    CatalogOrderSettingsRow,
    CatalogProductRow,
    CatalogVariantRow,
    NumberedBarcodeRow,
    ProductTranslationRow,
)
from pricing_proxy.d365.fo.schema_contract import EntityContract
from sync.products.rules import ProductRules

_ALWAYS: tuple[type[Row], ...] = (
    CatalogProductRow,
    CatalogVariantRow,
    CatalogOrderSettingsRow,
    ProductTranslationRow,
)


def contracts(rules: ProductRules) -> Iterable[EntityContract]:
    """Return the sets that products are read from."""
    barcodes = (NumberedBarcodeRow,) if rules.barcode_attribute is not None else ()
    attributes = (AttributeValueRow,) if rules.attributes else ()
    return read_contracts((*_ALWAYS, *barcodes, *attributes))

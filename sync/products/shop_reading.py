"""Read what the shop has of planned rows, in the values that a mirror holds.

Each scope is read through its own store view. What the shop does not show is in no values.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from pricing_proxy.names import same_name_key
from pricing_proxy.resilience.errors import UpstreamContractError
from pricing_proxy.shop_names import shop_key
from sync.magento.catalog import ALL
from sync.magento.product_models import CatalogProduct, StockSettings
from sync.products.erp_product import ProductKind
from sync.products.mapping import (
    AXES,
    BLOCKED,
    DISABLED,
    MAXIMUM,
    MINIMUM,
    MULTIPLE,
    NAME,
    PRICE,
    QUANTITIES,
    STATUS,
    TAX_CLASS,
    TYPE,
    VARIANTS,
    WEIGHT,
)
from sync.products.market import GLOBAL, LINKS, ProductMarket, view_scope
from sync.products.options import OptionBook
from sync.products.plain_numbers import plain
from sync.products.ports import ShopCatalog, ShopConfigurables
from sync.store.mirror_records import HeldRow, MirrorChange, RowKey, Value

SKU = "sku"
"""The shop's own spelling of a key, where it differs."""

_SOLD_ALONE = frozenset({"simple", "virtual", "downloadable"})


class ShopReading:
    """Reads for one market.

    Args:
        catalog: Products of the shop.
        configurables: Their variants.
        options: Its attributes.
        market: The market.
    """

    def __init__(
        self,
        catalog: ShopCatalog,
        configurables: ShopConfigurables,
        *,
        options: OptionBook,
        market: ProductMarket,
    ) -> None:
        self._catalog = catalog
        self._configurables = configurables
        self._options = options
        self._market = market
        self._codes: Mapping[int, str] = {}

    async def read(self, rows: Sequence[MirrorChange]) -> dict[RowKey, HeldRow]:
        """Return what the shop has of the wanted fields; rows without a product are missing."""
        by_store: dict[str, list[MirrorChange]] = defaultdict(list)
        for row in rows:
            by_store[await self.store_of(row.scope)].append(row)
        held: dict[RowKey, HeldRow] = {}
        for store, some in by_store.items():
            found = await self._listed([row.key for row in some], store=store)
            own = {same_name_key(product.sku): product for product in found}
            taken = {shop_key(product.sku): product for product in found}
            for row in some:
                # Of other letters alone it is another product, and nothing is made beside it.
                product = own.get(same_name_key(row.key)) or taken.get(shop_key(row.key))
                if product is not None:
                    held[row.row] = await self._held(row, product)
        return held

    async def products(self, skus: Sequence[str], *, store: str) -> dict[str, CatalogProduct]:
        """Return products as a store view has them, by what all spellings of their SKUs share."""
        listed = await self._listed(skus, store=store)
        return {same_name_key(product.sku): product for product in listed}

    async def _listed(self, skus: Sequence[str], *, store: str) -> Sequence[CatalogProduct]:
        # One product stands in several rows.
        return await self._catalog.listed(sorted(set(skus)), store=store)

    async def store_of(self, scope: str) -> str:
        """Return the code of the store view through which a scope is read and written."""
        if scope in {GLOBAL, LINKS}:
            return ALL
        if scope == self._market.website:
            return await self._code(self._market.store_ids[0])
        views = {view_scope(each): each for each in self._market.store_ids}
        return await self._code(views[scope])

    async def _code(self, store_id: int) -> str:
        if store_id not in self._codes:
            self._codes = {view.id: view.code for view in await self._catalog.store_views()}
        if store_id not in self._codes:
            raise UpstreamContractError(f"the shop has no store view {store_id}", system="magento")
        return self._codes[store_id]

    async def _held(self, row: MirrorChange, product: CatalogProduct) -> HeldRow:
        values: dict[str, Value] = {}
        if product.sku != row.key:
            values[SKU] = product.sku
        if row.scope == LINKS:
            values |= await self._links(row, product)
        elif QUANTITIES & row.wanted.keys():
            alone = await self._catalog.product(product.sku)
            if alone is not None and alone.extension_attributes.stock_item is not None:
                values |= _quantities(alone.extension_attributes.stock_item)
        if BLOCKED in row.wanted:
            values |= {BLOCKED: _blocked(row, product), STATUS: str(product.status)}
        for name, wanted in row.wanted.items():
            if name not in values and row.scope != LINKS and name not in QUANTITIES:
                values |= await self._field(name, wanted, product)
        return HeldRow(shop_id=str(product.id), values=values)

    async def _field(self, name: str, wanted: Value, product: CatalogProduct) -> dict[str, Value]:
        own = _own_fields(wanted, product)
        if name in own:
            return {name: own[name]}
        if await self._options.attribute(name) is None:
            return {}
        return {name: await self._options.text(name, product.attribute(name))}

    async def _links(self, row: MirrorChange, product: CatalogProduct) -> dict[str, Value]:
        """Return of what we want or knew that which is there; what people added is theirs."""
        if product.type_id != ProductKind.CONFIGURABLE:
            return {AXES: [], VARIANTS: []}
        linked = {same_name_key(sku) for sku in await self._configurables.variants(product.sku)}
        ids = {axis.attribute_id for axis in await self._configurables.axes(product.sku)}
        axes: list[str] = []
        for code in _of_us(row, AXES):
            attribute = await self._options.attribute(code)
            if attribute is not None and str(attribute.attribute_id) in ids:
                axes.append(code)
        variants = [sku for sku in _of_us(row, VARIANTS) if same_name_key(sku) in linked]
        return {AXES: axes, VARIANTS: variants}


def _own_fields(wanted: Value, product: CatalogProduct) -> dict[str, Value]:
    """Return the fields that are no attribute of the rules."""
    tax_class = product.attribute(TAX_CLASS)
    return {
        NAME: product.name,
        TYPE: _type(wanted, product),
        WEIGHT: None if product.weight is None else plain(product.weight),
        PRICE: plain(product.price),
        STATUS: str(product.status),
        TAX_CLASS: None if tax_class is None else str(tax_class),
    }


def _of_us(row: MirrorChange, name: str) -> list[str]:
    known = (row.known or {}).get(name) or []
    wanted = row.wanted.get(name) or []
    return sorted({*known, *wanted})


def _type(wanted: Value, product: CatalogProduct) -> str:
    """Return its type; of products that are sold alone, as whichever of them is wanted."""
    is_alone = wanted != ProductKind.CONFIGURABLE and product.type_id in _SOLD_ALONE
    return str(wanted) if is_alone else product.type_id


def _blocked(row: MirrorChange, product: CatalogProduct) -> str:
    """Return whether it is blocked; whether what is not blocked is shown is people's business."""
    is_disabled = str(product.status) == DISABLED
    if row.wanted[BLOCKED] == "1" or (row.known or {}).get(BLOCKED) == "1":
        return "1" if is_disabled else "0"
    return "0"


def _quantities(settings: StockSettings) -> dict[str, Value]:
    """Return how many pieces an order may have; 0 where the shop's own settings apply."""
    is_multiple = settings.enable_qty_increments and not settings.use_config_qty_increments
    return {
        MINIMUM: "0" if settings.use_config_min_sale_qty else plain(settings.min_sale_qty),
        MAXIMUM: "0" if settings.use_config_max_sale_qty else plain(settings.max_sale_qty),
        MULTIPLE: plain(settings.qty_increments) if is_multiple else "0",
    }

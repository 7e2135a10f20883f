"""The rows of stock in `d365-sync check`: warehouses, sources, and what each website sells."""

from collections.abc import Iterator, Mapping

from pricing_proxy.d365.fo.documents import DocumentCalls
from pricing_proxy.d365.fo.stock_models import WarehouseRow
from pricing_proxy.d365.odata import is_one_of
from pricing_proxy.diagnosis.board import Finding, failed, ok, warned
from pricing_proxy.names import same_name_key
from sync.description import CheckRow, erp_advice
from sync.given import ConfiguredMarket
from sync.magento.resources import SOURCE_ITEMS
from sync.magento.shop import Shop
from sync.magento.stocks import StockCalls
from sync.stock.rules import FLOW, StockRules

_WAREHOUSES, _SOURCES, _STOCKS = "warehouses of sources", "sources", "stocks of websites"


def warehouse_row(market: ConfiguredMarket) -> Iterator[CheckRow[DocumentCalls]]:
    """Yield whether the company has the warehouses that fill the sources."""
    rules = market.own.rules(StockRules)
    named = [each for all_ in rules.sources.values() for each in all_]

    async def look(calls: DocumentCalls) -> Finding:
        rows = await calls.rows(
            WarehouseRow, is_one_of("WarehouseId", named), company=market.company
        )
        known = {same_name_key(row.WarehouseId) for row in rows}
        missing = [each for each in named if same_name_key(each) not in known]
        if missing:
            return failed(
                f"{market.company} has no warehouse {', '.join(missing)}",
                f"Correct sync.markets.{market.code}.{FLOW}.sources",
            )
        return ok(f"{len(named)} of {len(rules.sources)} sources")

    yield CheckRow(name=_WAREHOUSES, look=look, advice=erp_advice(WarehouseRow.entity_set))


def shop_rows(markets: Mapping[str, ConfiguredMarket]) -> Iterator[CheckRow[Shop]]:
    """Yield whether the shop has the sources, and sells from the stocks that they fill."""

    async def sources(shop: Shop) -> Finding:
        return await _look_at_sources(shop.stocks, markets)

    async def stocks(shop: Shop) -> Finding:
        return await _look_at_stocks(shop.stocks, markets)

    advice = SOURCE_ITEMS.advice("sources and stocks", route="inventory")
    yield CheckRow(name=_SOURCES, look=sources, advice=advice)
    yield CheckRow(name=_STOCKS, look=stocks, advice=advice, needs=[_SOURCES])


async def _look_at_sources(stocks: StockCalls, markets: Mapping[str, ConfiguredMarket]) -> Finding:
    known = {source.source_code: source for source in await stocks.sources()}
    links = await stocks.links()
    filled = 0
    for code, market in markets.items():
        rules = market.own.rules(StockRules)
        where = f"sync.markets.{code}.{FLOW}.sources"
        for name in rules.sources:
            filled += 1
            if name not in known:
                return failed(f"the shop has no source {name}", f"Correct {where}")
            if not known[name].enabled:
                return warned(f"source {name} is off", "Enable it in the shop, or take it out")
            linked = sorted(link.stock_id for link in links if link.source_code == name)
            if linked != [rules.stock_id]:
                told = ", ".join(map(str, linked)) or "none"
                return failed(
                    f"source {name} belongs to stock {told}, not to {rules.stock_id} alone",
                    f"Assign it to one stock in the shop, or correct {where}",
                )
        others = sorted(
            link.source_code
            for link in links
            if link.stock_id == rules.stock_id and link.source_code not in rules.sources
        )
        if others:
            return warned(
                f"stock {rules.stock_id} sells from {', '.join(others)} too, which nobody fills",
                f"Add it to {where}, or take it out of the stock",
            )
    return ok(f"{filled} sources, each in one stock")


async def _look_at_stocks(stocks: StockCalls, markets: Mapping[str, ConfiguredMarket]) -> Finding:
    for code, market in markets.items():
        rules = market.own.rules(StockRules)
        for website in (code, *rules.also_sold_by):
            found = await stocks.stock_of(website)
            if found is None or found.stock_id != rules.stock_id:
                told = "no stock" if found is None else f"stock {found.stock_id}"
                return failed(
                    f"website {website} sells from {told}, not from {rules.stock_id}",
                    f"Correct sync.markets.{code}.{FLOW}.stock_id, or the stock's websites",
                )
        named = {code, *rules.also_sold_by}
        listed = next(each for each in await stocks.stocks() if each.stock_id == rules.stock_id)
        if others := [each for each in listed.websites if each not in named]:
            return warned(
                f"stock {rules.stock_id} is sold by {', '.join(others)} too, whose orders count "
                "as not in the ERP",
                f"Name their markets in sync.markets.{code}.{FLOW}.also_sold_by",
            )
    return ok(f"{len(markets)} stocks")

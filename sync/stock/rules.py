"""What a market's configuration says about stock."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, Field

from pricing_proxy.configuration.cross_checks import table
from pricing_proxy.configuration.environments import MODEL
from pricing_proxy.configuration.mistakes import Mistake
from sync.engine.erp_texts import Code
from sync.stock.mapping import UNRESERVED_AND_UNWANTED, Term

FLOW = "stock"

SourceCode = Annotated[str, Field(pattern=r"^[^\s,/]{1,255}$")]


class StockRules(BaseModel):
    """How what the ERP has on hand becomes quantities of the shop's sources.

    Attributes:
        stock_id: The shop's id of the stock that the market's website sells from.
        sources: The stock's sources, each with the ERP's warehouses that fill it.
        default_source: Which source orders ship from while no warehouse is known of them; the
            first one when left out.
        also_sold_by: Other markets whose websites sell from this stock, and have the flow off.
        safety_stock: So much of each SKU is never sold from any source.
        measure: Quantities of the ERP that are added, or taken off with a "-": together they must
            fall when an order enters the ERP, and stay when it is delivered. `d365-sync check
            --prove-stock` shows whether they do.
        decimals: Decimals that quantities have in the shop.
        events: Business events of the ERP that say that stock moved, by the names that whoever set
            them up there gave them; with the contract's member that names the item, such as
            {"XYZOnHandChangedBusinessEvent": "ItemNumber"}. They only have it read at once.
        rotation_minutes: How often what nobody has ordered is read, and what the shop has is
            compared with what was written; orders' SKUs are read every minute.
        lowered_per_cent: Of all SKUs, so many may be lowered or emptied within a day; more wait
            for a person, and that oversells. 100 lets all pass.
    """

    model_config = MODEL

    stock_id: Annotated[int, Field(ge=1)]
    sources: Annotated[
        dict[SourceCode, Annotated[list[Code], Field(min_length=1)]], Field(min_length=1)
    ]
    default_source: SourceCode | None = None
    also_sold_by: list[str] = []
    safety_stock: Annotated[Decimal, Field(ge=0, le=1_000_000)] = Decimal(0)
    measure: Annotated[list[Term], Field(min_length=1)] = list(UNRESERVED_AND_UNWANTED)
    decimals: Annotated[int, Field(ge=0, le=4)] = 0
    events: dict[str, str] = {}
    rotation_minutes: Annotated[int, Field(ge=1, le=10_080)] = 240
    lowered_per_cent: Annotated[int, Field(ge=0, le=100)] = 25


def mistakes(document: Mapping[str, Any], market: str) -> Iterator[Mistake]:
    """Find what would be counted twice: nobody could say afterwards what is really there."""
    rules = table(document, "sync", "markets", market, FLOW)
    where = f"sync.markets.{market}.{FLOW}"
    sources = _sources(rules)
    yield from _warehouses_twice(where, sources)
    default = rules.get("default_source")
    if isinstance(default, str) and sources and default not in sources:
        yield Mistake(f"{where}.default_source", f"expected one of {', '.join(sources)}", default)
    markets = table(document, "sync", "markets")
    for other in rules.get("also_sold_by") or ():
        if other not in markets or other == market:
            yield Mistake(
                f"{where}.also_sold_by", "expected other markets of sync.markets", str(other)
            )
    yield from _owned_elsewhere(where, market, rules, markets)


def _warehouses_twice(where: str, sources: Mapping[str, Any]) -> Iterator[Mistake]:
    owners: dict[str, str] = {}
    for source, warehouses in sources.items():
        for warehouse in warehouses if isinstance(warehouses, list) else ():
            if not isinstance(warehouse, str):
                continue  # told of where each key is read
            owner = owners.setdefault(warehouse.casefold(), source)
            if owner != source:
                yield Mistake(
                    f"{where}.sources.{source}",
                    f"expected each warehouse in one source of a stock; it is also in {owner}",
                    warehouse,
                )


def _owned_elsewhere(
    where: str, market: str, rules: Mapping[str, Any], markets: Mapping[str, Any]
) -> Iterator[Mistake]:
    for code in markets:
        if code == market:
            # Told once, of the later one of two.
            return
        other = table(markets, code, FLOW)
        for source in _sources(rules):
            if source in _sources(other):
                yield Mistake(
                    f"{where}.sources.{source}",
                    f"expected a source in one stock; it is also of market {code}",
                )
        stock = rules.get("stock_id")
        if stock is not None and stock == other.get("stock_id"):
            yield Mistake(
                f"{where}.stock_id",
                f"expected one owner of each stock; name the market in "
                f"sync.markets.{code}.{FLOW}.also_sold_by instead",
                str(stock),
            )


def _sources(rules: Mapping[str, Any]) -> Mapping[str, Any]:
    found = rules.get("sources")
    return found if isinstance(found, dict) else {}

"""What `d365-sync` can be told: its own section of the one configuration file.

Environments and markets are those of the price service; the section `sync` is this
program's. Secrets come from the environment or the secrets directory only. All
mistakes are reported together, each with the key's path.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from pricing_proxy.configuration import reading
from pricing_proxy.configuration.cross_checks import market_mistakes, one_of, table
from pricing_proxy.configuration.environments import MODEL, Environment
from pricing_proxy.configuration.markets import MarketSection
from pricing_proxy.configuration.mistakes import Mistake
from pricing_proxy.configuration.redis import RedisSection
from pricing_proxy.configuration.telemetry import Telemetry
from sync.customers.rules import CustomerRules
from sync.orders.rules import OrderRules
from sync.returns.rules import ReturnRules
from sync.sections import (
    Alerts,
    Delivery,
    Intake,
    Magento,
    Operators,
    Polling,
    Postgres,
)

FlowName = Literal["orders", "customers", "returns"]


class SyncEnvironment(Environment):
    """An ERP environment as this program calls it: with an Entra app of its own."""

    pricing_client_id: str = ""
    pricing_client_secret: SecretStr = SecretStr("")
    sync_client_id: Annotated[str, Field(min_length=1)]
    sync_client_secret: SecretStr


class SyncMarket(BaseModel):
    """What this program needs of a market beside the price service's own table.

    Attributes:
        website_id: The shop's id of the website.
        store_ids: Its store views; an order names the one it was placed in.
        flows: What runs for it.
        orders: Rules for orders.
        customers: Rules for customers.
        returns: Rules for returns.
    """

    model_config = MODEL

    website_id: Annotated[int, Field(ge=1)]
    store_ids: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]
    flows: list[FlowName] = ["orders", "customers", "returns"]
    orders: OrderRules
    customers: CustomerRules = CustomerRules()
    returns: ReturnRules = ReturnRules()


class Sync(BaseModel):
    """The section `sync`.

    Attributes:
        magento: The shop.
        postgres: Where state is kept.
        markets: What each market needs, by its code.
        polling: How often the shop is asked.
        delivery: How writes in doubt are judged.
        intake: Where the shop's hints arrive.
        operators: Where operators look.
        alerts: Who is told what is wrong.
        concurrency: Events of one flow and market at once, in each process.
        journal_days: How long the calls of ended events are kept.
    """

    model_config = MODEL

    magento: Magento
    postgres: Postgres = Postgres()
    markets: Annotated[dict[str, SyncMarket], Field(min_length=1)]
    polling: Polling = Polling()
    delivery: Delivery = Delivery()
    intake: Intake = Intake()
    operators: Operators = Operators()
    alerts: Alerts = Alerts()
    concurrency: Annotated[int, Field(ge=1, le=64)] = 8
    journal_days: Annotated[int, Field(ge=1, le=3650)] = 90


class SyncSettings(BaseModel):
    """The whole configuration as this program sees it.

    Attributes:
        environments: ERP environments by name.
        markets: The price service's tables of the markets, by code.
        redis: What is shared with the price service.
        telemetry: What is told about the program.
        sync: This program's own section.
    """

    # The price service's own sections share the file; they are not this program's to check.
    model_config = ConfigDict(frozen=True, extra="ignore")

    environments: Annotated[dict[str, SyncEnvironment], Field(min_length=1)]
    markets: Annotated[dict[str, MarketSection], Field(min_length=1)]
    redis: RedisSection = RedisSection()
    telemetry: Telemetry = Telemetry()
    sync: Sync

    @property
    def named_customers(self) -> Mapping[str, Mapping[int, str]]:
        """The accounts that the file names, by market and the shop's customer id."""
        return {code: market.magento_customers for code, market in self.markets.items()}


def load(path: Path | None) -> SyncSettings:
    """Return the settings; raises `ConfigurationError` with every mistake."""
    return reading.read(SyncSettings, path, cross_check=_cross_check)


def _cross_check(document: Mapping[str, Any]) -> Iterator[Mistake]:
    """Find what no single key shows; the document may be wrong in any other way as well."""
    markets = table(document, "markets")
    yield from market_mistakes(document)
    own = table(document, "sync", "markets")
    for code, market in own.items():
        path = f"sync.markets.{code}"
        if code not in markets:
            yield Mistake(path, f"is no market; {one_of(markets)}")
        if isinstance(market, dict):
            yield from _own_mistakes(path, market, markets=markets, code=code, own=own)
    yield from _named_twice(own)


def _own_mistakes(
    path: str,
    market: Mapping[str, Any],
    *,
    markets: Mapping[str, Any],
    code: str,
    own: Mapping[str, Any],
) -> Iterator[Mistake]:
    start = table(market, "orders").get("start_at")
    stores = market.get("store_ids")
    if isinstance(start, str) and start.isdecimal() and isinstance(stores, list) and stores[1:]:
        advice = "expected an instant: each store view counts increment ids of its own"
        yield Mistake(f"{path}.orders.start_at", advice, start)
    for store in table(market, "orders", "reference_prefix"):
        if store.isdecimal() and isinstance(stores, list) and store not in map(str, stores):
            advice = 'expected "*" or a store view of this market'
            yield Mistake(f"{path}.orders.reference_prefix", advice, store)
    shared = table(market, "customers").get("shared_with")
    if shared is None:
        return
    where = f"{path}.customers.shared_with"
    if shared not in own or shared == code:
        yield Mistake(where, "expected another market of section sync", str(shared))
    elif _company(markets, shared) != _company(markets, code):
        yield Mistake(where, "expected a market of the same legal entity", str(shared))


def _company(markets: Mapping[str, Any], code: str) -> tuple[Any, Any]:
    market = table(markets, code)
    return market.get("environment"), market.get("legal_entity")


def _named_twice(own: Mapping[str, Any]) -> Iterator[Mistake]:
    """Find store views and websites of several markets: nobody could tell whose their rows are."""
    for name, what in (("store_ids", "store view"), ("website_id", "website")):
        seen: dict[int, str] = {}
        for code, market in own.items():
            found = market.get(name) if isinstance(market, dict) else None
            for one in found if isinstance(found, list) else (found,):
                if not isinstance(one, int):
                    continue  # told of where each key is read
                if one in seen:
                    advice = f"expected every {what} once; {one} is also in {seen[one]}"
                    yield Mistake(f"sync.markets.{code}.{name}", advice)
                seen.setdefault(one, code)

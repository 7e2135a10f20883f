"""What `d365-sync` can be told: its own section of the one configuration file.

Environments and markets are those of the price service; the section `sync` is this
program's. Secrets come from the environment or the secrets directory only. All
mistakes are reported together, each with the key's path.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, GetPydanticSchema, create_model
from pydantic_core.core_schema import literal_schema

from pricing_proxy.configuration import reading
from pricing_proxy.configuration.cross_checks import market_mistakes, one_of, table
from pricing_proxy.configuration.entra_apps import add_conventions, app_mistakes
from pricing_proxy.configuration.environments import MODEL, Environment
from pricing_proxy.configuration.markets import MarketSection
from pricing_proxy.configuration.mistakes import Mistake
from pricing_proxy.configuration.redis import RedisSection
from pricing_proxy.configuration.telemetry import Telemetry
from sync.description import Description
from sync.flows import FLOWS, NAMES
from sync.price_service.section import PriceServiceSection
from sync.sections import (
    Alerts,
    DeliverySection,
    Intake,
    Magento,
    MirrorSection,
    Operators,
    PollingSection,
    Postgres,
    SyncMarket,
    SyncMetricsListener,
)


class SyncEnvironment(Environment):
    """An ERP environment as this program calls it: with an Entra app of its own."""

    pricing_client_id: str = ""
    sync_client_id: Annotated[str, Field(min_length=1)]


def _rules(flow: Description[Any]) -> tuple[Any, Any]:
    """Return the member that holds a flow's rules.

    Of a usual flow they are there. Others whose rules cannot do without something have none in
    a market where they are off.
    """
    if not any(each.is_required() for each in flow.rules.model_fields.values()):
        return flow.rules, flow.rules()
    return (flow.rules, ...) if flow.is_usual else (flow.rules | None, None)


_FlowName = Annotated[str, GetPydanticSchema(lambda *_: literal_schema([*NAMES]))]
_MEMBERS: Any = {
    "flows": (list[_FlowName], [flow.name for flow in FLOWS if flow.is_usual]),
    **{each.name: _rules(each) for each in FLOWS},
}
_Market = create_model("SyncMarket", __base__=SyncMarket, **_MEMBERS)
MarketRules = Annotated[SyncMarket, GetPydanticSchema(lambda _, schema_of: schema_of(_Market))]
"""A market with the rules of every flow."""


class Sync(BaseModel):
    """The section `sync`.

    Attributes:
        magento: The shop.
        postgres: Where state is kept.
        markets: What each market needs, by its code.
        polling: How often the shop is asked.
        delivery: How writes in doubt are judged.
        mirror: How what the ERP says is written into the shop.
        intake: Where the shop's hints arrive.
        operators: Where operators look.
        metrics: What Prometheus scrapes, where it cannot reach the operators' listener.
        alerts: Who is told what is wrong.
        price_service: Where prices are asked for that reconciliation compares with shop and ERP.
        concurrency: Events of one flow and market at once, in each process.
        journal_days: How long the writes of ended events stay in the journal.
    """

    model_config = MODEL

    magento: Magento
    postgres: Postgres = Postgres()
    markets: Annotated[dict[str, MarketRules], Field(min_length=1)]
    polling: PollingSection = PollingSection()
    delivery: DeliverySection = DeliverySection()
    mirror: MirrorSection = MirrorSection()
    intake: Intake = Intake()
    operators: Operators = Operators()
    metrics: SyncMetricsListener | None = None
    alerts: Alerts = Alerts()
    price_service: PriceServiceSection | None = None
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
    fill = partial(add_conventions, kind="sync")
    return reading.read(SyncSettings, path, fill=fill, cross_check=_cross_check)


def _cross_check(document: Mapping[str, Any]) -> Iterator[Mistake]:
    """Find what no single key shows; the document may be wrong in any other way as well."""
    markets = table(document, "markets")
    yield from market_mistakes(document)
    yield from app_mistakes(document, kind="sync")
    own = table(document, "sync", "markets")
    for code in own:
        if code not in markets:
            yield Mistake(f"sync.markets.{code}", f"is no market; {one_of(markets)}")
        for flow in FLOWS:
            yield from flow.mistakes(document, code)
            named = table(own, code).get("flows")
            is_on = isinstance(named, list) and flow.name in named
            if is_on and _MEMBERS[flow.name][1] is None and flow.name not in own[code]:
                yield Mistake(f"sync.markets.{code}.{flow.name}", "is required")
    yield from _named_twice(own)


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

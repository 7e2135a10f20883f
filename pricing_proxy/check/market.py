"""The rows of one market: its company, what is read of it, and what its prices say."""

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar
from zoneinfo import ZoneInfo

from pricing_proxy.check.time_zones import offset_of_member, offset_text, standard_offset
from pricing_proxy.clock import Clock
from pricing_proxy.configuration.environments import Environment
from pricing_proxy.configuration.markets import MarketSection
from pricing_proxy.d365.fo.models import (
    CurrencyRow,
    CustomerRow,
    LegalEntityRow,
    OrderSettingsRow,
    ReleasedProductRow,
    ReleasedProductVariantRow,
    Row,
)
from pricing_proxy.d365.odata import equals, is_one_of
from pricing_proxy.diagnosis.board import Finding, failed, ok
from pricing_proxy.diagnosis.direct_calls import DirectErp, Top, company_found
from pricing_proxy.diagnosis.steps import Advice, Steps

R = TypeVar("R", bound=Row)

COMPANY = "company"
CURRENCY = "currency"
TIME_ZONE = "ERP time zone"
CUSTOMERS = CustomerRow.entity_set
PRODUCTS = ReleasedProductRow.entity_set
VARIANTS = ReleasedProductVariantRow.entity_set
ORDER_SETTINGS = OrderSettingsRow.entity_set
MASTER_DATA_ROWS = (
    COMPANY,
    CURRENCY,
    TIME_ZONE,
    CUSTOMERS,
    PRODUCTS,
    VARIANTS,
    ORDER_SETTINGS,
)

# Of these the probe's customer and SKUs are chosen where none are configured.
_ROWS_READ = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedMarket:
    """A market, where it is, and who asks.

    Attributes:
        code: Its name in the configuration.
        market: Its settings.
        environment: Its environment's settings.
        erp: Asks that.
        clock: Time.
    """

    code: str
    market: MarketSection
    environment: Environment
    erp: DirectErp
    clock: Clock

    @property
    def key(self) -> str:
        """Where its settings stand in the file."""
        return f"markets.{self.code}"

    @property
    def user(self) -> str:
        """Whose rights count in F&O."""
        return f"the F&O user of Entra app {self.environment.pricing_client_id}"


class MasterDataChecks:
    """Checks what is read of a market's company.

    Attributes:
        customers: The first rows of the set, once read.
        products: As `customers`.
        variants: As `customers`.
        rounding: What the market's currency rounds amounts to.
    """

    def __init__(self, checked: CheckedMarket, *, steps: Steps) -> None:
        self._checked = checked
        self._steps = steps
        self._company: LegalEntityRow | None = None
        self.customers: list[CustomerRow] = []
        self.products: list[ReleasedProductRow] = []
        self.variants: list[ReleasedProductVariantRow] = []
        self.rounding = Decimal(0)

    async def run(self) -> None:
        """Write `MASTER_DATA_ROWS`."""
        run = self._steps.run
        await run(COMPANY, self._find_company, advice=self._set_advice(LegalEntityRow.entity_set))
        sets = (
            (CUSTOMERS, self._read_customers),
            (PRODUCTS, self._read_products),
            (VARIANTS, self._read_variants),
            (ORDER_SETTINGS, self._read_order_settings),
            (CURRENCY, self._find_currencies),
            (TIME_ZONE, self._compare_zones),
        )
        async with asyncio.TaskGroup() as group:
            for name, step in sets:
                advice = self._set_advice("Currencies" if name == CURRENCY else name)
                group.create_task(run(name, step, advice=advice, needs=(COMPANY,)))

    async def _find_company(self) -> Finding:
        wanted = self._checked.market.legal_entity
        self._company = await self._checked.erp.company(wanted)
        return company_found(self._company, wanted, self._checked.code)

    async def _read_customers(self) -> Finding:
        top = await self._top(CustomerRow)
        self.customers = top.rows
        return self._counted(top, "customer")

    async def _read_products(self) -> Finding:
        top = await self._top(ReleasedProductRow)
        self.products = top.rows
        return self._counted(top, "released product")

    async def _read_variants(self) -> Finding:
        top = await self._top(ReleasedProductVariantRow)
        self.variants = top.rows
        return ok(_rows(top.count))

    async def _read_order_settings(self) -> Finding:
        return ok(_rows((await self._top(OrderSettingsRow)).count))

    async def _find_currencies(self) -> Finding:
        market = self._checked.market
        wanted = list(dict.fromkeys([market.currency, *market.currencies]))
        if market.company_currency is not None and market.company_currency not in wanted:
            wanted.append(market.company_currency)
        where = is_one_of("CurrencyCode", wanted)
        rows = (await self._checked.erp.top(CurrencyRow, where, rows=len(wanted))).rows
        found = {row.CurrencyCode.upper(): row for row in rows}
        missing = [code for code in wanted if code not in found]
        if missing:
            return failed(
                f"F&O has no currency {', '.join(missing)}",
                f"Correct currency, currencies and company_currency of {self._checked.key}, "
                "or set the currency up in F&O",
            )
        self.rounding = found[market.currency].RoundingRuleSalesOrders.value
        return ok(", ".join(wanted))

    async def _compare_zones(self) -> Finding:
        configured = self._checked.environment.time_zone
        member = self._company.TimeZone if self._company is not None else ""
        theirs = offset_of_member(member)
        if theirs is None:
            return ok(f"{configured}; F&O says {member or 'none'}, which has no offset to compare")
        ours = standard_offset(ZoneInfo(configured), self._checked.clock.utc().year)
        if ours != theirs:
            return failed(
                f"{configured} is {offset_text(ours)}, F&O's {member} is {offset_text(theirs)}",
                "Correct time_zone of environments."
                f"{self._checked.market.environment}: its midnight begins the ERP's price day",
            )
        return ok(f"{configured}, F&O: {member}")

    async def _top(self, row: type[R]) -> Top[R]:
        company = equals("dataAreaId", self._checked.market.legal_entity)
        return await self._checked.erp.top(row, company, rows=_ROWS_READ)

    def _counted(self, top: Top[R], noun: str) -> Finding:
        if top.count and top.rows:
            return ok(_rows(top.count))
        return failed(
            "0 rows",
            f"There is no {noun} that {self._checked.user} may see in "
            f"{self._checked.market.legal_entity}: look at the company and at the user's rights",
        )

    def _set_advice(self, entity_set: str) -> Advice:
        return Advice(
            what=f"data entity {entity_set}",
            when_missing=f"Make data entity {entity_set} public in F&O (Data entities, "
            "refresh the list), or correct the environment's url",
            who=self._checked.user,
        )


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"

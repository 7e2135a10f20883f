"""The rows of one market's prices: asked for as the service asks, and added up again."""

import asyncio
from decimal import Decimal
from zoneinfo import ZoneInfo

from pricing_proxy.check.market import (
    CURRENCY,
    CUSTOMERS,
    PRODUCTS,
    VARIANTS,
    CheckedMarket,
    MasterDataChecks,
)
from pricing_proxy.check.price_calls import Answered, RefusedBatch, ask_prices
from pricing_proxy.check.price_sum import adds_up, expected
from pricing_proxy.check.probe_lines import QUANTITY, ProbeLines, find_lines, first_skus
from pricing_proxy.d365.fo.models import CustomerRow, LineError, PriceLine
from pricing_proxy.d365.fo.price_calls import PriceRequest
from pricing_proxy.d365.odata import equals
from pricing_proxy.diagnosis.board import Finding, failed, ok
from pricing_proxy.diagnosis.steps import Advice, Steps
from pricing_proxy.domain.price_limits import PriceLimits
from pricing_proxy.money import NumberText

PROBE_CUSTOMER = "probe customer"
PROBE_SKUS = "probe SKUs"
ACCEPTS = "price service accepts the probe lines"
ANSWERS = "price service answers every line"
ADDS_UP = "one price adds up"
PRICE_ROWS = (PROBE_CUSTOMER, PROBE_SKUS, ACCEPTS, ANSWERS, ADDS_UP)

# Amounts are rounded to this where the currency has no rule of its own.
_CENT = Decimal("0.01")
# A row of a table is no place for a hundred SKUs.
_SKUS_SHOWN = 8
# Codes are another system's text.
_CODE_SHOWN = 40
_KNOWN_ERRORS = frozenset(LineError)


class Prices:
    """Checks the price service with some lines of one customer."""

    def __init__(self, checked: CheckedMarket, master: MasterDataChecks, *, steps: Steps) -> None:
        self._checked = checked
        self._master = master
        self._steps = steps
        self._customer = ""
        self._probe = ProbeLines((), ())
        self._answered = Answered({}, (), {})

    async def run(self) -> None:
        """Write `PRICE_ROWS`."""
        run = self._steps.run
        catalog = Advice(
            what="the catalog",
            when_missing="Look at the rows of the sets above",
            who=self._checked.user,
        )
        path = self._checked.environment.price_service_path
        service = Advice(
            what=f"the price service {path}",
            when_missing="Deploy the price service to F&O, or correct price_service_path of "
            f"environments.{self._checked.market.environment}",
            who=self._checked.user,
        )
        sets = (PRODUCTS, VARIANTS)
        async with asyncio.TaskGroup() as group:
            customer = run(PROBE_CUSTOMER, self._find_customer, advice=catalog, needs=(CUSTOMERS,))
            group.create_task(customer)
            group.create_task(run(PROBE_SKUS, self._find_skus, advice=catalog, needs=sets))
        probe = (CURRENCY, PROBE_CUSTOMER, PROBE_SKUS)
        await run(ACCEPTS, self._ask, advice=service, needs=probe)
        await run(ANSWERS, self._count_answers, advice=service, needs=(ACCEPTS,))
        await run(ADDS_UP, self._add_up, advice=service, needs=(ACCEPTS,))

    async def _find_customer(self) -> Finding:
        market = self._checked.market
        found = self._default_customer()
        if market.probe_customer is not None:
            found = await self._read_customer(market.probe_customer)
        if found is None:
            return failed(
                f"{market.legal_entity} has no customer {market.probe_customer}",
                f"Correct {self._checked.key}.probe_customer",
            )
        self._customer = found.CustomerAccount
        return ok(self._customer)

    def _default_customer(self) -> CustomerRow | None:
        known, currency = self._master.customers, self._checked.market.currency
        buyers = [row for row in known if row.SalesCurrencyCode == currency]
        return next(iter([*buyers, *known]), None)

    async def _read_customer(self, account: str) -> CustomerRow | None:
        if "*" in account:
            return None  # a wildcard to F&O, which would find somebody else
        where = equals("dataAreaId", self._checked.market.legal_entity)
        where &= equals("CustomerAccount", account)
        rows = (await self._checked.erp.top(CustomerRow, where, rows=1)).rows
        return rows[0] if rows else None

    async def _find_skus(self) -> Finding:
        market = self._checked.market
        skus = market.probe_skus or first_skus(self._master.products, self._master.variants)
        self._probe = await find_lines(self._checked.erp, market.legal_entity, skus)
        if self._probe.missing or not self._probe.lines:
            which = _listed(self._probe.missing) or "that can be sold, among the catalog's first"
            return failed(
                f"{market.legal_entity} has no SKU {which}",
                f"Correct {self._checked.key}.probe_skus",
            )
        return ok(_listed([line.ref for line in self._probe.lines]))

    async def _ask(self) -> Finding:
        zone = ZoneInfo(self._checked.environment.time_zone)
        request = PriceRequest(
            company=self._checked.market.legal_entity,
            customer=self._customer,
            currency=self._checked.market.currency,
            day=self._checked.clock.utc().astimezone(zone).date(),
            lines=self._probe.lines,
        )
        size = self._checked.environment.max_lines_per_call
        answer = await ask_prices(self._checked.erp, request, max_lines=size)
        if isinstance(answer, RefusedBatch):
            return self._refusal(answer)
        self._answered = answer
        return ok(f"{len(request.lines)} lines for {self._customer}")

    def _refusal(self, refused: RefusedBatch) -> Finding:
        reasons = "; ".join(refused.error.reasons) or str(refused.error)
        if len(refused.skus) == len(self._probe.lines) > 1:
            return failed(
                f"refused, whatever the line: {reasons}",
                "Read F&O's own message: company, customer, currency or the service's contract",
            )
        return failed(
            f"refused because of {_listed(refused.skus)}: {reasons}",
            f"Mend {_listed(refused.skus)} in F&O; until then its batches are split, and cost more",
        )

    async def _count_answers(self) -> Finding:
        silent = self._answered.silent
        if silent:
            return failed(
                f"no answer for {_listed(silent)}",
                "Mend the price service: it has to answer each line, with a price or an error "
                f"(left out: {_listed(silent)})",
            )
        judged = {sku: self._oddity(line) for sku, line in self._answered.lines.items()}
        odd = [f"{sku} ({why})" for sku, why in {**judged, **self._answered.odd}.items() if why]
        if odd:
            return failed(
                f"nothing to show for {_listed(odd)}",
                "Mend these lines in F&O; a code that is no reason for having no price, and a "
                f"price outside of {self._checked.key}.price_limits, is shown to nobody",
            )
        unpriced = [line for line in self._answered.lines.values() if line.error is not None]
        reasons = sorted({str(line.error) for line in unpriced})
        told = f", {len(unpriced)} without a price ({', '.join(reasons)})" if unpriced else ""
        return ok(f"{len(self._answered.lines)} lines{told}")

    def _oddity(self, line: PriceLine) -> str | None:
        """Return why a line that was read cannot be shown, None where it can be."""
        if line.error is not None:
            return None if line.error in _KNOWN_ERRORS else line.error[:_CODE_SHOWN]
        limits = self._checked.market.price_limits
        is_plausible = PriceLimits(lowest=limits.lowest, highest=limits.highest).admit(
            price=_value(line.unitPrice),
            price_unit=_value(line.priceUnit),
            line_total=_value(line.netAmount),
            quantity=QUANTITY,
        )
        return None if is_plausible else f"costs {line.netAmount}"

    async def _add_up(self) -> Finding:
        priced = {sku: line for sku, line in self._answered.lines.items() if line.error is None}
        if not priced:
            return failed(
                f"{self._customer} has no price for any probe SKU",
                f"Set {self._checked.key}.probe_customer and probe_skus to what is really sold",
            )
        if self._checked.market.tax_included:
            return ok("not compared: the market's prices include tax, net amounts do not")
        step = max(_CENT, self._master.rounding)
        for sku, line in priced.items():
            if not adds_up(line, QUANTITY, step=step):
                return failed(_difference(sku, line), _COMPARE)
        sku, line = next(iter(priced.items()))
        return ok(f"{QUANTITY} x {sku} = {line.netAmount} {line.currency} ({len(priced)} compared)")


_COMPARE = (
    "Price the same line on a sales order in F&O: if it shows the net amount, the price service "
    "leaves out a discount or charge; if not, the service adds up wrongly"
)


def _value(number: NumberText | None) -> Decimal:
    return Decimal(0) if number is None else number.value


def _difference(sku: str, line: PriceLine) -> str:
    sum_ = expected(line, QUANTITY)
    return f"{QUANTITY} x {sku}: net amount {line.netAmount}, price and discounts make {sum_}"


def _listed(skus: list[str] | tuple[str, ...]) -> str:
    shown = ", ".join(skus[:_SKUS_SHOWN])
    return shown if len(skus) <= _SKUS_SHOWN else f"{shown} and {len(skus) - _SKUS_SHOWN} more"

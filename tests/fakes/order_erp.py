"""An ERP's sales orders that fail in every way a network can, and remember what happened.

Each call meets one fault of a plan: refused, lost before or after it was done, done late
although the caller was told nothing, or the caller dies. What must never be is checked at
every change: two released orders of one reference, or one released with a line missing,
twice or of somebody else.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum, auto
from typing import Any

from pricing_proxy.d365.fo.order_models import (
    SalesOrderHeaderBody,
    SalesOrderHeaderRow,
    SalesOrderLineBody,
    SalesOrderLineRow,
    SalesOrderTotalsRow,
)
from pricing_proxy.http_exchange import Guard
from pricing_proxy.money import NumberText
from pricing_proxy.resilience.errors import (
    UpstreamRejectedError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from tests.virtual_time import ManualClock


class Fault(Enum):
    """What happens to one call."""

    NONE = auto()
    THROTTLED = auto()
    LOST_BEFORE = auto()
    """Never arrived; the caller sees a timeout."""
    LOST_AFTER = auto()
    """Done, and the answer lost."""
    LATE = auto()
    """The caller sees a timeout; it is done a minute later."""
    DIES_BEFORE = auto()
    """The caller's process ends before the call arrives."""
    DIES_AFTER = auto()
    """The caller's process ends after the call was done."""
    DIES_LATE = auto()
    """The caller's process ends; the call is done a minute later."""


class ProcessDiedError(BaseException):
    """The process that called is no more."""


# Just in time: who trusts an empty look-up too early, by the time of one call, is found out.
LATE_BY = timedelta(seconds=59, milliseconds=850)
CALL_TIME = timedelta(milliseconds=100)
_CENT = Decimal("0.01")


class FakeOrderErp:
    """A `sync.orders.ports.ErpOrders` for one company.

    Attributes:
        expected: Lines that an order of each reference must have when it is released.
        ever_released: Numbers released so far, by reference.
        header_changes: Laid over each new header, as a changed ERP would.
        line_changes: Laid over each line that is changed, as an ERP with its own prices would.
        refusal: What every write is refused with.
        tax: What it computes for any order; None for what its lines' groups come to.
        rates: Percent by a line's two tax groups; others bear no tax.
        tax_rounding: "line", or "total" for once of each pair of groups.
        spells: How it writes numbers of lines and items, whatever they were sent as.
        row: What headers are read as.
        rivals: For each call, whether another process creates a stopped header just before it.
    """

    def __init__(self, clock: ManualClock, faults: Iterator[Fault]) -> None:
        self.clock = clock
        self.faults = faults
        self.expected: dict[str, set[str]] = {}
        self.headers: dict[str, dict[str, Any]] = {}
        self.order_lines: dict[str, list[dict[str, Any]]] = {}
        self.ever_released: dict[str, set[str]] = {}
        self.header_changes: dict[str, Any] = {}
        self.line_changes: dict[str, Any] = {}
        self.header_values: dict[str, dict[str, Any]] = {}
        self.refusal: UpstreamRejectedError | None = None
        self.tax: Decimal | None = Decimal(0)
        self.rates: Mapping[tuple[str, str], Decimal] = {}
        self.tax_rounding = "total"
        self.spells: Callable[[str], str] = str
        self.row = SalesOrderHeaderRow
        self.rivals: Iterator[bool] = iter(())
        self.calls: Counter[str] = Counter()
        self._late: list[tuple[Any, Callable[[], object]]] = []
        self._last = 0

    async def find(self, company: str, reference: str) -> list[SalesOrderHeaderRow]:
        del company
        await self._fault_of_read("find")
        rows = [row for row in self.headers.values() if row["CustomersOrderReference"] == reference]
        return [_header_row(row, self.row) for row in rows]

    async def find_any(
        self, company: str, references: Collection[str]
    ) -> list[SalesOrderHeaderRow]:
        return [row for each in sorted(references) for row in await self.find(company, each)]

    async def numbered(self, company: str, numbers: Collection[str]) -> list[SalesOrderHeaderRow]:
        del company
        rows = [self.headers[each] for each in sorted(numbers) if each in self.headers]
        return [_header_row(row, self.row) for row in rows]

    async def stopped(self, company: str) -> list[SalesOrderHeaderRow]:
        del company
        await self._fault_of_read("stopped")
        return [
            _header_row(row, self.row)
            for row in self.headers.values()
            if row["IsSalesProcessingStopped"]
        ]

    async def totals(self, company: str, number: str) -> SalesOrderTotalsRow | None:
        await self._fault_of_read("totals")
        zero, tax = NumberText("0"), self._tax_of(number)
        net = sum((line["LineAmount"] for line in self.order_lines[number]), Decimal(0))
        return SalesOrderTotalsRow.model_validate(
            {
                "dataAreaId": company,
                "SalesOrderNumber": number,
                "AreTotalsCalculated": "Yes",
                "OrderTotalAmount": NumberText(str(net + tax)),
                "OrderTotalTaxAmount": NumberText(str(tax)),
                "OrderTotalChargesAmount": zero,
                "OrderTotalDiscountAmount": zero,
            }
        )

    def _tax_of(self, number: str) -> Decimal:
        if self.tax is not None:
            return self.tax
        amounts: dict[Any, Decimal] = {}
        for place, line in enumerate(self.order_lines[number]):
            groups = (line.get("SalesTaxGroupCode", ""), line.get("SalesTaxItemGroupCode", ""))
            key = (groups, place if self.tax_rounding == "line" else 0)
            amounts[key] = amounts.get(key, Decimal(0)) + line["LineAmount"]
        taxes = (amount * self.rates.get(key[0], 0) / 100 for key, amount in amounts.items())
        return sum((tax.quantize(_CENT, ROUND_HALF_UP) for tax in taxes), Decimal(0))

    async def lines(self, company: str, number: str) -> list[SalesOrderLineRow]:
        del company
        await self._fault_of_read("lines")
        return [_line_row(row) for row in self.order_lines.get(number, [])]

    async def create_header(
        self,
        company: str,
        body: SalesOrderHeaderBody,
        *,
        reference: str,
        guard: Guard | None = None,
    ) -> str:
        self._last += 1
        new = f"SO-{self._last:06d}"
        values = {name: value for name, value in body if value is not None}
        self.header_values[reference] = values

        def create() -> None:
            self.headers[new] = {
                **values,
                "dataAreaId": company,
                "SalesOrderNumber": new,
                "CustomersOrderReference": reference,
                "IsSalesProcessingStopped": True,
                "SalesOrderStatus": "Backorder",
                **self.header_changes,
            }
            self.order_lines[new] = []

        await self._write("create_header", create, guard)
        return new

    async def add_line(
        self,
        company: str,
        number: str,
        body: SalesOrderLineBody,
        *,
        guard: Guard | None = None,
    ) -> str:
        def add() -> None:
            # A late line of a deleted order is refused by the ERP.
            if number not in self.headers:
                return
            lines = self.order_lines[number]
            values = {name: value for name, value in body if value is not None}
            quantity = values["OrderedSalesQuantity"] / values["SalesPriceQuantity"]
            amount = (quantity * values["SalesPrice"]).quantize(_CENT, ROUND_HALF_UP)
            lines.append(
                {
                    **values,
                    "ItemNumber": self.spells(values["ItemNumber"]),
                    "OrderLineReference": self.spells(values["OrderLineReference"]),
                    "dataAreaId": company,
                    "SalesOrderNumber": number,
                    "InventoryLotId": f"{number}-{len(lines) + 1}",
                    "LineNumber": len(lines) + 1,
                    "LineAmount": amount,
                    "SalesOrderLineStatus": "Backorder",
                }
            )
            self._check(number)

        await self._write("add_line", add, guard)
        return f"{number}-{len(self.order_lines.get(number, ()))}"

    async def change_line(
        self,
        company: str,
        lot: str,
        changes: Mapping[str, Any],
        *,
        guard: Guard | None = None,
    ) -> None:
        del company

        def change() -> None:
            line = self._line_of(lot)
            if line is not None:
                line.update({**changes, **self.line_changes})
                quantity = line["OrderedSalesQuantity"] / line["SalesPriceQuantity"]
                line["LineAmount"] = (quantity * line["SalesPrice"]).quantize(Decimal("0.01"))

        await self._write("change_line", change, guard)

    async def delete_line(self, company: str, lot: str, *, guard: Guard | None = None) -> None:
        del company

        def delete() -> None:
            line = self._line_of(lot)
            if line is not None:
                self.order_lines[line["SalesOrderNumber"]].remove(line)

        await self._write("delete_line", delete, guard)

    def _line_of(self, lot: str) -> dict[str, Any] | None:
        lines = (line for lines in self.order_lines.values() for line in lines)
        return next((line for line in lines if line["InventoryLotId"] == lot), None)

    async def release(self, company: str, number: str, *, guard: Guard | None = None) -> None:
        del company

        def release() -> None:
            self.headers[number]["IsSalesProcessingStopped"] = False
            reference = self.headers[number]["CustomersOrderReference"]
            self.ever_released.setdefault(reference, set()).add(number)
            self._check(number)

        await self._write("release", release, guard)

    async def stop(self, company: str, number: str, *, guard: Guard | None = None) -> None:
        del company

        def stop() -> None:
            self.headers[number]["IsSalesProcessingStopped"] = True

        await self._write("stop", stop, guard)

    async def delete_header(self, company: str, number: str, *, guard: Guard | None = None) -> None:
        del company
        if number not in self.headers:
            raise UpstreamRejectedError("no such order", system="fo", status=404)

        def delete() -> None:
            header = self.headers.pop(number, None)
            assert header is None or header["IsSalesProcessingStopped"], "a live order was deleted"
            self.order_lines.pop(number, None)

        await self._write("delete_header", delete, guard)

    def let_late_calls_arrive(self) -> None:
        """Do what was sent and is due by now."""
        now = self.clock.utc()
        due = [do for at, do in self._late if at <= now]
        self._late = [(at, do) for at, do in self._late if at > now]
        for do in due:
            do()

    def _begin(self, name: str) -> Fault:
        self.calls[name] += 1
        self.clock.advance(CALL_TIME)
        self.let_late_calls_arrive()
        if next(self.rivals, False):
            for reference in self.expected:
                self.put_header(reference)
        return next(self.faults, Fault.NONE)

    def put_header(self, reference: str, **fields: Any) -> str:
        """Create a stopped, empty header that nobody here knows of."""
        self._last += 1
        number = f"SO-{self._last:06d}"
        self.headers[number] = {
            "dataAreaId": "demf",
            "SalesOrderNumber": number,
            "CustomersOrderReference": reference,
            "IsSalesProcessingStopped": True,
            "SalesOrderStatus": "Backorder",
            "OrderingCustomerAccountNumber": "WEB",
            **self.header_values.get(reference, {}),
            **fields,
        }
        self.order_lines[number] = []
        return number

    async def _fault_of_read(self, name: str) -> None:
        fault = self._begin(name)
        if fault is Fault.THROTTLED:
            raise _throttled()
        if fault in (Fault.DIES_BEFORE, Fault.DIES_AFTER, Fault.DIES_LATE):
            raise ProcessDiedError
        if fault is not Fault.NONE:
            raise UpstreamTimeoutError("no answer in time", system="fo")

    async def _write(self, name: str, do: Callable[[], object], guard: Guard | None) -> None:
        fault = self._begin(name)
        if fault is Fault.DIES_BEFORE:
            raise ProcessDiedError
        if guard is not None:
            await guard()
        if self.refusal is not None:
            raise self.refusal
        if fault is Fault.THROTTLED:
            raise _throttled()
        if fault in (Fault.LATE, Fault.DIES_LATE):
            self._late.append((self.clock.utc() + LATE_BY, do))
        elif fault is not Fault.LOST_BEFORE:
            do()
        if fault in (Fault.DIES_AFTER, Fault.DIES_LATE):
            raise ProcessDiedError
        if fault is Fault.LOST_AFTER:
            raise UpstreamUnavailableError("reset", system="fo", is_connection_failure=True)
        if fault in (Fault.LOST_BEFORE, Fault.LATE):
            raise UpstreamTimeoutError("no answer in time", system="fo")

    def _check(self, number: str) -> None:
        header = self.headers[number]
        if header["IsSalesProcessingStopped"]:
            return
        reference = header["CustomersOrderReference"]
        assert len(self.ever_released[reference]) == 1, "two released orders"
        sold = Counter(line["OrderLineReference"] for line in self.order_lines[number])
        wanted = Counter(self.expected.get(reference, sold.keys()))
        assert sold == wanted, "released with other lines"


def _throttled() -> UpstreamThrottledError:
    return UpstreamThrottledError("slow down", system="fo", retry_after=timedelta(seconds=1))


def _header_row(values: Mapping[str, Any], model: type[SalesOrderHeaderRow]) -> SalesOrderHeaderRow:
    filled = _filled(model.fields(), values, numbers={"TotalDiscountPercentage"})
    return model.model_validate(filled)


def _line_row(values: Mapping[str, Any]) -> SalesOrderLineRow:
    numbers = {
        name
        for name, field in SalesOrderLineRow.model_fields.items()
        if field.annotation is NumberText
    }
    return SalesOrderLineRow.model_validate(
        _filled(SalesOrderLineRow.fields(), values, numbers=numbers)
    )


def _filled(
    names: tuple[str, ...], values: Mapping[str, Any], *, numbers: set[str]
) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name in names:
        value = values.get(name)
        if name in numbers:
            row[name] = NumberText(str(value or 0))
        elif name.startswith("Requested"):
            row[name] = f"{value or '1900-01-01'}T12:00:00Z"
        elif isinstance(value, bool):
            row[name] = "Yes" if value else "No"
        else:
            row[name] = value
    return row

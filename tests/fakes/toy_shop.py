"""A shop with rows of text fields that behaves: it refuses, breaks off, commits and says 400."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from pricing_proxy.resilience.errors import (
    UpstreamConflictError,
    UpstreamError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from sync.engine.flow import Work
from sync.mirror.ports import PlannedRow
from sync.store.mirror_records import HeldRow, MirrorChange, RowEnd, RowKey, RowOutcome, Value

SYSTEM = "magento"


class KilledError(BaseException):
    """The process ended at this call."""


@dataclass
class Mortality:
    """When a process dies: at which of its calls, to whomever they are.

    Attributes:
        deaths: Numbers of calls, counted since the beginning.
        is_dead: Whether it is: whatever it still calls ends alike.
        calls: How many there were.
        is_at_work: Whether calls are counted.
    """

    deaths: frozenset[int] = frozenset()
    is_dead: bool = False
    calls: int = 0
    is_at_work: bool = False

    def tick(self) -> None:
        """Count a call, or a moment after one."""
        if not self.is_at_work:
            return
        self.calls += 1
        self.is_dead = self.is_dead or self.calls in self.deaths
        if self.is_dead:
            raise KilledError


class Fault(Enum):
    """What happens at a call."""

    NONE = "none"
    LOST = "lost after it was committed"
    AWAY = "away"
    BROKE = "broke before anything was written"
    DEADLOCK = "deadlock"
    COMMITTED_400 = "400 after it was committed"


def _rejected(text: str) -> UpstreamRejectedError:
    return UpstreamRejectedError("HTTP status 400", system=SYSTEM, status=400, reasons=(text,))


_MADE: Mapping[Fault, Callable[[], UpstreamError]] = {
    Fault.LOST: lambda: UpstreamTimeoutError("no answer", system=SYSTEM),
    Fault.AWAY: lambda: UpstreamUnavailableError(
        "refused", system=SYSTEM, is_connection_failure=True
    ),
    Fault.BROKE: lambda: UpstreamUnavailableError("HTTP status 500", system=SYSTEM),
    Fault.DEADLOCK: lambda: UpstreamConflictError("a deadlock", system=SYSTEM, status=400),
    Fault.COMMITTED_400: lambda: _rejected("Could not save: No alive nodes found"),
}


def _error(fault: Fault) -> UpstreamError:
    return _MADE[fault]()


_COMMITTED = (Fault.LOST, Fault.COMMITTED_400)


@dataclass
class ToyShop:
    """A `sync.mirror.ports.MirrorWriter` of the shop that it is.

    Attributes:
        rows: What it has.
        bad: Keys whose row it refuses alone, the others of the batch are written.
        poison: Keys for whose sake it refuses a whole batch.
        breaking: Keys at which its code breaks: 500 for the whole batch.
        most: How many rows a batch may have.
        read_faults: What happens at the next reads.
        write_faults: What happens at the next writes.
        log: Each row that was written, with its fields.
        sizes: How many rows each batch had.
        makes: Whether rows that it does not have are made.
        mortality: Of the process that calls.
    """

    rows: dict[RowKey, HeldRow] = field(default_factory=dict)
    bad: set[str] = field(default_factory=set)
    poison: set[str] = field(default_factory=set)
    breaking: set[str] = field(default_factory=set)
    most: int = 1000
    read_faults: list[Fault] = field(default_factory=list)
    write_faults: list[Fault] = field(default_factory=list)
    log: list[tuple[RowKey, dict[str, Value]]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    makes: bool = True
    mortality: Mortality = field(default_factory=Mortality)
    _ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1000))

    def put(self, row: RowKey, **values: Value) -> None:
        """Add or change a row by hand."""
        known = self.rows.get(row)
        shop_id = str(next(self._ids)) if known is None else known.shop_id
        before = {} if known is None else known.values
        self.rows[row] = HeldRow(shop_id=shop_id, values={**before, **values})

    def make_anew(self, row: RowKey) -> None:
        """Delete a row and make it again, under another id."""
        values = self.rows.pop(row).values
        self.put(row, **values)

    async def read(self, rows: Sequence[MirrorChange]) -> Mapping[RowKey, HeldRow]:
        self.mortality.tick()
        fault = self.read_faults.pop(0) if self.read_faults else Fault.NONE
        if fault in (Fault.LOST, Fault.AWAY):
            raise _error(fault)
        return {each.row: self.rows[each.row] for each in rows if each.row in self.rows}

    async def write(self, batch: Sequence[PlannedRow], work: Work) -> Sequence[RowOutcome]:
        call = work.call(SYSTEM, "write rows", {"rows": len(batch)})
        await call.sent()
        self.mortality.tick()
        fault = self.write_faults.pop(0) if self.write_faults else Fault.NONE
        self.sizes.append(len(batch))
        if fault is not Fault.NONE and fault not in _COMMITTED:
            raise _error(fault)
        if (refusal := self._refusal(batch)) is not None:
            raise refusal
        outcomes = [self._write(each) for each in batch]
        self.mortality.tick()
        if fault in _COMMITTED:
            raise _error(fault)
        await call.acked(200, {})
        return outcomes

    def _refusal(self, batch: Sequence[PlannedRow]) -> UpstreamError | None:
        keys = {each.change.key for each in batch}
        if len(batch) > self.most:
            return _rejected(f'Maximum items of type "rows" is {self.most}')
        if keys & self.poison:
            return _rejected("No such entity with sku")
        if keys & self.breaking:
            return UpstreamUnavailableError("HTTP status 500", system=SYSTEM)
        return None

    def _write(self, row: PlannedRow) -> RowOutcome:
        change = row.change
        known = self.rows.get(change.row)
        end, text = RowEnd.WRITTEN, ""
        if change.key in self.bad:
            end, text = RowEnd.REFUSED, "a name is required"
        elif known is None and not self.makes:
            end, text = RowEnd.MISSING, "no such product"
        else:
            self.put(change.row, **row.values)
            self.log.append((change.row, dict(row.values)))
        held = self.rows.get(change.row)
        return RowOutcome(
            scope=change.scope,
            key=change.key,
            end=end,
            values=row.values if end is RowEnd.WRITTEN else {},
            shop_id=None if held is None else held.shop_id,
            field="name" if text else "",
            text=text,
            advice="correct it" if text else "",
        )

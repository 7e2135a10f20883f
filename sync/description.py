"""What a flow says of itself.

A flow is a folder and a line in `sync.flows`. Settings, timetable, check, contracts, intake,
alerts, the story of an order and the workers read what stands there, and name no flow.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from pydantic import BaseModel

from pricing_proxy.configuration.mistakes import Mistake
from pricing_proxy.d365.fo.documents import DocumentCalls
from pricing_proxy.d365.fo.models import Row
from pricing_proxy.d365.fo.schema_contract import EntityContract
from pricing_proxy.diagnosis.board import Finding
from pricing_proxy.diagnosis.steps import Advice
from sync.engine.flow import Flow
from sync.engine.schedules import Schedule
from sync.erp_events import ErpEvent
from sync.given import ConfiguredMarket, Given
from sync.magento.order_models import Order
from sync.magento.resources import Resource
from sync.magento.shop import Shop
from sync.mirror.ports import Mirror
from sync.reconciliation.healing import Reconciled
from sync.store.records import EventRecord

EXPECTED_AND_FOUND = ("expected", "found")

T = TypeVar("T")
R = TypeVar("R", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRow(Generic[T]):
    """A row of `d365-sync check` that a flow has beside its sets and resources.

    Attributes:
        name: Its name.
        look: Asks the system and judges; writes nothing.
        advice: What to do when the system does not answer it.
        needs: Rows of the same table without which it says nothing.
    """

    name: str
    look: Callable[[T], Awaitable[Finding]]
    advice: Advice
    needs: Sequence[str] = ()


class OfOrder(NamedTuple):
    """Documents that belong to an order of the shop.

    Attributes:
        what: What they are to the order, such as "its credit memos".
        ids: Finds the shop's ids of those that an order has.
    """

    what: str
    ids: Callable[[Shop, int], Awaitable[Sequence[int]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CameBack:
    """One thing that a flow brought into the shop for an order, as the shop has it now.

    Attributes:
        what: Which kind of thing, such as "shipment".
        name: What people call it; empty where it has no name.
        at: Since when it is there; None where the shop does not say.
        text: What is in it; no customer data.
    """

    what: str
    name: str
    at: datetime | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A flow that is ready to run.

    Attributes:
        flow: Carries events.
        schedules: What enters them, and what else it does by the clock.
        hint: Looks up what the shop told of, by the shop's id of it.
        erp_hint: Looks up, or has looked up soon, what a business event of the ERP told of.
    """

    flow: Flow
    schedules: Sequence[Schedule]
    hint: Callable[[int], Awaitable[object]] | None = None
    erp_hint: Callable[[ErpEvent], Awaitable[object]] | None = None


def _nothing(*_: object) -> Iterator[Any]:
    yield from ()


def _no_comparisons(_: Given) -> Sequence[Reconciled]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Description(Generic[R]):
    """One flow.

    Attributes:
        name: In the plural; what settings and commands call it.
        goes_to: Where its documents go.
        rules: What a market's section says about it, under its name.
        build: Makes it ready to run.
        mapping_version: Raised when the same document would become another one.
        is_usual: Whether it runs for markets that do not say which flows do.
        is_promised: Whether an event that is not ended after `alerts.late_after_seconds` is an
            alert.
        hints: What the shop tells that concerns it, such as "order.placed".
        erp_hints: Which business events of the ERP concern it, by a market's rules: most names are
            given by whoever sets them up there.
        contracts: The ERP's sets that it reads and writes, as the rules make them.
        reads: The ERP's master data that it reads.
        relies_on: Flows whose sets it uses too.
        resources: What of the shop it reads.
        erp_rows: What else `check` asks a market's ERP.
        shop_rows: What else it asks the shop, given the markets that have the flow on.
        mistakes: Finds what no single key shows, in the file as it was written, for a market.
        of_order: Its documents that belong to an order.
        came_back: Returns what it brought into the shop for an order.
        sides: What the two sides of a difference are called.
        mirrors: Returns its mirrors, where it is a mirror flow.
        is_undoable: Whether one of its runs may be taken back.
        rotation: How often it reads everything, by a market's rules, where that is not what the
            configuration says for all mirrors.
        reconciles: Returns what compares the two systems in what it carries, and mends it.
        bad_edit: Says why a payload that a person wrote would not do what it says; empty where it
            would.
    """

    name: str
    goes_to: Literal["the ERP", "the shop"]
    rules: type[R]
    build: Callable[[Given], Built]
    mapping_version: int
    is_usual: bool = False
    is_promised: bool = False
    hints: Sequence[str] = ()
    erp_hints: Callable[[R], Iterable[str]] = _nothing
    contracts: Callable[[R], Iterable[EntityContract]] = _nothing
    reads: Sequence[type[Row]] = ()
    relies_on: Sequence[str] = ()
    resources: Sequence[Resource] = ()
    erp_rows: Callable[[ConfiguredMarket], Iterable[CheckRow[DocumentCalls]]] = _nothing
    shop_rows: Callable[[Mapping[str, ConfiguredMarket]], Iterable[CheckRow[Shop]]] = _nothing
    mistakes: Callable[[Mapping[str, Any], str], Iterable[Mistake]] = _nothing
    of_order: OfOrder | None = None
    came_back: Callable[[Shop, Order], Awaitable[Sequence[CameBack]]] | None = None
    sides: tuple[str, str] = EXPECTED_AND_FOUND
    mirrors: Callable[[Given], Sequence[Mirror]] | None = None
    is_undoable: bool = True
    rotation: Callable[[R], timedelta] | None = None
    reconciles: Callable[[Given], Sequence[Reconciled]] = _no_comparisons
    bad_edit: Callable[[EventRecord, Mapping[str, Any]], str] = lambda *_: ""


def erp_advice(what: str) -> Advice:
    """Return what to do when the ERP does not answer for a set."""
    return Advice(
        what=what,
        when_missing=f"Make {what} public in F&O",
        who="the user of the sync's app in F&O",
    )

"""The command `export-return`: one credit memo of the shop, whatever its age."""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import typer

from pricing_proxy.clock import SystemClock
from pricing_proxy.command_line import Config, fail, output
from sync.console.running import By, carry_out, operator, settings_of
from sync.magento.credit_memo_models import CreditMemo
from sync.returns.building import return_source
from sync.returns.rules import FLOW
from sync.returns.source import REFUNDED
from sync.serve.building import given_of
from sync.serve.stores import stores
from sync.serve.systems import systems
from sync.settings import SyncSettings
from sync.store.records import EventRecord
from sync.store.states import EventState

_EXPORTED = "export-return"

Number = Annotated[str, typer.Argument(help="The credit memo's number, as 100000012.")]
Store = Annotated[
    int | None, typer.Option("--store", help="The store view, where several have the number.")
]
EntityId = Annotated[
    int | None, typer.Option("--entity-id", help="The shop's internal id of the credit memo.")
]


class _Entered(NamedTuple):
    """What was found, and what came of it.

    Attributes:
        memos: Those meant; one, where it is clear which.
        event: The event of the one; None where there is none, or only a plan was asked for.
        is_new: Whether it was entered just now.
    """

    memos: Sequence[CreditMemo]
    event: EventRecord | None = None
    is_new: bool = False


def export_return_command(
    number: Number,
    *,
    store: Store = None,
    entity_id: EntityId = None,
    plan: Annotated[bool, typer.Option("--plan", help="Tell what would be done, only.")] = False,
    config: Config = None,
    by: By = None,
) -> None:
    """Send one credit memo as a return, also one from before the first start.

    Its order has to be in the ERP: one from before `orders.start_at` goes first, by
    `d365-sync export ORDER`. One that was skipped because of that is entered once more.
    """
    settings = settings_of(config)
    work = _export(settings, number, store, entity_id, is_plan=plan, by=operator(by))
    memos, event, is_new = carry_out(work)
    if not memos:
        fail(
            f"The shop has no refunded credit memo {number} in a store view of any market with "
            "returns on; see sync.markets.*.store_ids and .flows",
        )
    if len(memos) > 1:
        names = ", ".join(f"#{memo.entity_id} of store view {memo.store_id}" for memo in memos)
        fail(f"Several have this number: {names}. Say which with --store or --entity-id.")
    [memo] = memos
    name = f"Credit memo {number} (#{memo.entity_id})"
    if event is None:
        output().print(f"{name} of order #{memo.order_id} would be put in line.")
    elif is_new:
        output().print(f"{name} is in line as event {event.id}.")
        output().print(f"Follow it with: d365-sync show {event.id}")
    else:
        fail(
            f"{name} was entered before: event {event.id} is {event.state}. "
            f"See it with: d365-sync show {event.id}"
        )


async def _export(
    settings: SyncSettings,
    number: str,
    store: int | None,
    entity_id: int | None,
    *,
    is_plan: bool,
    by: str,
) -> _Entered:
    clock = SystemClock()
    async with stores(settings) as opened, systems(settings, clock=clock) as ways:
        given = given_of(settings, opened, ways, clock=clock)
        known = given.market_of_store(FLOW)
        found = [
            await ways.shop.credit_memos.credit_memo(each.entity_id)
            for each in await ways.shop.credit_memos.credit_memos_numbered([number])
            if each.store_id in known and each.increment_id == number
            if store in (None, each.store_id) and entity_id in (None, each.entity_id)
        ]
        memos = [memo for memo in found if memo is not None and memo.state == REFUNDED]
        if len(memos) != 1:
            return _Entered(memos)
        document = str(memos[0].entity_id)
        events = await opened.overview.by_document(FLOW, document)
        before = max(events, key=lambda event: event.id, default=None)
        if before is not None and before.state is not EventState.SKIPPED:
            return _Entered(memos, before)
        if is_plan:
            return _Entered(memos)
        again = "" if before is None else f"after/{before.id}"
        is_new = await return_source(given).export(memos[0], what=again)
        if is_new:
            subject = f"credit memo {number} (#{document})"
            await opened.audit.note(by=by, action=_EXPORTED, subject=subject, after={})
        events = await opened.overview.by_document(FLOW, document)
        return _Entered(memos, max(events, key=lambda event: event.id), is_new)

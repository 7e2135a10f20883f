"""Commands that change something, each audited: `replay`, `skip`, `pause`, `resume`, `limit`."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

import typer

from pricing_proxy.command_line import Config, fail, output
from sync.console.asking import Yes, agreed
from sync.console.running import By, carry_out, operator, settings_of, with_stores
from sync.console.tables import held_table
from sync.console.words import counted
from sync.flows import NAMES
from sync.serve.stores import Stores, stores
from sync.settings import SyncSettings
from sync.store.flow_control import EVERY_MARKET
from sync.store.interventions import InterventionError
from sync.store.records import Alike

EventId = Annotated[int, typer.Argument(help="Its number, as in `failed`.")]
Flow = Annotated[str, typer.Argument(help=f"One of: {', '.join(NAMES)}.")]
Market = Annotated[str | None, typer.Option(help="Only this market; all of them when left out.")]


def replay_command(
    *,
    event: Annotated[
        int | None, typer.Argument(help="Its number, as in `failed`.", show_default=False)
    ] = None,
    all_held: Annotated[bool, typer.Option("--all-held", help="Every held event.")] = False,
    alike: Annotated[
        bool,
        typer.Option("--alike", help="Also all others with which the same is wrong."),
    ] = False,
    field: Annotated[
        str | None, typer.Option(help="With --all-held: only those held at this field.")
    ] = None,
    yes: Yes = False,
    config: Config = None,
    by: By = None,
) -> None:
    """Carry an event again, from its start, once the cause of its failure is gone.

    Nothing is written twice: what was sent before is looked up in the ERP first. Events
    that are blocked behind it go on by themselves. With --all-held it says how many are held at
    what, and asks.
    """
    if (event is None) is not all_held:
        fail("Name an event, or say --all-held; see them with: d365-sync failed")
    if event is None:
        held = _ask(config, field, yes=yes)
        replay = partial(_replay_each, events=held, by=operator(by))
    elif alike:
        replay = partial(_replay_like, event=event, by=operator(by))
    else:
        chosen = event
        with_stores(config, lambda opened: opened.interventions.replay(chosen, by=operator(by)))
        output().print(f"Event {event} is in line again. Follow it with: d365-sync show {event}")
        return
    replayed, refused = with_stores(config, replay)
    output().print(f"{counted(replayed, 'event')} in line again.")
    if refused:
        fail("\n".join(refused))


def skip_command(
    event: EventId,
    *,
    reason: Annotated[str, typer.Option(help="Why; it is kept with the event.")],
    config: Config = None,
    by: By = None,
) -> None:
    """End an event without carrying it, for good; what waits behind it goes on."""
    if not reason.strip():
        fail("--reason must say why: it is all that will be known of this event")
    with_stores(
        config, lambda opened: opened.interventions.skip(event, reason=reason, by=operator(by))
    )
    output().print(f"Event {event} is skipped.")


def pause_command(
    flow: Flow,
    *,
    market: Market = None,
    reason: Annotated[str, typer.Option(help="Why, for whoever looks at `status`.")] = "",
    config: Config = None,
    by: By = None,
) -> None:
    """Pause a flow: within two seconds no worker takes a new event; those under way finish."""
    settings = settings_of(config)
    _check(settings, flow, market)
    carry_out(_set_paused(settings, flow, market, reason, is_paused=True, by=operator(by)))
    output().print(f"{_named(flow, market)} paused. Go on with: {_resume(flow, market)}")


def resume_command(
    flow: Flow, *, market: Market = None, config: Config = None, by: By = None
) -> None:
    """Let a paused flow go on; without --market, in all markets."""
    settings = settings_of(config)
    _check(settings, flow, market)
    still = carry_out(_set_paused(settings, flow, market, "", is_paused=False, by=operator(by)))
    if still:
        fail(f"{flow} is paused in all markets; go on with: d365-sync resume {flow}")
    output().print(f"{_named(flow, market)} goes on.")


def limit_command(
    flow: Flow,
    *,
    at_once: Annotated[
        int | None, typer.Option(min=1, help="How many events at once.", show_default=False)
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="End the limit.")] = False,
    market: Market = None,
    config: Config = None,
    by: By = None,
) -> None:
    """Limit how many events of a flow each process carries at once, within two seconds.

    For a shop or an ERP that has to be spared for a while. Without --market, in each market.
    """
    if (at_once is None) is not none:
        fail("Name --at-once NUMBER, or --none to end the limit")
    settings = settings_of(config)
    _check(settings, flow, market)
    place = market or EVERY_MARKET
    with_stores(
        config,
        lambda opened: opened.control.set_limit(
            flow, market=place, at_once=at_once, by=operator(by)
        ),
    )
    what = "has no limit any more" if at_once is None else f"carries at most {at_once} at once"
    output().print(f"{_named(flow, market)} {what}.")


def _ask(config: Config, field: str | None, *, yes: bool) -> list[int]:
    """Show what is held, and ask whether to replay it; return the events that were shown."""

    async def read(opened: Stores) -> tuple[list[Alike], list[int]]:
        crowds = await opened.overview.held(named=1)
        return crowds, await opened.overview.held_ids(field=field)

    crowds, held = with_stores(config, read)
    if held:
        output().print(held_table([each for each in crowds if field in (None, _field(each))]))
        question = f"Carry {counted(len(held), 'held event')} again?"
        agreed(question, yes=yes, instead="see each with: d365-sync failed")
    return held


def _field(crowd: Alike) -> str:
    trouble = crowd.first[0].trouble
    return "" if trouble is None else trouble.field


async def _replay_like(opened: Stores, event: int, *, by: str) -> tuple[int, list[str]]:
    """Replay what is held like an event, and it; see `_replay_each`."""
    return await _replay_each(opened, await opened.overview.held_like(event) or [event], by=by)


async def _replay_each(opened: Stores, events: Sequence[int], *, by: str) -> tuple[int, list[str]]:
    """Replay events; return how many, and why others not."""
    refused: list[str] = []
    for event_id in events:
        try:
            await opened.interventions.replay(event_id, by=by)
        except InterventionError as error:
            refused.append(str(error))
    return len(events) - len(refused), refused


async def _set_paused(
    settings: SyncSettings, flow: str, market: str | None, reason: str, *, is_paused: bool, by: str
) -> bool:
    """Pause or resume; return whether the flow is still paused in all markets."""
    async with stores(settings) as opened:
        place = market or EVERY_MARKET
        await opened.control.set_paused(
            flow, market=place, is_paused=is_paused, reason=reason, by=by
        )
        pauses = await opened.control.pauses()
    everywhere = any(each.flow == flow and each.market == EVERY_MARKET for each in pauses)
    return everywhere and not is_paused


def _check(settings: SyncSettings, flow: str, market: str | None) -> None:
    if flow not in NAMES:
        fail(f"There is no flow {flow}; there are {', '.join(NAMES)}")
    if market is not None and market not in settings.sync.markets:
        known = ", ".join(sorted(settings.sync.markets))
        fail(f"There is no market {market}; there are {known}")


def _named(flow: str, market: str | None) -> str:
    return flow if market is None else f"{flow} of {market}"


def _resume(flow: str, market: str | None) -> str:
    return f"d365-sync resume {flow}" + ("" if market is None else f" --market {market}")

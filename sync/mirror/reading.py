"""Read the ERP for a mirror, and plan what it then writes.

    full       everything, by the clock; the first time it compares the shop and writes nothing
    change     the keys that somebody wants read
    by hand    either, for a person: may be a mere look, or be forced
    planned    some keys, for an event that writes them alone

A read of everything that was killed is taken up where it was. One that the ERP broke off is tried
again from there, and given up when it gets no further; one by hand ends at once with its reason.
One of everything that brought too little plans nothing (`whole_reads`).
"""

from collections.abc import Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from pricing_proxy.clock import Clock
from sync.mirror.absence import Absence
from sync.mirror.ports import Mirror
from sync.mirror.read_life import failing, kept
from sync.mirror.whole_reads import WholeReads
from sync.store.interventions import InterventionError, Interventions
from sync.store.lines import Urgency
from sync.store.mirror_held import HeldNews
from sync.store.mirror_judging import PlanRules
from sync.store.mirror_plans import MirrorPlans
from sync.store.mirror_records import HeldAlone, MirrorRun, RunState, RunTrigger
from sync.store.mirror_run_record import HeldKey, RunDecisionError
from sync.store.mirror_staging import StagedWindow

# Whoever reads says so several times within; one of everything by the clock may meet a long outage.
_IDLE, _WHOLE_IDLE = timedelta(minutes=2), timedelta(hours=6)
_AT_ONCE = 2000
_BY = "a newer read"
_MOVED = "the ERP says something new of what the shop refused"
Told = Callable[[MirrorRun], None]


class Entering(Protocol):
    """Where a plan becomes events: `sync.mirror.chunk_events`."""

    async def enter_first(self, run: int, mirror: Mirror, urgency: Urgency) -> None:
        """Enter a chunk of a run that has none in line."""
        ...

    async def hold(self, mirror: Mirror, rows: Sequence[HeldAlone]) -> None:
        """Hold keys of which no row can be made."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Planning:
    """What became of a read of some keys.

    Attributes:
        run: Its run; None where nothing may be planned yet.
        odd: What is held of it.
    """

    run: MirrorRun | None
    odd: Sequence[HeldKey]


class MirrorReads:
    """Reads for one mirror.

    Args:
        mirror: Whose.
        plans: What is kept of runs.
        entering: Where what is to be written becomes events.
        interventions: Puts held events back in line.
        clock: Time.
    """

    def __init__(
        self,
        mirror: Mirror,
        plans: MirrorPlans,
        *,
        entering: Entering,
        interventions: Interventions,
        clock: Clock,
    ) -> None:
        self._mirror = mirror
        self._place = (mirror.flow, mirror.market)
        self._plans = plans
        self._entering = entering
        self._interventions = interventions
        self._whole = WholeReads(mirror, plans.runs)
        self._absence = Absence(mirror, plans.staging, clock=clock)

    async def full(self) -> None:
        """Read everything, or go on with it; raises `UpstreamError`, `RunLostError`."""
        await self._tidy()
        run = await self._plans.runs.take_up(*self._place)
        if run is None and await self._first_look_in_writing():
            return
        if run is None:
            run = await self._begin(RunTrigger.FULL)
        elif not await self._plans.staging.is_whole(run):
            await self._plans.runs.read_anew(run)
            run = replace(run, state=RunState.READING, read_after="", rows_read=0, counts={})
        await self._finish(run, None)

    async def change(self) -> None:
        """Read the keys that are wanted by now; raises `UpstreamError`, `RunLostError`."""
        await self._tidy()
        if await self._is_to_adopt():
            return
        if keys := await self._plans.wanted.due(*self._place, most=_AT_ONCE):
            await self._finish(await self._begin(RunTrigger.CHANGE), keys)

    async def by_hand(
        self,
        *,
        by: str,
        keys: Sequence[str] | None = None,
        is_forced: bool = False,
        only_looks: bool = False,
        told: Told = lambda _: None,
    ) -> MirrorRun:
        """Read everything or some keys for a person, and return the run as it was planned.

        Args:
            by: Who asked for it.
            keys: As the ERP writes them; None for everything.
            is_forced: Whether what is as it should be is written too, and few rows are believed.
            only_looks: Whether nothing is written unless the run is approved.
            told: Told how far it is.

        Raises:
            UpstreamError: The ERP does not answer; nothing is planned.
            RunDecisionError: What was decided of the first look at the shop is being written.
        """
        if keys is None and (told_of := await self._first_look_in_writing()):
            raise RunDecisionError(told_of)
        trigger = RunTrigger.PLAN if only_looks else RunTrigger.BY_HAND
        run = await self._begin(trigger, by=by, is_forced=is_forced, is_whole=keys is None)
        await self._finish(run, keys, told=told)
        return await self._plans.runs.get(run.id) or run

    async def planned(self, keys: Sequence[str], *, by: str) -> Planning:
        """Read some keys and plan them, for who writes them alone; raises `UpstreamError`."""
        run = await self._begin(RunTrigger.BY_HAND, by=by, is_whole=False)
        is_early = await self._is_to_adopt()
        async with failing(self._plans.runs, run, keys), kept(self._plans.runs, run):
            run = await self._read(run, keys)
            if is_early:
                odd = await self._plans.staging.odd(run)
                await self._plans.runs.fail(run, "the shop is not adopted yet: nothing is planned")
                return Planning(run=None, odd=odd)
            await self._absence.confirm(run, keys)
        await self._plans.planning.plan(run, await self._rules(), keys=keys, is_alone=True)
        odd = await self._plans.staging.odd(run)
        await self._plans.staging.drop(run.id)
        if odd:
            # Hundreds of keys may be held for one entry of the mapping: their event tells of each.
            await self._plans.runs.forget_empty(run.id)
        return Planning(run=await self._plans.runs.get(run.id), odd=odd)

    async def _begin(
        self,
        trigger: RunTrigger,
        *,
        by: str = "",
        is_forced: bool = False,
        is_whole: bool = True,
    ) -> MirrorRun:
        mirror = self._mirror
        is_whole = is_whole and trigger is not RunTrigger.CHANGE
        if is_whole and await self._is_to_adopt():
            trigger = RunTrigger.ADOPT
        return await self._plans.runs.begin(
            flow=mirror.flow,
            market=mirror.market,
            shop=mirror.shop,
            trigger=trigger,
            is_forced=is_forced,
            expected=await self._whole.expected() if is_whole else None,
            by=by,
        )

    async def _finish(
        self, run: MirrorRun, keys: Sequence[str] | None, *, told: Told = lambda _: None
    ) -> None:
        """Do all that is left of a run, and have what it plans written."""
        async with failing(self._plans.runs, run, keys):
            async with kept(self._plans.runs, run):
                run = await self._read(run, keys, told=told)
                if keys is None and (few := await self._whole.too_few(run)):
                    await self._plans.runs.fail(run, few)
                    return
                if run.trigger is RunTrigger.ADOPT:
                    await self._adopt(run)
                else:
                    await self._absence.confirm(run, keys)
            if run.trigger is not RunTrigger.ADOPT:
                news = await self._plans.planning.plan(run, await self._rules(), keys=keys)
                await self._follow(run, news)
        await self._enter(run.id)

    async def _read(
        self, run: MirrorRun, keys: Sequence[str] | None, *, told: Told = lambda _: None
    ) -> MirrorRun:
        if run.state is not RunState.READING:
            return run
        pages = self._mirror.reader.pages(keys=keys, after=run.read_after)
        async with aclosing(pages) as reading:
            async for page in reading:
                window = StagedWindow(page.began_at, page.ended_at)
                count = await self._plans.staging.copy(
                    run, page.rows, page.odd, read=window, after=page.after
                )
                run = replace(run, rows_read=run.rows_read + count, read_after=page.after)
                told(run)
        await self._plans.runs.has_read(run)
        return replace(run, state=RunState.PLANNING)

    async def _adopt(self, run: MirrorRun) -> None:
        """Compare the shop, slice by slice."""
        if "left" not in run.counts:
            await self._plans.adoption.begin(run)
        while rows := await self._plans.adoption.next(run, self._mirror.chunk_rows):
            held = await self._mirror.writer.read(rows)
            absent = self._mirror.absent or {}
            await self._plans.adoption.keep(run, rows, held, absent=absent)
        if other := await self._first_look_in_writing():
            await self._plans.runs.fail(run, other)
        else:
            await self._plans.adoption.end(run)

    async def _first_look_in_writing(self) -> str:
        return await self._plans.runs.first_look_in_writing(*self._place)

    async def _is_to_adopt(self) -> bool:
        return self._mirror.adopts and not await self._plans.runs.is_adopted(*self._place)

    async def _tidy(self) -> None:
        """Do what a process has left undone that was killed."""
        await self._plans.runs.abandon(*self._place, idle=_IDLE, whole=_WHOLE_IDLE)
        left = [run.id for run in await self._plans.runs.writing(*self._place)]
        for run in dict.fromkeys([*left, *await self._plans.staging.left(*self._place)]):
            await self._enter(run)

    async def _enter(self, run_id: int) -> None:
        run = await self._plans.runs.get(run_id)
        if run is None:
            return
        odd = await self._plans.staging.newly_odd(run)
        held = [each.alone for each in odd]
        if held and run.trigger is not RunTrigger.PLAN:
            await self._entering.hold(self._mirror, held)
        await self._plans.staging.drop(run.id)
        if run.state is RunState.WRITING:
            is_soon = run.trigger is RunTrigger.CHANGE
            urgency = Urgency.FRESH if is_soon else Urgency.BACKLOG
            await self._entering.enter_first(run.id, self._mirror, urgency)

    async def _follow(self, run: MirrorRun, news: HeldNews) -> None:
        """Do with held events what a read says of their keys."""
        for event_id in news.back:
            # It may have been replayed or skipped by a person meanwhile.
            with suppress(InterventionError):
                await self._interventions.replay(event_id, by=_BY)
        for event_id in news.over:
            with suppress(InterventionError):
                reason = f"run {run.id} has read it, and nothing is wrong with it any more"
                await self._interventions.skip(event_id, reason=reason, by=_BY)
        for key, due_at in news.later:
            await self._plans.wanted.want(
                *self._place, [key], is_forced=False, reason=_MOVED, due_at=due_at
            )

    async def _rules(self) -> PlanRules:
        mirror = self._mirror
        return PlanRules(
            scopes=mirror.scopes,
            risks=mirror.risks,
            limits=mirror.limits,
            beside=await mirror.beside(),
        )

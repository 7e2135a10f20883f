"""What is wrong right now, out of what the store knows: pure.

events held at the same field for the same reason    one condition
events done with a difference to be told of          one for each flow, market and field
events not carried over after a while                one for each flow and market
a schedule that has not succeeded for three periods  one each: silence is a failure
a system for whose sake events and schedules wait    one for each system, whatever waits
a database that fails                                one for each process
a field that another system does not keep            one for each field and market
orders that are watched too rarely                   one for each market
rows that cannot be read                             one for each flow and member at fault
documents written over and over                      one for each flow, market and write
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence, Sized
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter

from sync.store.odd_row_record import OddRecord
from sync.store.records import Alike, Trouble
from sync.store.rewrites import Rewritten
from sync.store.watched_order_record import WatchState
from sync.store.wish_record import Unsettled

# One missed period may be a restart, two bad luck.
_SILENT_PERIODS = 3
# As long as between two looks at an old order: then those of now are looked at as rarely.
_FAR_BEHIND = timedelta(minutes=30)
MOST_NAMED = 5
"""More names make a message unreadable; all are in `d365-sync failed`."""
CAUTIONED_FOR = timedelta(days=1)
"""A difference that was sent does not end by itself: whom a day does not tell, nothing will."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One thing that is wrong.

    Attributes:
        key: The same while it lasts, whoever is affected.
        title: In one line.
        text: Who is affected, and what to do.
        count: How many are affected.
    """

    key: str
    title: str
    text: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleState:
    """When a schedule last succeeded, how often it should, and what it fails of if known."""

    name: str
    every: timedelta
    last_success_at: datetime
    failure: "Lost | None" = None

    def is_silent(self, now: datetime) -> bool:
        """Return whether it has been so for too long."""
        return now - self.last_success_at > _SILENT_PERIODS * self.every


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A system that takes nothing.

    Attributes:
        system: Which one.
        text: What it said.
        advice: What to do.
        events: How many have tried in vain.
    """

    system: str
    text: str
    advice: str
    events: int = 0


def held(crowds: Iterable[Alike]) -> list[Condition]:
    """Return a condition for each reason why events are held."""
    return sorted((_held(crowd) for crowd in crowds), key=attrgetter("key"))


def cautioned(crowds: Iterable[Alike]) -> list[Condition]:
    """Return a condition for each kind of difference with which events were done of late."""
    return [_cautioned(crowd) for crowd in crowds if crowd.first[0].trouble is not None]


def late(crowds: Iterable[Alike], *, after: timedelta, place: str) -> list[Condition]:
    """Return a condition for each flow and market with events that take too long.

    Args:
        crowds: Events older than `after` that are neither ended nor stuck: what is stuck has a
            condition of its own, or is behind one that has.
        after: For the text.
        place: Where they are not yet, for the text.
    """
    minutes = after / timedelta(minutes=1)
    return [
        Condition(
            key=f"late/{crowd.first[0].flow}/{crowd.first[0].market}",
            title=f"{_counted(crowd, crowd.first[0].flow)} of {crowd.first[0].market} not in "
            f"{place} after {minutes:g} minutes",
            text=f"{_names(crowd)}. See what they wait for: d365-sync status",
            count=len(crowd),
        )
        for crowd in crowds
    ]


def silent(schedules: Iterable[ScheduleState], *, now: datetime) -> list[Condition]:
    """Return a condition for each schedule that has been silent for too long."""
    return [
        Condition(
            key=f"silent/{schedule.name}",
            title=f"{schedule.name} has not succeeded since {_instant(schedule.last_success_at)}",
            text=(
                f"It should every {schedule.every.total_seconds():.0f} s. See the log of "
                "d365-sync run, and what is reachable: d365-sync check"
            ),
            count=1,
        )
        for schedule in schedules
        if schedule.is_silent(now) and schedule.failure is None
    ]


def lost(
    systems: Iterable[Lost], schedules: Iterable[ScheduleState], *, now: datetime
) -> list[Condition]:
    """Return a condition for each system that takes nothing, whoever waits for it.

    Args:
        systems: Those for whose sake events wait.
        schedules: Each with what it fails of, where that is known.
        now: The time.
    """
    found = {each.system: each for each in systems}
    names: dict[str, list[str]] = defaultdict(list)
    for schedule in schedules:
        if schedule.failure is not None and schedule.is_silent(now):
            found.setdefault(schedule.failure.system, schedule.failure)
            names[schedule.failure.system].append(schedule.name)
    return [_lost(each, names[system]) for system, each in sorted(found.items())]


def failing_database(words: str) -> Condition:
    """Return the condition of a database that fails."""
    return Condition(
        key="lost/postgresql",
        title="PostgreSQL fails, and the sync waits",
        text=f"It says: {words}. Nothing is lost, and what was under way comes again by itself",
        count=1,
    )


def unsettled(fields: Iterable[Unsettled]) -> list[Condition]:
    """Return a condition for each field that does not become what it should."""
    return [
        Condition(
            key=f"unsettled/{each.market}/{each.system}/{each.field}",
            title=f"{each.system}: {each.field} {each.text} ({each.market})",
            text=f"{_documents(each)}. What to do: {each.advice}",
            count=each.documents,
        )
        for each in fields
    ]


def odd(rows: Iterable[OddRecord]) -> list[Condition]:
    """Return a condition for each member for which rows cannot be read."""
    groups: dict[tuple[str, str], list[OddRecord]] = defaultdict(list)
    for one in rows:
        groups[one.source, one.member].append(one)
    return [
        Condition(
            key=f"odd/{source}/{member}",
            title=f"{_counted(group, source)} cannot be read" + (f": {member}" if member else ""),
            text=(
                f"{_named([one.name for one in group])}: {group[0].text}. All others go on. What "
                "to do: mend it where it stands, which is noticed within the hour; or, where it "
                f"stays so: d365-sync set-aside {source} {group[0].row_id}"
            ),
            count=len(group),
        )
        for (source, member), group in sorted(groups.items())
    ]


def behind(watches: Iterable[WatchState]) -> list[Condition]:
    """Return a condition for each market whose orders are looked at too rarely."""
    return [
        Condition(
            key=f"behind/{each.market}",
            title=f"watching the orders of {each.market} in the ERP is "
            f"{each.behind.total_seconds() // 60:.0f} minutes behind",
            text=f"{each.due} of {each.moving} orders wait to be looked at. What to do: raise "
            f"sync.markets.{each.market}.order_status.reads_a_minute, or see why the ERP takes "
            "less",
            count=each.due,
        )
        for each in watches
        if each.behind > _FAR_BEHIND
    ]


def rewritten(documents: Iterable[Rewritten]) -> list[Condition]:
    """Return a condition for each kind of write that is done over and over."""
    groups: dict[tuple[str, str, str, str], list[Rewritten]] = defaultdict(list)
    for one in documents:
        groups[one.flow, one.market, one.system, one.operation].append(one)
    return [
        Condition(
            key=f"rewritten/{flow}/{market}/{system}/{operation}",
            title=f"{_counted(group, flow)} of {market} written over and over: {operation}",
            text=(
                f"{_named([one.name for one in group])}: up to "
                f"{max(one.times for one in group)} times within an hour into {system}. Find out "
                f"what else writes there, or does not keep it: d365-sync pause {flow}, then compare"
            ),
            count=len(group),
        )
        for (flow, market, system, operation), group in sorted(groups.items())
    ]


def _lost(one: Lost, schedules: Sequence[str]) -> Condition:
    events = f"{one.events} events" if one.events != 1 else "1 event"
    waiting = [*([events] if one.events else []), *schedules]
    return Condition(
        key=f"lost/{one.system}",
        title=f"{one.system} takes nothing: {_named(waiting)} and what follows wait for it",
        text=f"{one.text}. What to do: {one.advice}",
        # How many is no measure of how bad it is: the others have not tried.
        count=1,
    )


def _documents(field: Unsettled) -> str:
    if field.documents == 1:
        return f"Of {field.example}"
    return f"Of {field.documents} documents, such as {field.example}"


def _cautioned(crowd: Alike) -> Condition:
    event = crowd.first[0]
    told, hours = event.trouble or Trouble(kind=""), CAUTIONED_FOR / timedelta(hours=1)
    return Condition(
        key=f"caution/{event.flow}/{event.market}/{told.field}",
        title=f"{_counted(crowd, event.flow)} of {event.market} sent with a difference at "
        f"{told.field} within {hours:g} hours",
        text=f"{_names(crowd)}, the first with {told.text}. What to do: {told.advice}. "
        "All of them: d365-sync failed --cautions",
        count=len(crowd),
    )


def _held(crowd: Alike) -> Condition:
    first = crowd.first[0]
    kind, field, cause, advice = "", "", "", ""
    if (trouble := first.trouble) is not None:
        kind, field, cause, advice = trouble.kind, trouble.field, trouble.text, trouble.advice
    place = f" at {field}" if field else ""
    # Where the advice is a command of its own, replaying would only hold the event again.
    then = "" if "d365-sync" in advice else f" Then: d365-sync replay {first.id}"
    return Condition(
        key=f"held/{first.flow}/{first.market}/{kind}/{field}",
        title=f"{_counted(crowd, first.flow)} of {first.market} held{place}",
        text=(
            f"{_names(crowd)}: {cause.rstrip('.')}. "
            f"What to do: {advice.rstrip('.') or 'see d365-sync failed'}.{then}"
        ),
        count=len(crowd),
    )


def _counted(group: Sized, flow: str) -> str:
    """Return how many, such as "1 order" or "7 orders": flows are named in the plural."""
    return f"1 {flow.removesuffix('s')}" if len(group) == 1 else f"{len(group)} {flow}"


def _names(crowd: Alike) -> str:
    return _named([event.name for event in crowd.first], count=len(crowd))


def _named(keys: Sequence[str], *, count: int | None = None) -> str:
    named = ", ".join(keys[:MOST_NAMED])
    rest = (len(keys) if count is None else count) - min(len(keys), MOST_NAMED)
    return f"{named} and {rest} more" if rest > 0 else named


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"

"""People are told once, again while it lasts, and when it is over: never nothing, never a flood."""

import asyncio
import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st
from psycopg.errors import DiskFull
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from pricing_proxy.clock import SystemClock
from pricing_proxy.configuration.proxies import spare_this_machine
from pricing_proxy.resilience.errors import UpstreamContractError
from sync.alerts.book import Alert, Occasion, look
from sync.alerts.conditions import (
    MOST_NAMED,
    Condition,
    Lost,
    ScheduleState,
    cautioned,
    held,
    late,
    lost,
    odd,
    rewritten,
    silent,
    unsettled,
)
from sync.alerts.messages import Targets, body, subject
from sync.alerts.watcher import Watcher
from sync.engine.database_health import DatabaseHealth
from sync.engine.schedules import FailingSchedules, Schedule, Schedules
from sync.sections import Alerts
from sync.serve.watching import DatabaseWatch
from sync.store.alerts import AlertStore
from sync.store.odd_row_record import OddRecord
from sync.store.overview import Overview
from sync.store.records import Alike, EventRecord, Trouble
from sync.store.rewrites import Rewritten
from sync.store.states import EventState
from sync.store.wish_record import Unsettled
from tests.virtual_time import ManualClock

BEGIN = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def condition(key: str = "held/x", count: int = 1) -> Condition:
    return Condition(key=key, title=f"{count} orders held", text="look", count=count)


def event(number: int, **changes: Any) -> EventRecord:
    values: dict[str, Any] = {
        "id": number,
        "flow": "orders",
        "market": "b2b_de",
        "business_key": f"10000{number}",
        "document_id": None,
        "source_key": f"k{number}",
        "lock_key": f"k{number}",
        "payload": {},
        "state": EventState.HELD,
        "depends_on": None,
        "due_at": None,
        "attempts": 1,
        "fence": 1,
        "deaths": 0,
        "note": "",
        "trouble": Trouble(kind="Held", field="City", text="is too long", advice="shorten it"),
        "created_at": BEGIN,
        "changed_at": BEGIN,
        "ended_at": None,
    }
    return EventRecord(**(values | changes))


def occasions_over(minutes: int, step: timedelta = MINUTE) -> list[tuple[int, Occasion]]:
    """Return when one lasting condition is told of, looked at every minute."""
    known: Sequence[Alert] = []
    told = []
    for minute in range(0, minutes, step // MINUTE):
        now = BEGIN + minute * MINUTE
        seen = look(known, [condition()], now=now)
        told += [(minute, message.occasion) for message in seen.messages]
        spoken = {message.alert.condition.key for message in seen.messages}
        known = [
            alert.told(now) if alert.condition.key in spoken else alert
            for alert in seen.open_alerts
        ]
    return told


def test_what_lasts_is_told_at_growing_intervals() -> None:
    told = occasions_over(60 * 60)

    assert told[0] == (0, Occasion.BEGUN)
    assert {occasion for _, occasion in told[1:]} == {Occasion.LASTS}
    assert [minute for minute, _ in told] == [0, 15, 75, 315, 1755, 3195]


def test_many_more_affected_are_told_of_at_once() -> None:
    alert = Alert(condition=condition(), raised_at=BEGIN).told(BEGIN)

    assert look([alert], [condition(count=4)], now=BEGIN + MINUTE).messages == []
    [message] = look([alert], [condition(count=5)], now=BEGIN + MINUTE).messages
    assert message.occasion is Occasion.WORSE


@given(
    st.lists(
        st.tuples(st.sets(st.sampled_from("abc")), st.integers(0, 2000), st.booleans()),
        max_size=30,
    )
)
def test_nobody_is_told_of_an_end_without_a_beginning_nor_left_without_an_end(
    looks: list[tuple[set[str], int, bool]],
) -> None:
    """Whatever comes and goes, and whatever messages are lost."""
    known: Sequence[Alert] = []
    balance: Counter[str] = Counter()
    now = BEGIN
    for keys, minutes, gets_through in looks:
        now += minutes * MINUTE
        seen = look(known, [condition(key) for key in sorted(keys)], now=now)
        assert {alert.condition.key for alert in seen.open_alerts} == keys
        told = {message.alert.condition.key for message in seen.messages} if gets_through else set()
        for message in seen.messages:
            if message.alert.condition.key in told:
                key = message.alert.condition.key
                balance[key] += {Occasion.BEGUN: 1, Occasion.ENDED: -1}.get(message.occasion, 0)
        assert set(balance.values()) <= {0, 1}
        kept = [
            alert.told(now) if alert.condition.key in told else alert for alert in seen.open_alerts
        ]
        # As the watcher does: an end that nobody was told of stays open.
        known = kept if gets_through else [*kept, *seen.ended]
    assert {key for key, count in balance.items() if count} <= {
        alert.condition.key for alert in known
    }


def test_held_events_are_grouped_by_their_reason() -> None:
    country = Trouble(kind="Held", field="Country", text="XX", advice="")
    crowds = [
        Alike([event(8, trouble=country)], 1),
        Alike([event(number) for number in range(1, 6)], 7),
    ]

    city, other = held(crowds)

    assert (city.count, other.count) == (7, 1)
    assert city.title == "7 orders of b2b_de held at City"
    assert "and 2 more" in city.text
    assert "shorten it" in city.text
    assert "d365-sync replay 1" in city.text
    assert "d365-sync failed" in other.text


def test_a_held_event_whose_advice_is_a_command_is_not_to_be_replayed() -> None:
    """Replaying a customer who waits for a decision would only hold them again."""
    advice = "d365-sync approve b2b_de/7 where it is the same customer"
    trouble = Trouble(kind="Held", field="taxvat", text="C-1001 may be its", advice=advice)
    [told] = held([Alike([event(1, flow="customers", trouble=trouble)], 1)])
    assert told.text.endswith(f"What to do: {advice}.")


def test_what_was_sent_with_a_difference_is_told_by_field() -> None:
    def done(number: int, field: str) -> EventRecord:
        told = Trouble(
            kind="Caution",
            field=field,
            text=f"tax: {number} in the shop, 0 in the ERP",
            advice="compare both",
        )
        return event(number, state=EventState.DONE, trouble=told)

    taxes = [done(1, "Tax"), done(3, "Tax")]
    tax, total = cautioned([Alike(taxes, 7), Alike([done(2, "Total")], 1)])

    assert tax.key == "caution/orders/b2b_de/Tax"
    assert tax.title == "7 orders of b2b_de sent with a difference at Tax within 24 hours"
    assert tax.text == (
        "100001, 100003 and 5 more, the first with tax: 1 in the shop, 0 in the ERP. "
        "What to do: compare both. All of them: d365-sync failed --cautions"
    )
    assert (tax.count, total.count) == (7, 1)


def test_late_events_are_told_of_though_nothing_failed() -> None:
    events = [event(1, state=EventState.RECEIVED), event(2, state=EventState.WAITING)]

    [one] = late([Alike(events, 2)], after=5 * MINUTE, place="the ERP")

    assert one.title == "2 orders of b2b_de not in the ERP after 5 minutes"
    assert "100001" in one.text


def test_silence_for_three_periods_is_a_failure() -> None:
    def at(seconds: int) -> list[Condition]:
        state = ScheduleState(name="poll orders", every=timedelta(seconds=5), last_success_at=BEGIN)
        return silent([state], now=BEGIN + timedelta(seconds=seconds))

    assert at(15) == []
    [one] = at(16)
    assert "poll orders has not succeeded since 2026-11-25 09:00:00 UTC" in one.title


def test_a_system_that_is_lost_is_one_condition_whatever_waits_for_it() -> None:
    """Three polls and seven orders told of one gateway's fault by ten alerts."""
    fault = Lost(system="magento", text="magento answered 302 at /rest/V1/orders", advice="check")
    polls = [
        ScheduleState(
            name=f"poll {name}",
            every=timedelta(seconds=5),
            last_success_at=BEGIN,
            failure=fault,
        )
        for name in ("orders", "customers", "returns")
    ]
    now = BEGIN + timedelta(seconds=16)

    assert silent(polls, now=now) == []
    [one] = lost([replace(fault, events=7)], polls, now=now)
    assert one.key == "lost/magento"
    assert one.title.startswith("magento takes nothing: 7 events, poll orders, poll customers")
    assert one.text == "magento answered 302 at /rest/V1/orders. What to do: check"
    # What is tried again at once is no news yet, and what waits for another one is its own.
    assert lost([], polls, now=BEGIN) == []
    assert [each.key for each in lost([Lost(system="fo", text="", advice="")], polls, now=now)] == [
        "lost/fo",
        "lost/magento",
    ]


def test_a_field_that_is_not_kept_is_one_condition_for_all_who_have_it() -> None:
    field = Unsettled(
        market="b2b_de",
        system="magento",
        field="erp_account",
        documents=1,
        example="all customers",
        text="is not an attribute of the shop's customers",
        advice="create it",
    )

    [one] = unsettled([field])
    [many] = unsettled([replace(field, documents=12, example="customer 7")])

    assert "magento: erp_account is not an attribute" in one.title
    assert one.text == "Of all customers. What to do: create it"
    assert many.text.startswith("Of 12 documents, such as customer 7")
    assert (one.key, many.count) == (many.key, 12)


def test_documents_written_over_and_over_are_told_by_what_writes_them() -> None:
    writes = [
        Rewritten(
            flow="customers",
            market="b2b_de",
            business_key=str(number),
            document_id="17" if number == 0 else None,
            system=system,
            operation=operation,
            times=6 + number,
        )
        for number in range(7)
        for system, operation in (("magento", "customer group"), ("fo", "customer update"))
    ]

    [to_erp, to_shop] = rewritten(writes)

    assert to_erp.title == "7 customers of b2b_de written over and over: customer update"
    assert "0 (#17), 1, 2, 3, 4 and 2 more: up to 12 times within an hour into fo" in to_erp.text
    assert to_shop.key == "rewritten/customers/b2b_de/magento/customer group"


def test_a_message_tells_what_is_wrong_first() -> None:
    told = Alert(condition=condition("a"), raised_at=BEGIN).told(BEGIN)
    seen = look([told], [condition("b", count=3)], now=BEGIN + 3 * timedelta(hours=1))

    assert subject(seen.messages) == "pricing-proxy sync: 1 wrong, 1 over"
    assert body(seen.messages, now=BEGIN + timedelta(hours=3)) == (
        "Now: 3 orders held\nlook\n\nOver after 3 h: 1 orders held"
    )
    assert subject(look([told], [], now=BEGIN).messages) == "pricing-proxy sync: 1 over"


@dataclass
class Receiver:
    """A webhook that people read."""

    received: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200

    async def take(self, request: web.Request) -> web.Response:
        if self.status == 200:
            self.received.append(json.loads(await request.text()))
        return web.Response(status=self.status)


@pytest.fixture
async def receiver() -> AsyncIterator[tuple[Receiver, str]]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/{tail:.*}", receiver.take)
    async with TestServer(app) as server:
        yield receiver, f"json://127.0.0.1:{server.port}/alerts"


async def test_a_message_that_nobody_took_is_sent_again(
    store: AsyncEngine, receiver: tuple[Receiver, str]
) -> None:
    hook, url = receiver
    wrong = [condition()]

    async def conditions() -> Sequence[Condition]:
        return wrong

    watcher = Watcher(
        conditions=conditions,
        kept=AlertStore(store),
        targets=Targets([url]),
        clock=SystemClock(),
    )
    hook.status = 500
    await watcher.watch()
    assert hook.received == []
    hook.status = 200

    for _ in range(3):
        await watcher.watch()
    assert [each["title"] for each in hook.received] == ["pricing-proxy sync: 1 wrong"]
    [kept] = await AlertStore(store).open_alerts()
    assert (kept.key, kept.times_told) == ("held/x", 1)
    wrong.clear()
    await watcher.watch()
    await watcher.watch()

    assert [each["title"] for each in hook.received][1:] == ["pricing-proxy sync: 1 over"]
    assert await AlertStore(store).open_alerts() == []


async def test_what_is_over_counts_no_more_though_nobody_could_be_told(
    store: AsyncEngine, receiver: tuple[Receiver, str]
) -> None:
    """Prometheus pages for what is open: a dead mail server is no outage of the ERP."""
    hook, url = receiver
    wrong = [condition("lost/fo"), condition("held/x")]

    async def conditions() -> Sequence[Condition]:
        return wrong

    alerts = AlertStore(store)
    targets = Targets([url])
    watcher = Watcher(conditions=conditions, kept=alerts, targets=targets, clock=SystemClock())
    await watcher.watch()
    assert await alerts.count_open() == {"held": 1, "lost": 1}
    hook.status = 500
    wrong.append(condition("late/y"))
    await watcher.watch()
    del wrong[0]
    wrong.remove(condition("late/y"))
    await watcher.watch()

    assert await alerts.count_open() == {"held": 1}
    # Of the one that people know of they still have to hear; nobody knows of the other.
    assert [kept.key for kept in await alerts.open_alerts()] == ["lost/fo", "held/x"]
    wrong.append(condition("lost/fo"))
    await watcher.watch()
    assert await alerts.count_open() == {"held": 1, "lost": 1}
    wrong.pop()
    hook.status = 200
    await watcher.watch()
    assert hook.received[-1]["title"] == "pricing-proxy sync: 1 over"
    assert [kept.key for kept in await alerts.open_alerts()] == ["held/x"]


async def test_two_processes_tell_once(store: AsyncEngine, receiver: tuple[Receiver, str]) -> None:
    """Each looks by its schedules, of which one process at a time has the lease."""
    hook, url = receiver

    async def conditions() -> Sequence[Condition]:
        return [condition()]

    def schedule() -> Schedule:
        watcher = Watcher(
            conditions=conditions,
            kept=AlertStore(store),
            targets=Targets([url]),
            clock=SystemClock(),
        )
        return Schedule("look for alerts", timedelta(seconds=30), watcher.watch)

    has_looked = await asyncio.gather(
        *(Schedules(store, []).run_if_due(schedule()) for _ in range(3))
    )

    assert sorted(has_looked) == [False, False, True]
    assert len(hook.received) == 1


async def test_a_target_that_is_none_is_named_by_its_place_alone() -> None:
    with pytest.raises(ValueError, match=r"^target 1 is no address"):
        Targets(["json://127.0.0.1/x", "no-such-scheme://secret"])
    assert await Targets([]).send("title", "text")


def test_rows_that_cannot_be_read_are_one_alert_for_each_member() -> None:
    rows = [
        OddRecord(
            source="orders",
            row_id=number,
            number="3000000051" if number == 51 else "",
            member=member,
            text=f"{member} is missing",
            seen_at=BEGIN,
            looked_at=BEGIN,
        )
        for number, member in ((51, "store_id"), (52, "store_id"), (53, ""))
    ]

    unserved, without_store = odd(rows)

    assert without_store.title == "2 orders cannot be read: store_id"
    assert without_store.text.startswith("3000000051 (#51), #52: store_id is missing. ")
    assert "d365-sync set-aside orders 51" in without_store.text
    assert (without_store.count, unserved.count) == (2, 1)


async def test_a_target_on_this_machine_is_told_past_any_proxy(
    receiver: tuple[Receiver, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Apprise asks the environment for proxies, which names none for this machine by itself."""
    hook, url = receiver
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert not await Targets([url]).send("1 wrong", "an order is held")
    environ = os.environ.copy()
    spare_this_machine(environ)
    monkeypatch.setenv("NO_PROXY", environ["NO_PROXY"])
    monkeypatch.setenv("no_proxy", environ["no_proxy"])

    assert await Targets([url]).send("1 wrong", "an order is held")
    assert [each["title"] for each in hook.received] == ["1 wrong"]


async def test_a_crowd_of_held_events_hides_no_late_one_and_is_counted(store: AsyncEngine) -> None:
    """The first thousand were read, all of them held: there was no alert of what was late."""
    fill = text(
        "INSERT INTO sync_event (flow, market, business_key, source_key, lock_key, payload, state,"
        " error_kind, error_field, created_at) SELECT 'orders', 'b2b_de', n, n, n, '{}',"
        " CASE WHEN n <= 1200 THEN 'held' ELSE 'received' END,"
        " CASE WHEN n <= 1200 THEN 'Held' END, CASE WHEN n = 1200 THEN 'City' END,"
        " now() - interval '1 hour' FROM generate_series(1, 1500) AS n"
    )
    async with store.begin() as connection:
        await connection.execute(fill)
    overview = Overview(store)

    one, other = held(await overview.held(named=MOST_NAMED))
    [waiting] = late(
        await overview.late(MINUTE, flow="orders", named=MOST_NAMED), after=MINUTE, place="the ERP"
    )

    assert [one.count, other.count, waiting.count] == [1199, 1, 300]
    assert one.text.startswith("1, 2, 3, 4, 5 and 1194 more: ")
    assert waiting.title.startswith("300 orders of b2b_de not in the ERP")
    assert waiting.text.startswith("1201, 1202, 1203, 1204, 1205 and 295 more")


async def test_what_another_system_wrote_is_not_drawn_in_a_mail(
    receiver: tuple[Receiver, str],
) -> None:
    """A payment code with escape sequences, an image in an error: mail programs take HTML."""
    hook, url = receiver
    hostile = "<img src=https://evil.example/x>\x1b[2J\u202e"
    assert await Targets([f"{url}?format=html"]).send("1 wrong", f"{hostile}\nnext")

    [shown] = [each["message"] for each in hook.received]
    assert not set(shown) & {"\x1b", "\u202e"}
    assert "<img" not in shown
    assert "next" in shown


async def test_people_hear_of_a_failing_database_without_it(
    receiver: tuple[Receiver, str],
) -> None:
    hook, url = receiver
    clock = ManualClock()
    health = DatabaseHealth(clock.monotonic_us)
    watch = DatabaseWatch(Alerts(targets_secret=SecretStr(url)), health, clock=clock)

    for _ in range(20):
        health.failed("the sweep", OperationalError("SELECT", {}, DiskFull("no space left")))
        await watch.look()
        clock.advance(timedelta(seconds=5))
    health.well("the sweep")
    await watch.look()
    await watch.look()

    assert [each["title"] for each in hook.received] == [
        "pricing-proxy sync: 1 wrong",
        "pricing-proxy sync: 1 over",
    ]
    assert "no space left" in hook.received[0]["message"]


async def test_a_poll_that_fails_is_said_once(
    store: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    faults: list[Exception] = [
        UpstreamContractError("magento answered 302", system="magento", status=302)
    ] * 5

    async def poll() -> None:
        if faults:
            raise faults.pop()

    failing = FailingSchedules()
    schedule = Schedule("poll orders", timedelta(microseconds=1), poll)
    schedules = Schedules(store, [schedule], failing=failing)
    for _ in range(5):
        await schedules.attempt(schedule)
    found = failing.of("poll orders")
    assert found is not None
    assert (found.system, found.text) == ("magento", "magento answered 302")
    await schedules.attempt(schedule)

    assert failing.of("poll orders") is None
    assert [record.getMessage() for record in caplog.records] == [
        "poll orders failed, and is tried again: magento answered 302",
        "poll orders works again",
    ]

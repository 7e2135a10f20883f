"""What of mirrors is told to people: a plan that waits, a read that plans nothing, a slow shop."""

from datetime import timedelta

from sync.alerts.mirror_conditions import noticed, slowed, undecided, unread
from sync.mirror.governor import pace_view
from sync.store.mirror_notices import MirrorNotice
from sync.store.mirror_pace_record import ShopPace
from sync.store.mirror_records import RunState, RunTrigger
from sync.store.mirror_views import RiskCount
from tests.sync_alerts.mirror_runs import NOW, run


def test_a_plan_that_waits_is_told_with_what_to_do() -> None:
    waits = run(7, RunState.WAITING, counts={"waiting": 3})
    risks = {7: [RiskCount("waiting", "repriced", "up", "over", 3)]}
    [found] = undecided([run(6, RunState.WAITING, counts={"waiting": 1}), waits], risks)
    assert found.key == "plan/products/b2b_de"
    assert found.count == 3
    assert "3 repriced (too many within 24 hours)" in found.text
    assert "runs approve 7" in found.text

    adopts = run(8, RunState.WAITING, trigger=RunTrigger.ADOPT, counts={"waiting": 9})
    assert "--adopt keep" in undecided([adopts], {})[0].text
    looks = run(9, RunState.WAITING, trigger=RunTrigger.PLAN, counts={"waiting": 9})
    assert undecided([looks, run(5, RunState.WRITING)], {}) == []


def test_a_read_that_plans_nothing_is_told_until_a_later_one_succeeds() -> None:
    broken = run(7, RunState.FAILED, text="the ERP has no rows at all: nothing is planned")
    [found] = unread([run(3, RunState.DONE, trigger=RunTrigger.ADOPT), broken])
    assert "no rows at all" in found.text
    by_hand = run(8, RunState.DONE, trigger=RunTrigger.BY_HAND, counts={"is_whole": 1})
    assert unread([broken, by_hand]) == []
    some = run(9, RunState.DONE, trigger=RunTrigger.BY_HAND)
    assert unread([broken, some]) == [found]
    again = run(10, RunState.FAILED, trigger=RunTrigger.BY_HAND, text="has 3 rows, and had 9")
    assert "3 rows" in unread([by_hand, again])[0].text


def test_a_shop_that_is_slow_for_half_an_hour_is_told() -> None:
    pace = ShopPace(width=1, changed_at=NOW, cut_at=NOW, is_slow=True, reason="the storefront")
    soon, late = NOW + timedelta(minutes=5), NOW + timedelta(minutes=31)
    assert slowed(pace_view(pace, soon, ceiling=2), now=soon) == []
    [found] = slowed(pace_view(pace, late, ceiling=2), now=late)
    assert "the storefront" in found.title
    assert slowed(pace_view(pace, late, ceiling=1), now=late) == []
    assert slowed(pace_view(None, late, ceiling=2), now=late) == []


def test_what_a_flow_tells_of_is_told() -> None:
    notice = MirrorNotice(
        flow="products", market="b2b_de", key="bulk", title="open", text="look", count=2
    )
    [found] = noticed([notice])
    assert (found.key, found.count) == ("notice/products/b2b_de/bulk", 2)

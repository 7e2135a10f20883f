"""Two workers under load: what they carry in a second, and how soon they pause."""

import time

from tests.chaos.configuration import Tuning
from tests.chaos.figures import Figure, Options, bounded, verdict
from tests.chaos.processes import ChaosError
from tests.chaos.stage import Stage, stage

_WORKING = "SELECT count(*) FROM sync_event WHERE flow = 'orders' AND state = 'working'"
_UNFINISHED = "SELECT count(*) FROM sync_event WHERE flow = 'orders' AND ended_at IS NULL"


def throughput(options: Options) -> list[Figure]:
    """Three-line orders that wait in line, carried by two workers."""
    with stage(workers=2, latency_ms=options.latency_ms, tuning=Tuning()) as on:
        on.workers.start()
        count = on.warm_up()
        on.pause(is_paused=True)
        time.sleep(3)
        numbers = on.place(options.orders, kind="simple")
        query = "SELECT count(*) FROM sync_event WHERE flow = 'orders'"
        everything = count + len(numbers)
        if not on.until(lambda: on.rows(query)[0][0] >= everything, seconds=60):
            raise ChaosError("not every order was entered within a minute")
        calls = {system: on.calls(system) for system in ("fo", "magento")}
        commits = _commits(on)
        on.pause(is_paused=False)
        began = time.monotonic()
        wanted = set(numbers)
        # Looked at rarely: showing all documents costs the sandbox time.
        on.until(lambda: wanted <= on.released(), seconds=options.drain_seconds, look=1.0)
        seconds = _span(on, everything - len(numbers))
        waited = time.monotonic() - began
        spent = {system: on.calls(system) - before for system, before in calls.items()}
        committed = _commits(on) - commits
        is_good = on.judged(everything, wait_seconds=options.drain_seconds)
        rate = len(numbers) / seconds
        return [
            *verdict(is_good),
            Figure(name="three-line orders", value=f"{len(numbers)} in {seconds:.1f} s"),
            Figure(name="orders a second", value=f"{rate:.1f}", bar=">= 20", is_met=rate >= 20),
            Figure(name="with start and observation", value=f"{waited:.1f} s"),
            *(
                Figure(name=f"calls of {system} per order", value=f"{total / len(numbers):.1f}")
                for system, total in spent.items()
            ),
            Figure(name="commits per order", value=f"{committed / len(numbers):.1f}"),
        ]


def pause(options: Options) -> list[Figure]:
    """A pause while two workers are busy: when did the last call reach the ERP?"""
    with stage(workers=2, latency_ms=options.latency_ms, tuning=Tuning()) as on:
        on.workers.start()
        count = on.warm_up() + len(on.place(options.orders))
        on.until(lambda: on.rows(_WORKING)[0][0] > 4, seconds=30)
        on.pause(is_paused=True)
        began = last = time.monotonic()
        before = total = on.calls("fo")
        while time.monotonic() - began < 8:
            now = on.calls("fo")
            if now != total:
                total, last = now, time.monotonic()
            time.sleep(0.02)
        left = on.rows(_UNFINISHED)[0][0]
        on.pause(is_paused=False)
        is_good = on.judged(count, wait_seconds=options.drain_seconds)
        return [
            *verdict(is_good),
            Figure(name="calls of the ERP after the pause", value=str(total - before)),
            Figure(name="orders that then waited", value=str(left), bar="> 0", is_met=left > 0),
            bounded("last call of the ERP after the pause", last - began, 2.0),
        ]


def _commits(on: Stage) -> int:
    query = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
    return int(on.rows(query)[0][0])


def _span(on: Stage, skipped: int) -> float:
    """Return the seconds from the first claim to the last end of the orders after the first."""
    query = (
        "SELECT extract(epoch FROM max(coalesce(ended_at, now())) - min(claimed_at))"
        " FROM (SELECT * FROM sync_event WHERE flow = 'orders' ORDER BY id OFFSET %s) AS event"
    )
    return float(on.rows(query, skipped)[0][0])

"""Everything at once: workers and database are killed while the ERP fails and orders come in.

Two store views of one market and a second market number alike, and two people register with
one tax number: the second and its orders wait visibly, and are delivered once when a person
has said that it is the same company.
"""

import time

from tests.chaos.configuration import Tuning
from tests.chaos.crowd import Crowd
from tests.chaos.figures import Figure, Options, events, verdict
from tests.chaos.killing import Killer
from tests.chaos.stage import Stage, stage

FAULTS = {"throttle_rate": 0.03, "error_rate": 0.02, "commit_then_drop": 0.02}
# A kill strands what is under way for a lease, and a worker lives for six seconds: what it
# cannot carry in a moment is better left to the others.
_AT_ONCE = 3


def chaos(options: Options) -> list[Figure]:
    """Everything fails at once while two markets that number alike, and twins, place orders."""
    tuning = Tuning(
        erp_max_request_seconds=options.erp_max_request_seconds,
        concurrency=_AT_ONCE,
        neighbours=True,
    )
    with stage(workers=options.workers, latency_ms=options.latency_ms, tuning=tuning) as on:
        on.workers.start()
        crowd = Crowd.gathered(on)
        on.dial(**FAULTS)
        kills = options.postgres_kills
        at = [options.phase_seconds * (n + 1) / (kills + 1) for n in range(kills)]
        killer = Killer(on, options.kill_every_seconds, at)
        _storm(on, killer, crowd, options)
        on.heal()
        calm = time.monotonic()
        carried = len(on.released())
        is_good = crowd.judged(wait_seconds=options.drain_seconds)
        drained = time.monotonic() - calm
        crashes = sum(worker.began_again for worker in on.workers.all)
        waiting = crowd.waiting()
        approved = crowd.approved(wait_seconds=options.drain_seconds)
        return [
            *verdict(is_good),
            *waiting,
            *approved,
            Figure(name="kills of a worker", value=str(killer.kills)),
            Figure(
                name="of them with a request on the wire",
                value=str(killer.on_the_wire),
                bar=f">= {options.wire_kills}",
                is_met=killer.on_the_wire >= options.wire_kills,
            ),
            Figure(
                name="kills of PostgreSQL",
                value=str(killer.postgres_kills),
                bar=f"= {kills}",
                is_met=killer.postgres_kills == kills,
            ),
            Figure(name="workers that ended by themselves", value=str(crashes)),
            Figure(name="storm lasted", value=f"{calm - killer.began:.0f} s"),
            Figure(name="orders in the ERP when it ended", value=str(carried)),
            Figure(name="attempts per order", value=_attempts(on)),
            Figure(name="all well after the storm within", value=f"{drained:.0f} s"),
            *events(on),
        ]


def _storm(on: Stage, killer: Killer, crowd: Crowd, options: Options) -> None:
    """Place orders for two thirds of the time, kill for all of it."""
    longest = 3 * options.phase_seconds
    while True:
        elapsed = time.monotonic() - killer.began
        is_over = elapsed > options.phase_seconds and not killer.postgres_at
        if (is_over and killer.on_the_wire >= options.wire_kills) or elapsed > longest:
            break
        due = min(options.orders, int(options.orders * elapsed * 1.5 / options.phase_seconds))
        crowd.order(due - crowd.placed)
        if elapsed > options.phase_seconds / 6:
            crowd.complete()
        killer.work()
        on.workers.revive()
        time.sleep(0.05)
    crowd.order(options.orders - crowd.placed)


def _attempts(on: Stage) -> str:
    query = (
        "SELECT round(avg(attempts), 1), max(attempts) FROM sync_event"
        " WHERE source_key LIKE 'orders/%%/export'"
    )
    [(average, most)] = on.rows(query)
    return f"{average} on average, {most} at most"

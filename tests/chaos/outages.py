"""One worker is lost, or stopped and woken, with a request on the wire."""

import math
import time
from collections.abc import Sequence
from typing import Protocol

from tests.chaos.configuration import Tuning
from tests.chaos.figures import LEASE_SECONDS, Figure, Options, bounded, events, verdict
from tests.chaos.processes import Worker
from tests.chaos.stage import Stage, stage

_OTHERS_SECONDS = 5.0
# As long as a call of a worker that runs is in doubt at most.
_CALL_SECONDS = 0.5
_HELD = (
    "SELECT business_key, EXISTS (SELECT 1 FROM sync_attempt AS call"
    " WHERE call.event_id = event.id AND call.acked_at IS NULL) FROM sync_event AS event"
    " WHERE flow = 'orders' AND state = 'working'"
    " AND claimed_at < now() - make_interval(secs => %s)"
)
_OUTSTANDING = (
    "SELECT count(*) FROM sync_attempt"
    " WHERE acked_at IS NULL AND sent_at < now() - make_interval(secs => %s)"
)


class Released(Protocol):
    """Knows what is in the ERP; the stage is one."""

    def released(self) -> set[str]:
        """Return the numbers of the orders that are."""
        ...


def lost(options: Options) -> list[Figure]:
    """A machine is lost with requests on the wire, and never comes back."""
    tuning = Tuning(erp_max_request_seconds=options.erp_max_request_seconds)
    with stage(workers=2, latency_ms=options.latency_ms, tuning=tuning) as on:
        on.workers.start()
        numbers = on.place(options.orders)
        victim = on.workers.all[0]
        is_hit, lost_at = _stop_on_the_wire(on, victim, with_write=True)
        victim.is_lost = True
        victim.kill()
        # What the other one was carrying is done by then.
        time.sleep(_OTHERS_SECONDS)
        held = dict(on.rows(_HELD, _OTHERS_SECONDS))
        arrived = arrivals(on, list(held), since=lost_at, seconds=options.drain_seconds)
        clear = [late for number, late in arrived.items() if not held[number]]
        unclear = [late for number, late in arrived.items() if held[number]]
        longest = LEASE_SECONDS + 5
        is_good = on.judged(len(numbers), wait_seconds=options.drain_seconds)
        return [
            *verdict(is_good),
            Figure(name="a write was on the wire", value="yes" if is_hit else "no"),
            bounded(
                f"its {len(clear)} orders without an outstanding call delivered",
                max(clear, default=0.0),
                longest,
            ),
            bounded(
                f"its {len(unclear)} orders with an outstanding call delivered",
                max(unclear, default=0.0),
                longest + options.erp_max_request_seconds,
            ),
            *events(on),
        ]


def stopped(options: Options) -> list[Figure]:
    """A worker is stopped past its lease, then goes on as if nothing had happened."""
    tuning = Tuning(erp_max_request_seconds=options.erp_max_request_seconds)
    with stage(workers=2, latency_ms=options.latency_ms, tuning=tuning) as on:
        on.workers.start()
        numbers = on.place(options.orders)
        victim = on.workers.all[0]
        is_hit, _ = _stop_on_the_wire(on, victim)
        time.sleep(LEASE_SECONDS + 5)
        victim.go_on()
        is_good = on.judged(len(numbers), wait_seconds=options.drain_seconds)
        return [
            *verdict(is_good),
            Figure(name="a request was on the wire", value="yes" if is_hit else "no"),
            Figure(name="stopped for", value=f"{LEASE_SECONDS + 5:.0f} s"),
            *events(on),
        ]


def _stop_on_the_wire(on: Stage, victim: Worker, *, with_write: bool = False) -> tuple[bool, float]:
    """Stop a worker when it has a request, or a write, on the wire; at most a hundred times.

    Return whether it had one, and the instant.
    """
    for _ in range(100):
        at = time.monotonic()
        if victim.stop(on.system_ports) and (not with_write or _is_writing(on)):
            return True, at
        victim.go_on()
        time.sleep(0.11)
    at = time.monotonic()
    victim.stop(on.system_ports)
    return False, at


def _is_writing(on: Stage) -> bool:
    """Say whether a call is in doubt, while the worker that made it is stopped."""
    time.sleep(_CALL_SECONDS)
    return bool(on.rows(_OUTSTANDING, _CALL_SECONDS)[0][0])


def arrivals(
    on: Released, numbers: Sequence[str], *, since: float, seconds: float
) -> dict[str, float]:
    """Return how long after an instant each of these was seen in the ERP; `inf` for never."""
    arrived: dict[str, float] = {}
    while len(arrived) < len(numbers) and time.monotonic() < since + seconds:
        for number in on.released().intersection(numbers):
            arrived.setdefault(number, time.monotonic() - since)
        time.sleep(0.2)
    return {number: arrived.get(number, math.inf) for number in numbers}

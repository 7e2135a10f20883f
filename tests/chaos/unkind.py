"""A shop that is unkind, and systems that are away one after the other, while orders come in.

Rows that cannot be read stand in every table of the shop, others are dated ahead or late. Its
clock steps two hours ahead, right, two hours behind, and right again. Web pages answer for the
shop, then for the ERP, each for half a minute; then the database has no journal for a minute.
Afterwards every order and credit memo is in the ERP once but for those that this scenario
named beforehand, somebody is told of each of these, and nothing else is held.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.chaos.configuration import Tuning
from tests.chaos.figures import Figure, Options, events, verdict
from tests.chaos.oddities import Oddities
from tests.chaos.stage import Stage, stage

_STEP_SECONDS = 7200
_CLOCK_SECONDS, _GATEWAY_SECONDS, _DATABASE_SECONDS = 30.0, 30.0, 60.0
_CALM_SECONDS = 10.0
_PAGES = (302, 200, 404, 405)
_SWEEP_SECONDS = 20
_LASTS = 2 * _CLOCK_SECONDS + 2 * _GATEWAY_SECONDS + _DATABASE_SECONDS + 3 * _CALM_SECONDS
# What makes one web page follow another.
_TURNS = len(_PAGES)


def unkind(options: Options) -> list[Figure]:
    """Odd rows in every source; the shop's clock, gateways and the database fail one by one."""
    tuning = Tuning(
        poll_seconds=2,
        sweep_seconds=_SWEEP_SECONDS,
        erp_max_request_seconds=options.erp_max_request_seconds,
        returns=True,
    )
    with stage(workers=2, latency_ms=options.latency_ms, tuning=tuning, is_pushed=True) as on:
        on.workers.start()
        on.warm_up()
        flow = _Placing(on, options.orders / _LASTS)
        odd = Oddities.planted(on)
        for hours in (2, -2):
            with _clock(on, hours):
                flow.go_on(_CLOCK_SECONDS)
            flow.go_on(_CALM_SECONDS)
        for system in ("magento", "fo"):
            for page in _PAGES:
                with _gateway(on, system, page):
                    flow.go_on(_GATEWAY_SECONDS / _TURNS)
        odd.refund(2)
        with _no_journal(on):
            flow.go_on(_DATABASE_SECONDS)
        flow.go_on(_CALM_SECONDS)
        odd.refund(2)
        calm = time.monotonic()
        is_good = on.judged(len(on.orders()), *odd.words, wait_seconds=options.drain_seconds)
        figures = odd.figures(wait_seconds=options.drain_seconds)
        crashes = sum(worker.began_again for worker in on.workers.all)
        return [
            *verdict(is_good),
            *figures,
            Figure(
                name="workers that ended by themselves",
                value=str(crashes),
                bar="= 0",
                is_met=crashes == 0,
            ),
            Figure(name="all well afterwards within", value=f"{time.monotonic() - calm:.0f} s"),
            *events(on),
        ]


class _Placing:
    """Places orders evenly while something else happens."""

    def __init__(self, on: Stage, each_second: float) -> None:
        self._on = on
        self._each_second = each_second
        self._owed = 0.0

    def go_on(self, seconds: float) -> None:
        """Place orders for so long."""
        began = last = time.monotonic()
        while last - began < seconds:
            time.sleep(0.2)
            self._on.workers.revive()
            now = time.monotonic()
            self._owed += (now - last) * self._each_second
            last = now
            if self._owed >= 1:
                self._on.order(int(self._owed))
                self._owed -= int(self._owed)


@contextmanager
def _clock(on: Stage, hours: int) -> Iterator[None]:
    on.turn("magento", clock_ahead_seconds=_STEP_SECONDS if hours > 0 else -_STEP_SECONDS)
    yield
    on.turn("magento", clock_ahead_seconds=0)


@contextmanager
def _gateway(on: Stage, system: str, page: int) -> Iterator[None]:
    on.turn(system, gateway_page=page)
    yield
    on.turn(system, gateway_page=None)


@contextmanager
def _no_journal(on: Stage) -> Iterator[None]:
    on.execute("ALTER TABLE sync_attempt RENAME TO sync_attempt_away")
    yield
    on.execute("ALTER TABLE sync_attempt_away RENAME TO sync_attempt")

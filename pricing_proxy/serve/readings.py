"""The state of the process as numbers that are read when `/metrics` is scraped."""

from collections.abc import Iterator

from pricing_proxy.clock import shown_seconds
from pricing_proxy.prices.loading import Loader
from pricing_proxy.prices.odd_answers import Oddity
from pricing_proxy.resilience.breaker_events import Phase
from pricing_proxy.resilience.gate import Gate
from pricing_proxy.serve.parts import Parts
from pricing_proxy.telemetry.metrics import Read, Reading

_PHASE_VALUES = {Phase.CLOSED: 0, Phase.HALF_OPEN: 1}


class Readings:
    """Asks the parts for numbers.

    Args:
        parts: What is asked.
        loader: Loads under way.
    """

    def __init__(self, parts: Parts, loader: Loader) -> None:
        self._parts = parts
        self._loader = loader

    def all(self) -> dict[str, Read]:
        """Return what reads each instrument of `telemetry.metrics.READ_WHEN_SCRAPED`."""
        flights, failures = self._loader.flights, self._loader.failures
        memory, store = self._parts.caching.memory, self._parts.caching.store
        return {
            "flights": lambda: _one(flights.count),
            "oldest_flight_seconds": lambda: _one(shown_seconds(flights.oldest_age_us())),
            "poison_skus": lambda: _one(failures.refusals.count),
            "l1_bytes": lambda: _one(memory.used_bytes),
            "l1_entries": lambda: _one(memory.entry_count),
            "redis_failures": lambda: _one(store.failures),
            "bad_values": lambda: _one(store.bad_values),
            "verified": lambda: _one(self._parts.ledgers.are_all_verified()),
            "breaker_open": self._breaker_readings,
            "gate_closed_seconds": self._gate_readings,
            "bulkhead_calls": self._bulkhead_readings,
            "map_age_seconds": self._map_ages,
            "map_rows": self._map_rows,
            "map_refused": self._maps_refused,
            "map_odd_rows": self._map_odd_rows,
            "shop_ids_lost": self._ids_lost,
            "worker_restarts": self._worker_restarts,
            "prices_refused": self._refused_readings,
            "odd_lines": self._odd_readings,
        }

    def _breaker_readings(self) -> Iterator[Reading]:
        views = [view for erp in self._parts.erps.values() for view in erp.policy.view().breakers]
        for view in (*views, self._parts.caching.guard.view()):
            yield Reading((view.name,), _PHASE_VALUES.get(view.phase, 2))

    def _gate_readings(self) -> Iterator[Reading]:
        for erp in self._parts.erps.values():
            for gate in map(Gate.view, erp.gates):
                yield Reading((gate.name,), shown_seconds(gate.opens_in_us))

    def _bulkhead_readings(self) -> Iterator[Reading]:
        for erp in self._parts.erps.values():
            view = erp.policy.view().bulkhead
            for place, counts in (("running", view.running), ("waiting", view.waiting)):
                for klass, count in counts.items():
                    yield Reading((view.name, klass, place), count)

    def _worker_restarts(self) -> Iterator[Reading]:
        board = self._parts.place.board
        for number in board.numbers:
            yield Reading((str(number),), board.restarts(number))

    def _refused_readings(self) -> Iterator[Reading]:
        for code in self._parts.maps:
            yield Reading((code,), self._loader.health.failing(code) is not None)

    def _odd_readings(self) -> Iterator[Reading]:
        for code in self._parts.maps:
            seen = self._loader.odd.of_market(code)
            for kind in Oddity:
                yield Reading((code, kind), seen[kind].lines if kind in seen else 0)

    def _map_ages(self) -> Iterator[Reading]:
        for code, maps in self._parts.maps.items():
            for name, view in maps.views().items():
                if view.age is not None:
                    yield Reading((code, name), view.age.total_seconds())

    def _map_rows(self) -> Iterator[Reading]:
        for code, maps in self._parts.maps.items():
            for name, view in maps.views().items():
                yield Reading((code, name), view.rows)

    def _maps_refused(self) -> Iterator[Reading]:
        for code, maps in self._parts.maps.items():
            for name, view in maps.views().items():
                yield Reading((code, name), view.refused is not None)

    def _map_odd_rows(self) -> Iterator[Reading]:
        for code, maps in self._parts.maps.items():
            for name, view in maps.views().items():
                yield Reading((code, name), view.odd_count)

    def _ids_lost(self) -> Iterator[Reading]:
        for code, maps in self._parts.maps.items():
            yield Reading((code,), maps.ids.is_lost)


def _one(value: float) -> tuple[Reading]:
    return (Reading((), value),)

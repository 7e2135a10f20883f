"""The state of the process as one nested value, for `/status`; `readings` is for `/metrics`."""

from importlib.metadata import version
from typing import Any

from pricing_proxy.clock import shown_seconds
from pricing_proxy.d365.way import ErpWay
from pricing_proxy.prices.entries import rfc3339
from pricing_proxy.prices.loading import Loader
from pricing_proxy.resilience.breaker import BreakerView
from pricing_proxy.resilience.gate import GateView
from pricing_proxy.serve.parts import Parts
from pricing_proxy.supervision import Supervision

# Rows of what is kept out; more than anybody reads, and less than a page that takes seconds.
_MOST_ROWS = 200


class Snapshot:
    """Asks the parts how they are.

    Args:
        parts: What is asked.
        loader: Loads under way.
    """

    def __init__(self, parts: Parts, loader: Loader) -> None:
        self._parts = parts
        self._loader = loader
        self._started_at = parts.clock.utc()

    def take(self) -> dict[str, Any]:
        """Return the state as plain values; durations in seconds."""
        return {
            "service": self._service(),
            "markets": {code: self._market(code) for code in self._parts.settings.markets},
            "erp": {
                name: {**erp_state(erp), "refused": self._refused(name)}
                for name, erp in self._parts.erps.items()
            },
            "redis": self._redis(),
            "cache": self._cache(),
            "flights": {
                "count": self._loader.flights.count,
                "oldest_age_seconds": shown_seconds(self._loader.flights.oldest_age_us()),
                "poison_skus": self._loader.failures.refusals.count,
            },
            "kept_out": self._kept_out(),
            "keys": {
                name: None if at is None else rfc3339(at)
                for name, at in self._parts.callers.access.last_use().items()
            },
            "configuration": self._configuration(),
            "background": background_state(self._parts.supervision),
        }

    def _service(self) -> dict[str, Any]:
        missing = self._parts.readiness.obstacles()
        return {
            "version": version("pricing-proxy"),
            "started_at": rfc3339(self._started_at),
            "uptime_seconds": round((self._parts.clock.utc() - self._started_at).total_seconds()),
            "is_ready": not missing,
            "missing": missing,
            "worker": self._parts.place.number,
            "workers": self._parts.place.views(),
            "demo": self._parts.settings.service.demo,
        }

    def _market(self, code: str) -> dict[str, Any]:
        market, maps = self._parts.settings.markets[code], self._parts.maps[code]
        return {
            "environment": market.environment,
            "currency": market.currency,
            "source": market.sources[0],
            "is_ready": maps.is_ready,
            "maps": {
                name: {
                    "rows": view.rows,
                    "age_seconds": None if view.age is None else round(view.age.total_seconds()),
                    "clashes": view.clashes,
                    "refused": view.refused,
                    "odd": view.odd,
                }
                for name, view in maps.views().items()
            },
            "shop_ids": {"count": maps.ids.count, "is_lost": maps.ids.is_lost},
            "failing": self._failing(code),
            "odd_lines": self._odd_lines(code),
            "ledger": self._ledger(code),
        }

    def _failing(self, code: str) -> dict[str, Any] | None:
        failing = self._loader.health.failing(code)
        if failing is None:
            return None
        return {
            "reason": failing.reason,
            "path": failing.path,
            "next_step": failing.next_step,
            "is_refusing": failing.is_refusing,
            "for_seconds": shown_seconds(failing.for_us),
            "loads": failing.loads,
        }

    def _odd_lines(self, code: str) -> dict[str, dict[str, Any]]:
        now_us = self._parts.clock.monotonic_us()
        return {
            kind.value: {
                "lines": seen.lines,
                "reason": seen.reason,
                "sku": seen.sku,
                "seconds_ago": shown_seconds(now_us - seen.seen_us),
            }
            for kind, seen in self._loader.odd.of_market(code).items()
        }

    def _kept_out(self) -> list[dict[str, Any]]:
        """Return what is kept out, by SKU: whose lines they are is nobody's business here."""
        now_us = self._parts.clock.monotonic_us()
        return [
            {
                "market": row.market,
                "sku": row.sku,
                "reason": row.reason,
                "customers": row.customers,
                "lines": row.lines,
                "is_alone": row.is_alone,
                "longest_seconds": max(shown_seconds(row.longest_us - now_us), 0),
            }
            for row in self._loader.failures.kept_out()[:_MOST_ROWS]
        ]

    def _ledger(self, code: str) -> dict[str, Any]:
        view = self._parts.ledgers.view(code)
        return {
            # As text: a position has more digits than a page's script can hold as a number.
            "position": str(view.position),
            "is_verified": self._parts.ledgers.is_verified(code),
            "lease_left_seconds": shown_seconds(view.lease_left_us),
            "scopes_known": self._parts.ledgers.invalidations.count(code),
        }

    def _refused(self, name: str) -> list[str]:
        """Return which calls to an environment get nothing but refusals, and what to do."""
        rows = self._parts.metrics.refused.view()
        return [f"{row}; {row.next_step}" for row in rows if row.guard.startswith(f"{name}:")]

    def _redis(self) -> dict[str, Any]:
        return {
            "kind": "embedded" if self._parts.settings.redis.is_embedded else "redis",
            "is_verified": self._parts.ledgers.are_all_verified(),
            "breaker": _breaker(self._parts.caching.guard.view()),
            "failures": self._parts.caching.store.failures,
            "bad_values": self._parts.caching.store.bad_values,
            "troubles": [
                {
                    "told": trouble.told,
                    "next_step": trouble.next_step,
                    "refuses": trouble.refuses,
                    "is_bad": trouble.is_bad,
                }
                for trouble in self._parts.caching.redis.troubles
            ],
        }

    def _cache(self) -> dict[str, Any]:
        return {
            "l1_bytes": self._parts.caching.memory.used_bytes,
            "l1_entries": self._parts.caching.memory.entry_count,
            "lookups": self._parts.metrics.lookups.totals("level"),
            "requests": self._parts.metrics.requests.totals("mode"),
        }

    def _configuration(self) -> dict[str, Any]:
        report = self._parts.callers.keys_report()
        if report is None:
            return {}
        return {
            "keys_loaded_at": rfc3339(report.loaded_at),
            "mistakes": list(report.mistakes),
            "needs_restart": report.needs_restart,
        }


def erp_state(erp: ErpWay) -> dict[str, Any]:
    """Return the state of the way to one environment."""
    view, tokens = erp.policy.view(), erp.gates[1].view()
    ends_at = erp.certificate_ends_at()
    return {
        "breakers": [_breaker(breaker) for breaker in view.breakers],
        "gate": _gate(view.gate),
        "token_gate": _gate(tokens),
        "bulkhead": {
            "name": view.bulkhead.name,
            "limit": view.bulkhead.limit,
            "running": view.bulkhead.running,
            "waiting": view.bulkhead.waiting,
        },
        "certificate_ends_at": None if ends_at is None else rfc3339(ends_at),
        "in_flight": view.in_flight,
        "retrying": view.retrying,
    }


def background_state(supervision: Supervision) -> list[dict[str, Any]]:
    """Return how each piece of background work fares, those that fail first."""
    return [
        {
            "name": view.name,
            "is_failing": view.is_failing,
            "failures": view.failures,
            "error": view.error,
            "failed_seconds": None if view.failed_seconds is None else round(view.failed_seconds),
        }
        for view in supervision.view()
    ]


def _gate(view: GateView) -> dict[str, Any]:
    return {
        "name": view.name,
        "is_closed": view.is_closed,
        "opens_in_seconds": shown_seconds(view.opens_in_us),
        "is_ramping": view.is_ramping,
        "waiting": view.waiting,
    }


def _breaker(view: BreakerView) -> dict[str, Any]:
    return {
        "name": view.name,
        "phase": view.phase.value,
        "lost_for_seconds": None if view.lost_for_us is None else shown_seconds(view.lost_for_us),
        "next_probe_seconds": None
        if view.next_probe_us is None
        else shown_seconds(view.next_probe_us),
        "calls": view.calls,
        "failures": view.failures,
        "slow": view.slow,
        "probes": view.probes,
    }

"""The counters of the hot path, as `/status` and `/metrics` show them."""

import json

import orjson
from prometheus_client import CollectorRegistry, generate_latest

from pricing_proxy.domain.freshness import Mode
from pricing_proxy.telemetry.loop_counters import LoopCounter, LoopHistogram


def test_totals_are_plain_texts_that_every_encoder_takes() -> None:
    """Labels are often enum members; the status page is written by an encoder that refuses them."""
    counter = LoopCounter("c", "Counts.", ("mode", "outcome"), CollectorRegistry())
    counter.add((Mode.BROWSE, "answered"))
    counter.add((Mode.BROWSE, "refused"), 2)
    counter.add((Mode.CART, "answered"))
    assert json.loads(orjson.dumps(counter.totals("mode"))) == {"browse": 3, "cart": 1}


def test_what_was_not_counted_yet_is_shown_as_0_and_is_in_no_total() -> None:
    """Prometheus sees no increase in a counter that is absent until its first event."""
    registry = CollectorRegistry()
    counter = LoopCounter("lines", "Lines.", ("state",), registry)
    counter.begin(("absent",), ("fresh",))
    counter.add(("fresh",))
    counter.begin(("fresh",))
    assert registry.get_sample_value("lines_total", {"state": "absent"}) == 0
    assert registry.get_sample_value("lines_total", {"state": "fresh"}) == 1
    assert counter.totals("state") == {"fresh": 1}


def test_buckets_hold_all_smaller_values() -> None:
    registry = CollectorRegistry()
    histogram = LoopHistogram("h_seconds", "Times.", "mode", (0.1, 1.0), registry)
    for value in (0.05, 0.1, 0.5, 3.0):
        histogram.observe("browse", value)
    text = generate_latest(registry).decode()
    assert 'h_seconds_bucket{le="0.1",mode="browse"} 2.0' in text
    assert 'h_seconds_bucket{le="1.0",mode="browse"} 3.0' in text
    assert 'h_seconds_bucket{le="+Inf",mode="browse"} 4.0' in text
    assert 'h_seconds_sum{mode="browse"} 3.65' in text


def test_counts_are_shown_by_label() -> None:
    registry = CollectorRegistry()
    LoopCounter("lines", "Lines.", ("state",), registry).add(("fresh",), 24)
    assert 'lines_total{state="fresh"} 24.0' in generate_latest(registry).decode()

"""The table of metrics is the code's, and no instrument is missing from it."""

from tests.code.sources import PROGRAMS, sources
from tests.deploy.metric_table import FILE, labels_of_series, metrics, table

# Where instruments are made; `metric_table` reads each of them off a registry.
INSTRUMENTS = {
    "pricing_proxy/telemetry/background_metrics.py",
    "pricing_proxy/telemetry/calls.py",
    "pricing_proxy/telemetry/certificate_metrics.py",
    "pricing_proxy/telemetry/connection_metrics.py",
    "pricing_proxy/telemetry/loop_counters.py",
    "pricing_proxy/telemetry/metrics.py",
    "pricing_proxy/telemetry/program_metrics.py",
    "pricing_proxy/telemetry/refused_calls.py",
    "sync/engine/metrics.py",
    "sync/serve/mirror_counting.py",
}


def test_the_table_is_up_to_date() -> None:
    advice = "run: python -m tests.deploy.metric_table"
    assert FILE.read_text(encoding="utf-8") == table(), advice


def test_instruments_are_made_where_the_table_looks() -> None:
    found = {
        source.path for source in sources(*PROGRAMS) if "from prometheus_client" in source.text
    }
    assert found == INSTRUMENTS


def test_each_metric_says_what_it_means_and_belongs_to_one_program() -> None:
    for program, prefix in (("pricing-proxy serve", "pricing_proxy_"), ("d365-sync run", "d365_")):
        for shown in metrics()[program]:
            assert shown.name.startswith(prefix)
            assert shown.meaning.endswith(".")


def test_no_label_has_many_values() -> None:
    """A key, a customer or a document as a label would be a series each."""
    labels = {label for labels in labels_of_series().values() for label in labels}
    assert labels & {"sku", "customer", "order", "key", "path", "reason_text", "event"} == set()

"""The sync counts and traces its calls to the shop and the ERP, over the simulated ones."""

from datetime import timedelta
from pathlib import Path

from pricing_proxy.clock import SystemClock
from pricing_proxy.d365.fo.orders import SalesOrders
from pricing_proxy.sandbox.server import Sandbox
from pricing_proxy.telemetry.traces import Traces
from sync.engine.metrics import SyncMetrics
from sync.serve.systems import systems
from tests.integration.sync_running import sync_settings
from tests.sandbox.conftest import settings as sandbox_settings
from tests.unit.test_traces import Collector


async def test_calls_are_counted_and_traced_by_what_they_do(tmp_path: Path) -> None:
    """Whom they are about stays out of both: no number, no query."""
    clock, collector = SystemClock(), Collector()
    metrics = SyncMetrics(clock)
    with Traces(service="tests", exporter=collector, sample_ratio=1.0) as traces:
        async with Sandbox(sandbox_settings(tmp_path)) as sandbox:
            settings = sync_settings(sandbox, "embedded")
            watch = metrics.watch_calls(traces)
            async with systems(settings, clock=clock, watch=watch) as ways:
                await ways.shop.orders.orders_by_increment_id("000000042")
                await SalesOrders(ways.erps["sandbox"]).find("demf", "000000042")

    [shop, erp] = [span.name for span in collector.spans]
    # Dashboards ask for these: a class of ours would take them along when it is renamed.
    assert (shop, erp) == ("magento order_list", "fo read SalesOrderHeadersV3")
    for name in (shop, erp):
        system, _, operation = name.partition(" ")
        labels = {"system": system, "operation": operation}
        told = metrics.registry.get_sample_value
        assert told("d365_sync_calls_total", {**labels, "outcome": "answered"}) == 1
        assert told("d365_sync_call_seconds_count", labels) == 1
    assert b"000000042" not in metrics.text()
    assert not any("000000042" in span.to_json() for span in collector.spans)


async def test_no_document_call_is_waited_for_longer_than_it_may_be_in_doubt(
    tmp_path: Path,
) -> None:
    """One value: what a look-up may conclude follows from how long a request may take."""
    async with Sandbox(sandbox_settings(tmp_path)) as sandbox:
        settings = sync_settings(sandbox, "embedded", delivery={"erp_max_request_seconds": 7})
        async with systems(settings, clock=SystemClock()) as ways:
            assert ways.erps["sandbox"].request_time == timedelta(seconds=7)
            assert settings.sync.delivery.longest["fo"] == timedelta(seconds=7)

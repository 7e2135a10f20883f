"""What Prometheus scrapes from elsewhere: numbers without a login, and nothing else."""

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.deploy.metric_table import labels_of_series
from tests.integration.running import MARKET, running_service

ANYWHERE = {"host": "127.0.0.1", "port": 0}


async def test_numbers_are_told_under_any_name_without_a_key_and_nothing_else_is(
    tmp_path: Path,
) -> None:
    async with running_service(tmp_path, service={"metrics": ANYWHERE}) as running:
        await running.warm()
        found = running.metrics
        async with running.session.get(f"{found}/metrics", headers={"Host": "pod-1"}) as answer:
            told = await answer.text()
            assert answer.status == 200
            assert answer.headers["Cache-Control"] == "no-store"
        async with running.session.get(f"{found}/health/live") as answer:
            assert answer.status == 200
        for path in ("/status", "/docs", "/v1/prices", "/health/ready"):
            async with running.session.get(f"{found}{path}") as answer:
                assert answer.status == 404
        async with running.session.post(f"{found}/v1/invalidations", json={}) as answer:
            assert answer.status == 404
    assert f'pricing_proxy_map_rows{{map="items",market="{MARKET}"}}' in told
    assert 'pricing_proxy_connections{caller="stranger",listener="metrics"} 1.0' in told
    # What alerts and dashboards are checked against is what is scraped.
    scraped = {
        sample.name for family in text_string_to_metric_families(told) for sample in family.samples
    }
    known = labels_of_series().keys()
    assert sorted(name for name in scraped - known if not name.endswith("_created")) == []
    assert len(scraped) > 20
    assert "C-1001" not in told
    assert "LAMP-01" not in told


async def test_it_is_off_unless_it_is_asked_for(tmp_path: Path) -> None:
    async with running_service(tmp_path) as running:
        assert running.metrics is None

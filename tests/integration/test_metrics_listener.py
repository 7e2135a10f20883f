"""What Prometheus scrapes from elsewhere: numbers without a login, and nothing else."""

import re
from itertools import product
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.deploy.metric_table import labels_of_series
from tests.deploy.queries import rules
from tests.integration.running import MARKET, running_service

# A counter of an alert or a ratio, with the labels that it asks for.
_COUNTED = re.compile(r"(?:increase|rate)\((\w+_total)(\{[^}]*\})?\[")
_MATCHER = re.compile(r'(\w+)=~?"([^"]*)"')
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


async def test_what_alerts_count_is_there_before_it_happens(tmp_path: Path) -> None:
    """Prometheus sees no increase in a counter that is absent until its first event."""
    async with (
        running_service(tmp_path, service={"metrics": ANYWHERE}) as running,
        running.session.get(f"{running.metrics}/metrics") as answer,
    ):
        families = [*text_string_to_metric_families(await answer.text())]
    samples = [sample for family in families for sample in family.samples]
    asked = [
        (name, dict(_MATCHER.findall(matchers)))
        for rule in rules()
        for name, matchers in _COUNTED.findall(rule["expr"])
        if name.startswith("pricing_proxy_")
    ]
    assert len({name for name, _ in asked}) >= 7
    for name, labels in asked:
        for values in product(*(pattern.split("|") for pattern in labels.values())):
            wanted = dict(zip(labels, values, strict=True))
            found = [s for s in samples if s.name == name and wanted.items() <= s.labels.items()]
            assert found, f"{name}{wanted} is not there"


async def test_it_is_off_unless_it_is_asked_for(tmp_path: Path) -> None:
    async with running_service(tmp_path) as running:
        assert running.metrics is None

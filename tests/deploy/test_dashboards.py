"""Dashboards ask for what there is, in any Grafana they are put into."""

from typing import Any

import pytest

from tests.deploy.files import read_yaml
from tests.deploy.metric_table import metrics
from tests.deploy.queries import dashboards, queries, rules, series

DASHBOARDS = dashboards()
VARIABLE = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS = 24


def test_each_query_names_metrics_and_labels_that_there_are() -> None:
    known = series()
    assert [fault for query in queries() for fault in query.faults(known)] == []


def test_each_metric_is_shown_or_alerted_of() -> None:
    """What nobody looks at need not be counted."""
    texts = [query.text for query in queries()] + [rule["expr"] for rule in rules()]
    unseen = [
        shown.name
        for program in metrics().values()
        for shown in program
        if not any(name in text for name in shown.series for text in texts)
    ]
    assert unseen == []


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_fits_into_any_grafana(name: str) -> None:
    dashboard = DASHBOARDS[name]
    assert f"{dashboard['uid']}.json" == name
    assert dashboard["templating"]["list"][0]["type"] == "datasource"
    assert "id" not in dashboard
    assert dashboard["refresh"]
    for panel in dashboard["panels"]:
        assert panel["datasource"] == VARIABLE
        assert all(target["datasource"] == VARIABLE for target in panel["targets"])
        assert panel["fieldConfig"]["defaults"]["unit"]


@pytest.mark.parametrize("name", DASHBOARDS)
def test_no_panel_lies_over_another(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARDS[name]["panels"]:
        cells = cells_of(panel["gridPos"])
        assert not cells & taken
        assert max(x for x, _ in cells) < COLUMNS
        taken |= cells
    numbers = [panel["id"] for panel in DASHBOARDS[name]["panels"]]
    assert len(set(numbers)) == len(numbers)


def cells_of(place: dict[str, int]) -> set[tuple[int, int]]:
    """Return the cells of the grid that a panel covers."""
    columns = range(place["x"], place["x"] + place["w"])
    return {(x, y) for x in columns for y in range(place["y"], place["y"] + place["h"])}


def test_variables_that_queries_use_are_there() -> None:
    for dashboard in DASHBOARDS.values():
        names = {variable["name"] for variable in dashboard["templating"]["list"]}
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                used = {name for name in ("flow", "market") if f"${name}" in target["expr"]}
                assert used <= names


def test_each_title_is_one_dashboards() -> None:
    titles = [dashboard["title"] for dashboard in DASHBOARDS.values()]
    assert sorted(titles) == ["ERP health", "Flows", "Price path", "Staleness"]


def test_grafana_finds_dashboards_and_data_where_compose_puts_them() -> None:
    services: Any = read_yaml("compose/compose.yaml")["services"]
    [provider] = read_yaml("grafana/provisioning/dashboards/files.yml")["providers"]
    [source] = read_yaml("grafana/provisioning/datasources/prometheus.yml")["datasources"]
    mounted = [volume.split(":")[1] for volume in services["grafana"]["volumes"] if ":ro" in volume]
    assert provider["options"]["path"] in mounted
    assert "/etc/grafana/provisioning" in mounted
    assert source["url"] == "http://prometheus:9090"
    assert "prometheus" in services

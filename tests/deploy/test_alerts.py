"""Alerts ask for what there is, say what to do, and are tried (`make deploy-check`)."""

import re
from collections import defaultdict
from typing import Any

import pytest

from tests.deploy.files import DEPLOY, read_yaml
from tests.deploy.queries import Query, rules, series

ALERTS = {rule["alert"]: rule for rule in rules() if "alert" in rule}
RUNBOOKS = DEPLOY / "runbooks"
SECTIONS = ["## What it means", "## Where to look", "## What to do"]
ADDRESS = "https://example.com/pricing-proxy/deploy/runbooks/{}.md"
# A command in a runbook, such as `d365-sync runs show RUN`.
COMMAND = re.compile(r"`(pricing-proxy|d365-sync) ([a-z][a-z-]*)")


def test_each_rule_names_metrics_and_labels_that_there_are() -> None:
    known = series()
    asked = [Query(str(rule.get("alert", rule.get("record"))), rule["expr"]) for rule in rules()]
    assert [fault for query in asked for fault in query.faults(known)] == []
    assert len(ALERTS) == 41


def test_a_query_for_what_there_is_not_is_found() -> None:
    wrong = Query("here", 'sum by (sku) (d365_sync_events{sate="held"}) > pricing_proxy_flight')
    assert wrong.faults(series()) == [
        "here: d365_sync_events has no label sate",
        "here: there is no pricing_proxy_flight",
        "here: no label sku",
    ]


@pytest.mark.parametrize("name", ALERTS)
def test_each_alert_is_as_people_expect_it(name: str) -> None:
    alert = ALERTS[name]
    assert re.fullmatch(r"(PricingProxy|D365Sync)([A-Z][a-z]+)+", name)
    assert alert["labels"] == {"severity": alert["labels"]["severity"]}
    assert alert["labels"]["severity"] in {"page", "ticket"}
    told = alert["annotations"]
    assert told.keys() == {"summary", "description", "runbook_url"}
    assert told["runbook_url"] == ADDRESS.format(name)
    assert told["summary"].endswith(".")


def test_labels_that_a_text_shows_are_left_by_the_query() -> None:
    """A label that was added up is shown as nothing."""
    for name, alert in ALERTS.items():
        shown = set(re.findall(r"\$labels\.(\w+)", alert["annotations"]["description"]))
        kept = {
            label.strip()
            for group in re.findall(r"by \(([^)]*)\)", alert["expr"])
            for label in group.split(",")
        }
        assert shown <= kept | ({"instance"} if alert["expr"].startswith("up{") else set()), name


def test_each_alert_has_a_runbook_and_each_runbook_an_alert() -> None:
    assert {file.stem for file in RUNBOOKS.glob("*.md")} == set(ALERTS)


@pytest.mark.parametrize("name", ALERTS)
def test_a_runbook_says_what_it_means_where_to_look_and_what_to_do(name: str) -> None:
    text = (RUNBOOKS / f"{name}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {name}\n\n{ALERTS[name]['annotations']['summary']}")
    assert re.findall(r"^## .*", text, re.MULTILINE) == SECTIONS
    for section in text.split("\n## ")[1:]:
        assert len(section.split("\n", 1)[1].strip()) > 20
    others = set(re.findall(r"`((?:PricingProxy|D365Sync)\w+)`", text))
    assert others <= set(ALERTS)


def test_the_commands_in_runbooks_exist() -> None:
    known = {"pricing-proxy": commands("pricing_proxy"), "d365-sync": commands("sync")}
    for file in RUNBOOKS.glob("*.md"):
        for program, command in COMMAND.findall(file.read_text(encoding="utf-8")):
            assert command in known[program], f"{file.name}: {program} {command}"


def commands(package: str) -> set[str]:
    """Return the names of a program's commands."""
    if package == "sync":
        from sync.__main__ import COMMANDS  # noqa: PLC0415 -- both are called COMMANDS

        return set(COMMANDS)
    from pricing_proxy.__main__ import COMMANDS as OTHERS  # noqa: PLC0415 -- as above

    return set(OTHERS)


def test_each_alert_is_tried_when_it_should_fire_and_when_it_should_not() -> None:
    tried: defaultdict[str, set[bool]] = defaultdict(set)
    for file in sorted((DEPLOY / "prometheus" / "tests").glob("*.yml")):
        for case in read_yaml(f"prometheus/tests/{file.name}")["tests"]:
            for one in case["alert_rule_test"]:
                tried[one["alertname"]].add(bool(one["exp_alerts"]))
    assert {name for name, both in tried.items() if both == {True, False}} == set(ALERTS)


def test_each_severity_goes_to_somebody() -> None:
    routes: Any = read_yaml("prometheus/alertmanager.yml")
    receivers = {receiver["name"] for receiver in routes["receivers"]}
    assert {routes["route"]["receiver"], routes["route"]["routes"][0]["receiver"]} == receivers


def test_what_is_kept_quiet_is_an_alert_that_there_is() -> None:
    routes: Any = read_yaml("prometheus/alertmanager.yml")
    for rule in routes["inhibit_rules"]:
        for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
            if found := re.fullmatch(r'alertname(=~?)"(.+)"', matcher):
                matching = [name for name in ALERTS if re.fullmatch(found[2], name)]
                assert matching, matcher

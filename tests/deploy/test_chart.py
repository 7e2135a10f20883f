"""The Helm chart agrees with the programs; `make deploy-check` renders it."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from pricing_proxy import settings as price_settings
from pricing_proxy.configuration.entra_apps import TOKEN_FILE_VARIABLE, FederatedToken
from pricing_proxy.listening.listener import _DRAIN_SECONDS
from pricing_proxy.serve.application import _LAST_LOADS_SECONDS
from sync import settings as sync_settings
from sync.engine.workers import _GRACE_SECONDS
from tests.code.sources import ROOT
from tests.deploy.files import DEPLOY, read_yaml

CHART = DEPLOY / "helm" / "pricing-proxy"
VALUES = read_yaml("helm/pricing-proxy/values.yaml")
SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
PARTS = (CHART / "templates" / "_parts.tpl").read_text(encoding="utf-8")
# What a busy node adds.
MARGIN_SECONDS = 3


def template(name: str) -> str:
    return (CHART / "templates" / f"{name}.yaml").read_text(encoding="utf-8")


def closed(schema: Any) -> list[str]:
    """Return the tables of the schema that would let a misspelt key pass."""
    found: list[str] = []
    for name, inner in schema.get("properties", {}).items():
        if "properties" in inner and inner.get("additionalProperties") is not False:
            found.append(name)
        found += closed(inner)
    return found


def test_the_schema_takes_the_defaults_and_no_misspelt_key() -> None:
    assert jsonschema_rs.is_valid(SCHEMA, VALUES)
    assert closed(SCHEMA) == []
    assert not jsonschema_rs.is_valid(SCHEMA, {**VALUES, "replicas": 3})


def test_every_value_is_in_the_schema_and_the_other_way_round() -> None:
    assert set(VALUES) == set(SCHEMA["properties"]) - {"global"}
    for name, table in VALUES.items():
        known = SCHEMA["properties"][name].get("properties")
        if isinstance(table, dict) and known is not None:
            assert set(table) == set(known), name


def test_every_value_is_used() -> None:
    texts = "".join(file.read_text(encoding="utf-8") for file in (CHART / "templates").iterdir())
    for name, table in VALUES.items():
        assert f".Values.{name}" in texts
        if isinstance(table, dict):
            assert [key for key in table if f".{key}" not in texts] == []


def test_the_chart_is_of_the_projects_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    chart = read_yaml("helm/pricing-proxy/Chart.yaml")
    assert chart["appVersion"] == project["version"]


def test_its_rules_are_those_that_are_tested() -> None:
    for file in sorted((DEPLOY / "prometheus" / "rules").glob("*.yml")):
        assert (CHART / "rules" / file.name).read_bytes() == file.read_bytes()
    assert len(list((CHART / "rules").iterdir())) == 2


def test_a_pod_is_not_killed_before_it_could_end() -> None:
    [beside] = re.findall(r"add \(int .Values.shutdownSeconds\) (\d+)", PARTS)
    assert int(beside) >= _DRAIN_SECONDS + _LAST_LOADS_SECONDS + MARGIN_SECONDS
    [workers] = re.findall(r"terminationGracePeriodSeconds: (\d+)", template("sync"))
    assert int(workers) >= _GRACE_SECONDS + _DRAIN_SECONDS + MARGIN_SECONDS
    assert VALUES["shutdownSeconds"] == price_settings.Service().shutdown_seconds


def test_the_migration_finds_what_it_needs_before_the_release_is_there() -> None:
    """A namespace that denies all else lets its job reach nobody without a policy of its own."""
    configuration, job = re.findall(r'helm.sh/hook-weight: "(-?\d+)"', template("migrate"))
    [policy] = re.findall(r'helm.sh/hook-weight: "(-?\d+)"', template("networkpolicy"))
    assert int(policy) < int(job)
    assert int(configuration) < int(job)
    assert "helm.sh/hook: pre-install,pre-upgrade\n" in template("networkpolicy")
    # An account of the release is not there yet.
    assert "serviceAccountName" not in template("migrate")
    assert "serviceAccountName" not in PARTS


def test_names_are_asked_for_at_the_ports_of_both_kinds_of_cluster() -> None:
    """A policy sees the port of the pod behind the Service: 5353 on OpenShift."""
    assert VALUES["networkPolicy"]["dnsPorts"] == [53, 5353]
    asked = template("networkpolicy").partition("egress:")[2]
    for protocol in ("UDP", "TCP"):
        assert re.search(rf"dnsPorts \}}\}}(\n.*)*?\{{port: .*, protocol: {protocol}\}}", asked)


def test_pods_that_are_not_ready_keep_no_node_from_being_drained() -> None:
    for name in ("serve", "sync"):
        [budget] = [part for part in template(name).split("\n---\n") if "DisruptionBudget" in part]
        assert "maxUnavailable: 1\n" in budget
        assert "unhealthyPodEvictionPolicy: AlwaysAllow\n" in budget


def test_what_the_chart_sets_is_a_setting_of_both_programs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = dict(re.findall(r'name: (PRICING_PROXY_\w+), value: "?([^"{}]+|\{\{.*?\}\})"?\}', PARTS))
    told["PRICING_PROXY_SERVICE__SHUTDOWN_SECONDS"] = "7"
    del told["PRICING_PROXY_SECRETS_DIR"]
    secrets = read_yaml("compose/compose.yaml")["services"]["demo-sync"]["environment"]
    for name, text in {**secrets, **told}.items():
        monkeypatch.setenv(name, text)
    file = DEPLOY / "compose" / "demo.toml"
    service, sync = price_settings.load(file).service, sync_settings.load(file).sync
    assert service.shutdown_seconds == 7
    assert service.metrics is not None
    assert sync.metrics is not None
    ports = {"serve": (service.public.port, service.metrics.port)}
    ports["sync"] = (sync.intake.port, sync.metrics.port)
    for name, expected in ports.items():
        found = re.findall(r"containerPort: (\d+)", template(name))
        assert tuple(map(int, found)) == expected


def test_the_migration_reads_its_configuration_where_apps_have_a_workload_identity(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The webhook gives its pod nothing, as its service account is not there yet."""
    told = re.findall(r"name: (AZURE_\w+), value: (.+)\}", template("migrate"))
    secrets = read_yaml("compose/compose.yaml")["services"]["demo-sync"]["environment"]
    kept = {name: text for name, text in secrets.items() if "CLIENT_SECRET" not in name}
    for name, text in {**kept, **dict(told)}.items():
        monkeypatch.setenv(name, text)
    settings = sync_settings.load(DEPLOY / "compose" / "demo.toml")
    (environment,) = settings.environments.values()
    assert environment.app("sync").proof == FederatedToken(Path(dict(told)[TOKEN_FILE_VARIABLE]))


def test_kubernetes_names_no_service_in_the_environment() -> None:
    """PRICING_PROXY_SERVE_SERVICE_HOST would be read as a setting, and be a mistake."""
    assert "enableServiceLinks: false" in PARTS


def test_pods_have_no_rights() -> None:
    for line in (
        "runAsNonRoot: true",
        "readOnlyRootFilesystem: true",
        "allowPrivilegeEscalation: false",
        "capabilities: {drop: [ALL]}",
        "seccompProfile: {type: RuntimeDefault}",
        "automountServiceAccountToken: false",
    ):
        assert line in PARTS

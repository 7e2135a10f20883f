"""The queries of alerts and dashboards, and which metrics and labels they name."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.deploy.files import DEPLOY, read_yaml
from tests.deploy.metric_table import labels_of_series

# What Prometheus adds to whatever it scrapes.
SCRAPED = {"job", "instance"}
_VARIABLES = {"$__rate_interval": "5m", "$datasource": "prometheus"}
_NAME = re.compile(r"(?<![\w:$\"{-])((?:pricing_proxy|d365_sync)[\w:]*|up)(?![\w:(])(\{[^}]*\})?")
_MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_BY = re.compile(r"\b(?:by|without|ignoring|on)\s*\(([^)]*)\)")


@dataclass(frozen=True, slots=True)
class Query:
    """A query, and where it stands."""

    place: str
    text: str

    @property
    def resolved(self) -> str:
        """The query with values for the variables of its dashboard, in one line."""
        text = self.text
        for name, value in _VARIABLES.items():
            text = text.replace(name, value)
        return " ".join(re.sub(r"\$\w+", "x", text).split())

    def faults(self, series: dict[str, tuple[str, ...]]) -> list[str]:
        """Return the metrics and labels that do not exist.

        Args:
            series: The labels of each name that there is.
        """
        found, known = [], set(SCRAPED)
        for name, matchers in _NAME.findall(self.text):
            if name not in series:
                found.append(f"{self.place}: there is no {name}")
                continue
            labels = {*series[name], *SCRAPED}
            known |= labels
            wrong = set(_MATCHER.findall(re.sub(r'"[^"]*"', "", matchers))) - labels
            found += [f"{self.place}: {name} has no label {label}" for label in sorted(wrong)]
        grouped = {label.strip() for group in _BY.findall(self.text) for label in group.split(",")}
        found += [f"{self.place}: no label {label}" for label in sorted(grouped - known)]
        return found


def dashboards() -> dict[str, Any]:
    """Return the dashboards by the names of their files."""
    files = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
    return {file.name: json.loads(file.read_text(encoding="utf-8")) for file in files}


def queries() -> Iterator[Query]:
    """Yield the queries of all dashboards' panels."""
    for name, dashboard in dashboards().items():
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                yield Query(f"{name}: {panel['title']}", target["expr"])


def rules() -> list[dict[str, Any]]:
    """Return all rules, those that record and those that alert."""
    files = sorted((DEPLOY / "prometheus" / "rules").glob("*.yml"))
    return [
        rule
        for file in files
        for group in read_yaml(f"prometheus/rules/{file.name}")["groups"]
        for rule in group["rules"]
    ]


def series() -> dict[str, tuple[str, ...]]:
    """Return the labels of each name that a query may use, recorded ones included."""
    recorded: dict[str, tuple[str, ...]] = {
        rule["record"]: () for rule in rules() if "record" in rule
    }
    return {**labels_of_series(), **recorded}

"""Rules for a drill are the rules of `deploy/`, in less time."""

import re
from typing import Any

import pytest
import yaml

from tests.deploy.files import DEPLOY, read_yaml
from tests.drill.pace import faster, faster_rules, prometheus_configuration

FILES = sorted((DEPLOY / "prometheus" / "rules").glob("*.yml"))
_DURATION = re.compile(r"\[\d+\w+\]")


@pytest.mark.parametrize(
    ("duration", "short"),
    [("5m", "10000ms"), ("1h", "120000ms"), ("3d", "8640000ms"), ("15s", "500ms"), ("1ms", "1ms")],
)
def test_a_duration_is_divided(duration: str, short: str) -> None:
    assert faster(duration, 30) == short


@pytest.mark.parametrize("text", ["5", "five minutes", "1h30m", ""])
def test_what_is_no_plain_duration_is_refused(text: str) -> None:
    """One that was passed over would make an alert that never fires within a drill."""
    with pytest.raises(ValueError, match="is no duration"):
        faster(text, 30)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_nothing_but_durations_changes(file: Any) -> None:
    before = read_yaml(f"prometheus/rules/{file.name}")["groups"]
    after = yaml.safe_load(faster_rules(file.read_text(encoding="utf-8"), 30))["groups"]
    for group, other in zip(before, after, strict=True):
        if "interval" in group:
            assert other["interval"] == faster(group["interval"], 30)
        for rule, short in zip(group["rules"], other["rules"], strict=True):
            assert _DURATION.sub("", rule["expr"]) == _DURATION.sub("", short["expr"])
            assert len(_DURATION.findall(rule["expr"])) == len(_DURATION.findall(short["expr"]))
            assert not re.search(r"\[\d+[smhd]\]", short["expr"])
            assert ("for" in rule) == ("for" in short)
            for key in ("alert", "record", "labels", "annotations"):
                assert rule.get(key) == short.get(key)


@pytest.mark.parametrize(("pace", "every"), [(1, "15000ms"), (5, "3000ms"), (30, "1000ms")])
def test_rules_are_asked_as_often_as_their_pace_needs(pace: int, every: str) -> None:
    """Within a second nobody has to answer: a busy machine would look like a dead one."""
    told = yaml.safe_load(prometheus_configuration(["one.yml"], {"a": "127.0.0.1:1"}, pace))
    assert set(told["global"].values()) == {every}
    [job] = told["scrape_configs"]
    assert job == {"job_name": "a", "static_configs": [{"targets": ["127.0.0.1:1"]}]}
    assert read_yaml("prometheus/prometheus.yml")["global"]["scrape_interval"] == "15s"

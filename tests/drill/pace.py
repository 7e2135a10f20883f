"""Rules of Prometheus for a drill: the same, with every duration shortened by one factor.

An alert that waits for five minutes shows within ten seconds of a drill at a pace of 30. What is
no duration of a rule stays as it is: thresholds, and times that the programs themselves tell in
seconds, such as the age of a map.
"""

import re
from typing import Any

import yaml

_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"(\d+)(ms|s|m|h|d)")
_RANGE = re.compile(r"\[(\d+(?:ms|s|m|h|d))\]")
# Prometheus knows no shorter one, and no fraction.
_LEAST_MS = 1
# As deploy/prometheus has it; but no program need answer sooner than within a second.
_SCRAPED_MS, _LEAST_SCRAPED_MS = 15_000, 1_000


def faster(duration: str, pace: int) -> str:
    """Return a duration of Prometheus divided by `pace`; raises `ValueError` for another text."""
    found = _DURATION.fullmatch(duration)
    if found is None:
        raise ValueError(f"{duration!r} is no duration")
    milliseconds = int(found[1]) * _UNITS[found[2]] // pace
    return f"{max(milliseconds, _LEAST_MS)}ms"


def faster_rules(text: str, pace: int) -> str:
    """Return a file of rules with what they wait for and look back at shortened.

    Names stay, those of recorded rates too: `ratio_rate5m` is over ten seconds at a pace of 30.
    """
    rules: Any = yaml.safe_load(text)
    for group in rules["groups"]:
        if "interval" in group:
            group["interval"] = faster(group["interval"], pace)
        for rule in group["rules"]:
            rule["expr"] = _RANGE.sub(lambda found: f"[{faster(found[1], pace)}]", rule["expr"])
            if "for" in rule:
                rule["for"] = faster(rule["for"], pace)
    return str(yaml.safe_dump(rules, sort_keys=False))


def prometheus_configuration(rules: list[str], targets: dict[str, str], pace: int) -> str:
    """Return a configuration that scrapes often enough for rules of that pace.

    Args:
        rules: The files of the rules.
        targets: Addresses by the names of their jobs, which the rules rely on.
        pace: By which the rules were shortened.
    """
    every = f"{max(_SCRAPED_MS // pace, _LEAST_SCRAPED_MS)}ms"
    jobs = [
        {"job_name": job, "static_configs": [{"targets": [target]}]}
        for job, target in targets.items()
    ]
    times = {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every}
    return str(yaml.safe_dump({"global": times, "rule_files": rules, "scrape_configs": jobs}))

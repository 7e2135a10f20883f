"""The files of `deploy/`, read."""

from typing import Any

import yaml

from tests.code.sources import ROOT

DEPLOY = ROOT / "deploy"


def read_yaml(path: str) -> Any:
    """Return what a YAML file holds.

    Args:
        path: From `deploy/`.
    """
    return yaml.safe_load((DEPLOY / path).read_text(encoding="utf-8"))

"""Whatever is installed with the programs is used by them."""

import tomllib

from tests.code.distributions import distributions_used, plain, required
from tests.code.sources import ROOT

# Used without being imported by us.
UNNAMED = {"tzdata": "zoneinfo reads it where the system has no time zones"}


def test_each_dependency_is_imported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = required(project["dependencies"])
    used = {plain(name) for name in distributions_used()}
    assert sorted(declared - used - UNNAMED.keys()) == []
    assert sorted(UNNAMED.keys() - declared) == []

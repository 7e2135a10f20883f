"""Adding a flow touches its own folder and the one list."""

import subprocess
import sys
from pathlib import Path

from pricing_proxy.children import tied

_HERE = Path(__file__).parents[2]


def test_a_flow_in_its_own_folder_and_the_list_is_taken_by_all() -> None:
    """In a process of its own: settings and intake read the list when they are imported."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "tests.toy_flow.listed"]
    ended = subprocess.run(  # noqa: S603 -- our own words
        [*command, "tests/toy_flow/carried.py"],
        cwd=_HERE,
        capture_output=True,
        text=True,
        check=False,
        **tied(),
    )

    assert ended.returncode == 0, ended.stdout

"""Two versions side by side: whoever is called is the one that was meant."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pricing_proxy.children import tied
from sync.store.schema import newest_version
from tests.chaos.processes import ChaosError
from tests.rolling.versions import NEXT, Version, versions

ASK = """\
import json, sync.store.schema as schema
print(json.dumps([schema.__file__, schema.newest_version(), schema.WORKS_SINCE]))
"""


def asked(version: Version) -> list[str]:
    done = subprocess.run(  # noqa: S603 -- our own words
        [sys.executable, "-c", ASK],
        env={**os.environ, **version.variables},
        capture_output=True,
        text=True,
        check=True,
        **tied(),
    )
    said: list[str] = json.loads(done.stdout)
    return said


def test_the_next_version_has_one_more_step_on_which_this_one_can_work(tmp_path: Path) -> None:
    before, after = versions(tmp_path, None)

    file, newest, works_since = asked(after)
    assert Path(file).is_relative_to(after.folder)
    assert newest == NEXT
    assert works_since <= newest_version()
    file, newest, _ = asked(before)
    assert Path(file).is_relative_to(before.folder)
    assert newest == newest_version()


def test_a_commit_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ChaosError, match="there is no nowhere here"):
        versions(tmp_path, "nowhere")

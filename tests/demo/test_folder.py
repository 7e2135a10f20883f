"""One demo at a time has a folder, and removes what one that was killed left there."""

from pathlib import Path

import pytest

from pricing_proxy.demo.command import alone_in
from pricing_proxy.demo.plan import DemoError
from pricing_proxy.demo.sync_plan import clear_databases


def test_a_second_demo_in_a_folder_is_told_to_take_another(tmp_path: Path) -> None:
    with (
        alone_in(tmp_path),
        pytest.raises(DemoError, match="--folder"),
        alone_in(tmp_path),
    ):
        pytest.fail("both have it")
    with alone_in(tmp_path):
        pass


def test_databases_that_were_left_are_removed_and_nothing_else(tmp_path: Path) -> None:
    left, kept = tmp_path / "postgres-abc" / "data", tmp_path / "secrets"
    for folder in (left, kept):
        folder.mkdir(parents=True)
        (folder / "file").touch()

    clear_databases(tmp_path)

    assert list(tmp_path.iterdir()) == [kept]

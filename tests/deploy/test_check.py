"""A tool that is missing fails the check by its name: nothing is passed over in silence."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.deploy import check
from tests.deploy.check import CHECKS, Check
from tests.deploy.tools import TOOLS


def prints(*commands: Sequence[str]) -> Check:
    def run(_: Path) -> Iterator[Sequence[str]]:
        yield from commands

    return Check("commands", ("sh",), run)


def test_each_tool_says_how_to_get_it() -> None:
    assert {tool for each in CHECKS for tool in each.tools} == TOOLS.keys()


def test_a_missing_tool_is_named_and_fails_and_the_others_are_checked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(check, "may_install", lambda: False)
    missing = Check("units", ("systemd-analyze",), lambda _: iter(()))
    monkeypatch.setattr(check, "CHECKS", (missing, prints(["sh", "-c", "exit 0"])))
    monkeypatch.setattr("shutil.which", lambda tool: tool if tool == "sh" else None)

    assert check.main() == 1

    said = capsys.readouterr().out
    assert "FAILED units" in said
    assert "systemd-analyze is missing. Debian: apt-get install systemd" in said
    assert "1 passed, 1 failed" in said


def test_what_a_tool_finds_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = prints(["sh", "-c", "echo line 3 is wrong; exit 1"])
    monkeypatch.setattr(check, "CHECKS", (found,))

    assert check.main() == 1
    assert "line 3 is wrong" in capsys.readouterr().out


def test_nothing_found_is_a_success(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "CHECKS", (prints(["sh", "-c", "true"]),))
    assert check.main() == 0

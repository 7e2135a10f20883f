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


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("echo /serve/replicas: got string >&2; exit 1", 0),
        ("echo something else; exit 1", 1),
        ("echo /serve/replicas", 1),
    ],
)
def test_a_mistake_is_refused_and_named_or_the_check_fails(command: str, code: int) -> None:
    done = check._run(("sh", "-c", check._REFUSES, "/serve/replicas", "sh", "-c", command))
    assert done.returncode == code


def test_root_installs_what_is_missing_from_debian_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    asked = tmp_path / "asked"
    apt = tmp_path / "apt-get"
    apt.write_text(f'#!/bin/sh\necho "$@" >> {asked}\n')
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    needs = Check("units", ("systemd-analyze", "hadolint"), lambda _: iter(()))
    monkeypatch.setattr(check, "CHECKS", (needs,))
    monkeypatch.setattr("tests.deploy.tools.is_here", lambda tool: tool == "sh")
    monkeypatch.setattr(check, "is_here", lambda tool: tool != "hadolint")

    assert check.main() == 1

    updated, installed = asked.read_text().splitlines()
    assert updated.endswith("update")
    assert installed.endswith("install --no-install-recommends systemd")
    said = capsys.readouterr().out
    assert "Installing systemd" in said
    assert "hadolint is missing. make deploy-check installs it from deploy/tools.lock" in said

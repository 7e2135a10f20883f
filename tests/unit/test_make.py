"""What `make` says when it cannot install, in a folder with a blank and an umlaut."""

import shutil
import subprocess
from pathlib import Path

import pytest

from pricing_proxy.children import tied
from tests.code.sources import ROOT

MAKE = shutil.which("make")
pytestmark = pytest.mark.skipif(MAKE is None, reason="there is no make")

# Stands in for Python: fails at one step, and makes an environment whose pip fails at another.
PYTHON = """\
#!/bin/sh
case "$*" in
    *{failing}*) echo "the reason" >&2; exit 1;;
    *"-m venv "*) mkdir -p .venv/bin && cp "$0" .venv/bin/python;;
esac
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "Kunde Müller"
    made.mkdir()
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, made)
    return made


def make(folder: Path, python: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 -- our own words
        [str(MAKE), "install", f"PYTHON={python}"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        **tied(),
    )


def stand_in(folder: Path, failing: str) -> str:
    python = folder / "a python"
    python.write_text(PYTHON.format(failing=failing))
    python.chmod(0o755)
    return str(python)


def test_a_python_that_is_missing_is_told_with_what_to_install(folder: Path) -> None:
    ended = make(folder, "python-that-is-nowhere")

    assert ended.returncode != 0
    assert "there is no python-that-is-nowhere: install Python 3.11 or later" in ended.stdout
    assert "make PYTHON=/path/to/python3.11 install" in ended.stdout


@pytest.mark.parametrize(
    ("failing", "told"),
    [
        ("version_info", "is older than 3.11"),
        ("ensurepip", "comes without venv (Debian: apt-get install python3-venv)"),
        ('"-m venv "', "no environment could be made in .venv"),
        ("requirements.lock", "could not be fetched"),
    ],
)
def test_each_step_that_fails_says_what_to_do(folder: Path, failing: str, told: str) -> None:
    ended = make(folder, stand_in(folder, failing))

    assert ended.returncode != 0
    assert told in ended.stdout
    assert not (folder / ".venv" / ".ready").exists()


def test_without_a_network_a_proxy_and_an_index_are_named(folder: Path) -> None:
    ended = make(folder, stand_in(folder, "requirements.lock"))

    assert "HTTPS_PROXY" in ended.stdout
    assert "PIP_INDEX_URL" in ended.stdout
    assert "the reason" in ended.stderr


def test_an_environment_is_ready_when_every_step_was_done(folder: Path) -> None:
    ended = make(folder, stand_in(folder, "no-such-step"))

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert (folder / ".venv" / ".ready").exists()

"""What is installed is whole: a wheel holds all that stands beside the code, and the licence."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pricing_proxy.children import tied

ROOT = Path(__file__).parents[2]
PACKAGES = ("pricing_proxy", "sync")


def beside_the_code() -> set[str]:
    """Return every file of the packages, with modules."""
    files = (file for name in PACKAGES for file in (ROOT / name).rglob("*") if file.is_file())
    return {file.relative_to(ROOT).as_posix() for file in files if "__pycache__" not in file.parts}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Build it from a copy, as a build leaves things behind; return the names of its files."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in PACKAGES:
        leave_out = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, source / name, ignore=leave_out)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir")
    command = [sys.executable, "-m", "pip", "wheel", *options, str(target), str(source)]
    subprocess.run(command, check=True, capture_output=True, **tied())  # noqa: S603 -- our own interpreter
    [built] = target.iterdir()
    with zipfile.ZipFile(built) as content:
        return set(content.namelist())


def test_a_wheel_holds_every_file_beside_the_code(wheel: set[str]) -> None:
    assert beside_the_code() <= wheel


def test_a_wheel_holds_the_licence(wheel: set[str]) -> None:
    assert any(name.endswith("/licenses/LICENSE") for name in wheel)

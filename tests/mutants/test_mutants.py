"""Every seeded mistake in the modules that keep the promises is noticed by a test.

A patch names the test that catches it. The package and the tests are copied, the patch is
applied to the copy, and the named test runs there in a process of its own: it must fail, and
before the patch it must pass.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pricing_proxy.children import tied
from tests.patience import PATIENCE_SECONDS

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PATCHES = sorted(HERE.glob("*.patch"))
_CAUGHT_BY = re.compile(r"^Caught by: (\S+)$", re.MULTILINE)
_PACKAGES = ("pricing_proxy", "sync")
# What the named tests import, besides the packages.
_COPIED = (
    "__init__.py",
    "cases.py",
    "customers",
    "data/cases",
    "data/magento",
    "fakes",
    "listening",
    "magento",
    "orders",
    "patience.py",
    "postgres.py",
    "prices",
    "products",
    "property/__init__.py",
    "property/test_equal_numbers.py",
    "property/test_mirror_chunks.py",
    "property/test_outages.py",
    "property/test_reach_model.py",
    "property/test_late_changes.py",
    "resetting_server.py",
    "property/test_stock_model.py",
    "resilience",
    "shared_state/__init__.py",
    "shared_state/test_lost_connections.py",
    "sync_mirror",
    "stock",
    "unit/__init__.py",
    "unit/test_supervision.py",
    "virtual_time.py",
    "web",
)
# What random schedules do to replicas, by the functions that do it, and the mistakes about it.
CLOCKS, MODEL = "property/test_clock_schedules.py", "property/test_replicas_model.py"
MAPS = "property/test_maps_model.py"
DISTURBED: dict[tuple[str, ...], tuple[str, ...]] = {
    (f"{MODEL}::step_clock_of_redis", f"{CLOCKS}::step", f"{CLOCKS}::creep"): (
        "step_back_unnoticed",
        "step_forward_unnoticed",
        "small_steps_forgotten",
        "unseen_step_believed",
        "epoch_of_the_clock_ignored",
        "owed_epoch_dropped",
    ),
    (f"{MODEL}::fail_over", f"{MODEL}::lag", f"{MODEL}::lose_entries", f"{CLOCKS}::fail_over"): (
        "another_master_unnoticed",
        "clock_that_lags_ignored",
        "rollback_ignored",
    ),
    (f"{MODEL}::sleep", f"{CLOCKS}::sleep"): (
        "sleep_unnoticed",
        "sleep_is_within_the_lease",
        "sleep_during_a_read_ignored",
    ),
    (f"{MODEL}::reset_connections", f"{CLOCKS}::reset"): (
        "lost_connection_vouches",
        "reset_is_no_lost_connection",
    ),
    (f"{MODEL}::cut", f"{CLOCKS}::cut"): ("no_lease", "unwatched_clock_believed"),
    (f"{MAPS}::listing",): ("short_answer_believed",),
    (f"{MODEL}::evict", f"{CLOCKS}::evict", f"{MAPS}::evict_maps", f"{MAPS}::evict_ids"): (
        "evicted_ledger_is_whole",
        "lost_ids_are_nobodys",
    ),
    (f"{MODEL}::restart",): (
        "address_not_in_provenance",
        "meaning_not_in_key",
        "one_ledger_for_all_erps",
    ),
    (f"{MODEL}::ask", f"{MODEL}::change"): ("letters_of_names_count",),
}
# Loading all plugins takes four times as long as the tests do.
_PLUGINS = ("-p", "no:cacheprovider", "-p", "pytest_asyncio.plugin", "-p", "pytest_timeout")
# The first example that fails is enough: finding a smaller one takes ten times as long.
_CONFTEST = """
from hypothesis import Phase, settings
settings.register_profile(
    "first", deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate]
)
settings.load_profile("first")
"""
# pytest's own words: tests ran and some failed. Anything else is a broken copy.
_SOME_FAILED = 1


def test_there_are_enough_mutants() -> None:
    assert len(PATCHES) >= 10


@pytest.mark.parametrize("where", DISTURBED, ids=lambda where: where[0].partition("::")[2])
def test_each_thing_that_schedules_do_has_its_mistake(where: tuple[str, ...]) -> None:
    for place in where:
        file, _, name = place.partition("::")
        assert f"def {name}(" in (HERE.parent / file).read_text(), place
    assert set(DISTURBED[where]) <= {patch.stem for patch in PATCHES}


def test_unpatched_code_passes(tmp_path: Path) -> None:
    copy = _copy(tmp_path)
    ran = _run(copy, sorted({_catcher(patch) for patch in PATCHES}))
    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_a_mutant_is_caught(patch: Path, tmp_path: Path) -> None:
    copy = _copy(tmp_path)
    applied = _in(copy, "git", "apply", "--unidiff-zero", "--recount", str(patch))
    assert applied.returncode == 0, f"make the patch anew: {applied.stdout}"
    ran = _run(copy, [_catcher(patch)])
    assert ran.returncode == _SOME_FAILED, ran.stdout


def _catcher(patch: Path) -> str:
    found = _CAUGHT_BY.search(patch.read_text())
    assert found is not None, f"{patch.name} does not name the test that catches it"
    return found[1]


def _copy(folder: Path) -> Path:
    (folder / "tests").mkdir()
    (folder / "tests" / "conftest.py").write_text(_CONFTEST)
    for package in _PACKAGES:
        shutil.copytree(ROOT / package, folder / package)
    for name in _COPIED:
        source, target = ROOT / "tests" / name, folder / "tests" / name
        target.parent.mkdir(exist_ok=True, parents=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy2(source, target)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def _run(copy: Path, tests: list[str]) -> "subprocess.CompletedProcess[str]":
    # `-m` puts the working directory first, so the copy is what is imported.
    return _in(copy, sys.executable, "-m", "pytest", "-q", "-x", *_PLUGINS, *tests)


def _in(folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 -- programs and arguments of ours
        command,
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
        **tied(),
    )

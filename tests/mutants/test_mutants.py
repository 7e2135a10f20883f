"""Every seeded mistake in the modules that keep the promises is noticed by a test.

A patch names the test that catches it. It is applied to a copy of the file that it changes, and
the named test runs in a process of its own that imports the copy: it must fail, and without the
patch it must pass.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pricing_proxy.children import tied
from tests.mutants.trial import tried
from tests.patience import PATIENCE_SECONDS

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PATCHES = sorted(HERE.glob("*.patch"))
_CAUGHT_BY = re.compile(r"^Caught by: (\S+)$", re.MULTILINE)
_CHANGED = re.compile(r"^\+\+\+ b/(\S+\.py)$", re.MULTILINE)
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
        "step_hidden_by_sleep",
        "sleep_of_a_page_ignored",
        "kept_after_a_sleep",
        "waking_believes_redis",
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
    (f"{MODEL}::ask", f"{MODEL}::change"): (
        "letters_of_names_count",
        "settled_lines_are_not_reviewed",
    ),
}
# pytest's own words: tests ran and some failed. Anything else is a broken copy.
_SOME_FAILED = 1
# All that catch something take a minute together; each part is waited for by itself.
_PARTS = 4


def test_there_are_enough_mutants() -> None:
    assert len(PATCHES) >= 10


@pytest.mark.parametrize("where", DISTURBED, ids=lambda where: where[0].partition("::")[2])
def test_each_thing_that_schedules_do_has_its_mistake(where: tuple[str, ...]) -> None:
    for place in where:
        file, _, name = place.partition("::")
        assert f"def {name}(" in (HERE.parent / file).read_text(), place
    assert set(DISTURBED[where]) <= {patch.stem for patch in PATCHES}


@pytest.mark.parametrize("part", range(_PARTS))
def test_unpatched_code_passes(part: int, tmp_path: Path) -> None:
    told = tmp_path / "told"
    catchers = sorted({_catcher(patch) for patch in PATCHES})
    ended = tried(catchers[part::_PARTS], told, instead=None)
    assert ended == 0, told.read_text()


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_a_mutant_is_caught(patch: Path, tmp_path: Path) -> None:
    told = tmp_path / "told"
    ended = tried([_catcher(patch)], told, instead=_applied(patch, tmp_path))
    assert ended == _SOME_FAILED, told.read_text()


def _catcher(patch: Path) -> str:
    found = _CAUGHT_BY.search(patch.read_text())
    assert found is not None, f"{patch.name} does not name the test that catches it"
    return found[1]


def _applied(patch: Path, folder: Path) -> tuple[str, Path]:
    """Copy the one file that a patch changes, apply it there, and name its module."""
    (name,) = _CHANGED.findall(patch.read_text())
    file = folder / name
    file.parent.mkdir(parents=True)
    shutil.copy(ROOT / name, file)
    ran = subprocess.run(  # noqa: S603 -- programs and arguments of ours
        ["git", "apply", "--unidiff-zero", "--recount", str(patch)],  # noqa: S607
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
        **tied(),
    )
    assert ran.returncode == 0, f"make the patch anew: {ran.stdout}"
    return name.removesuffix(".py").replace("/", "."), file

"""A container that grants more than is needed is named, and stopped by nobody."""

import re

import pytest

from pricing_proxy.diagnosis.board import RowState
from pricing_proxy.diagnosis.rights import Surroundings, rights_row, warn_of_rights
from tests.code.sources import ROOT

RIGHT = Surroundings(user=10001, is_contained=True, is_root_writable=False)
AS_ROOT = Surroundings(user=0, is_contained=True, is_root_writable=False)
WRITABLE = Surroundings(user=10001, is_contained=True, is_root_writable=True)
NO_CONTAINER = Surroundings(user=0, is_contained=False, is_root_writable=True)


@pytest.mark.parametrize(
    ("here", "found", "advice"),
    [
        (AS_ROOT, "runs as root", "runAsNonRoot: true"),
        (WRITABLE, "root file system can be written", "readOnlyRootFilesystem: true"),
    ],
)
def test_what_nobody_needs_is_named_at_start_and_by_check(
    here: Surroundings, found: str, advice: str, caplog: pytest.LogCaptureFixture
) -> None:
    row = rights_row(here)
    warn_of_rights(here)

    assert row.state is RowState.WARNED
    [said] = caplog.messages
    assert found in row.found
    assert found in said
    assert advice in row.next_step
    assert advice in said


def test_both_at_once_are_both_named(caplog: pytest.LogCaptureFixture) -> None:
    both = Surroundings(user=0, is_contained=True, is_root_writable=True)
    warn_of_rights(both)
    assert "root; this container's root file system" in rights_row(both).found
    assert len(caplog.messages) == 2


@pytest.mark.parametrize("here", [RIGHT, NO_CONTAINER])
def test_the_image_as_it_is_and_a_plain_machine_are_fine(
    here: Surroundings, caplog: pytest.LogCaptureFixture
) -> None:
    warn_of_rights(here)
    assert rights_row(here).state is RowState.OK
    assert caplog.messages == []


def test_the_image_says_that_it_is_a_container(monkeypatch: pytest.MonkeyPatch) -> None:
    """`tests.deploy.container` starts it with each right."""
    dockerfile = (ROOT / "deploy" / "image" / "Dockerfile").read_text(encoding="utf-8")
    [mark] = re.findall(r"^    container=(\w+)", dockerfile, re.MULTILINE)
    monkeypatch.delenv("container", raising=False)
    assert not Surroundings.here().is_contained
    monkeypatch.setenv("container", mark)
    assert Surroundings.here().is_contained

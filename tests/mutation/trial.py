"""Run the tests over one mutant, in a child process that began with everything else imported."""

import ast
import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import signal
import sys
import time
from collections.abc import Sequence
from enum import Enum
from signal import SIGKILL, SIGXCPU
from types import ModuleType

import hypothesis
import pytest

from pricing_proxy.children import tie
from tests.mutation.mutants import Mutant

# A mutant that hangs is noticed; the tests take some three seconds. Of the processor's time,
# so that a busy machine catches no mutant.
_PATIENCE_SECONDS = 12
_CAUGHT = 1


class Outcome(Enum):
    """What the tests made of a mutant; each `value` is how a report calls it."""

    SURVIVED = "survived"
    CAUGHT = "caught by a test"
    ENDLESS = "caught as it never ended"


class _Instead(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports the mutant in place of its module."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        del path, target
        if name != self._mutant.module:
            return None
        return importlib.util.spec_from_loader(name, self)

    def exec_module(self, module: ModuleType) -> None:
        tree: ast.Module = self._mutant.tree
        exec(compile(tree, self._mutant.module, "exec"), module.__dict__)  # noqa: S102 -- our own source, changed


def begin(mutant: Mutant | None, tests: Sequence[str]) -> int:
    """Start the trial of a mutant, or of the right program; return the child's process id."""
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        tie(parent, signal.SIGKILL)
        os._exit(_run(mutant, tests))
    return child


def _run(mutant: Mutant | None, tests: Sequence[str]) -> int:
    resource.setrlimit(resource.RLIMIT_CPU, (_PATIENCE_SECONDS, _PATIENCE_SECONDS))
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    if mutant is not None:
        sys.meta_path.insert(0, _Instead(mutant))
    # The same examples for every mutant, and no search for the smallest one. The suite's own
    # profile was loaded when this program began, and is not again.
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile(
        "mutation", phases=phases, derandomize=True, database=None, deadline=None
    )
    hypothesis.settings.load_profile("mutation")
    # These tests need none of the plugins, which cost more time than they do.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    for file in tests:
        if pytest.main(["-c", os.devnull, "-x", "-q", "-p", "no:cacheprovider", file]):
            return _CAUGHT
    return 0


def await_one(children: Sequence[int]) -> tuple[int, Outcome]:
    """Return the first child that ended, and what its tests made of the mutant."""
    while True:
        for child in children:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return child, _outcome(status)
        time.sleep(0.01)  # several processes, and not all children are ours to wait for


def _outcome(status: int) -> Outcome:
    if status == 0:
        return Outcome.SURVIVED
    was_stopped = os.WIFSIGNALED(status) and os.WTERMSIG(status) in (SIGXCPU, SIGKILL)
    return Outcome.ENDLESS if was_stopped else Outcome.CAUGHT

"""Score the tests of the circuit breaker; exit 1 below 95 % or with a survivor unexplained.

    python -m tests.mutation [--workers 2]

Survivors that change nothing a test could see stand in `explained.toml`, each with its
reason. An explanation without a survivor fails as well: it has outlived its mutant.
"""

import argparse
import importlib.util
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

import tests.virtual_time  # noqa: F401 -- imported once here, not in every child
from pricing_proxy.resilience import errors, evidence  # noqa: F401 -- as above
from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.trial import await_one, begin

_MODULES = tuple(
    f"pricing_proxy.resilience.{name}"
    for name in ("breaker", "breaker_events", "breaker_settings", "breaker_state")
)
# The quick ones first: the rest only runs for what they miss.
_TESTS = (
    "tests/resilience/test_breaker.py",
    "tests/resilience/test_guard.py",
    "tests/resilience/test_prober.py",
    "tests/property/test_breaker_model.py",
)
_GOAL_PERCENT = 95
_EXPLAINED = Path(__file__).with_name("explained.toml")


def main(arguments: Sequence[str]) -> int:
    """Print score and survivors; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("--workers", type=int, default=2)
    workers = parser.parse_args(arguments).workers
    console = Console(highlight=False, soft_wrap=True)
    _, is_failing = await_one([begin(None, _TESTS)])
    if is_failing:
        console.print("The tests fail without any mutant: run them first.")
        return 1
    mutants = [mutant for module in _MODULES for mutant in mutants_of(module, _source(module))]
    survivors = set()
    for mutant in _survivors(mutants, workers):
        survivors.add(mutant.name)
        console.print(f"survived: {mutant.name}", markup=False)
    return _judge(console, len(mutants), survivors)


def _source(module: str) -> str:
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(module)
    return Path(spec.origin).read_text(encoding="utf-8")


def _survivors(mutants: Sequence[Mutant], workers: int) -> Iterator[Mutant]:
    """Return the mutants that no test noticed, trying some at once."""
    running: dict[int, Mutant] = {}
    waiting = list(reversed(mutants))
    while waiting or running:
        while waiting and len(running) < workers:
            mutant = waiting.pop()
            running[begin(mutant, _TESTS)] = mutant
        child, is_caught = await_one(list(running))
        mutant = running.pop(child)
        if not is_caught:
            yield mutant


def _judge(console: Console, total: int, survivors: set[str]) -> int:
    listed = tomllib.loads(_EXPLAINED.read_text(encoding="utf-8"))["survivor"]
    explained = {str(entry["mutant"]): str(entry["reason"]) for entry in listed}
    percent = 100 * (total - len(survivors)) / total
    for name in sorted(survivors):
        console.print(f"{name}: {explained.get(name, 'UNEXPLAINED')}", markup=False)
    outlived = sorted(set(explained) - survivors)
    for name in outlived:
        console.print(f"explained, but no survivor: {name}", markup=False)
    console.print(
        f"{total - len(survivors)} of {total} mutants caught: {percent:.1f} %, "
        f"goal {_GOAL_PERCENT} %"
    )
    is_good = percent >= _GOAL_PERCENT and survivors <= set(explained) and not outlived
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

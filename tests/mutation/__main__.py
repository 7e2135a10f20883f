"""Score the tests of the circuit breaker; exit 1 below 95 % or with a survivor unexplained.

    python -m tests.mutation [--workers 2]

Survivors that change nothing a test could see stand in `explained.toml`, each with its
reason. An explanation without a survivor fails as well: it has outlived its mutant.
"""

import argparse
import importlib.util
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

import tests.conftest  # else it would load its own profile in every child
import tests.virtual_time  # noqa: F401 -- imported once here, not in every child
from pricing_proxy.resilience import errors, evidence  # noqa: F401 -- as above
from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.trial import Outcome, await_one, begin

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
    _, outcome = await_one([begin(None, _TESTS)])
    if outcome is not Outcome.SURVIVED:
        console.print("The tests fail without any mutant: run them first.")
        return 1
    mutants = [mutant for module in _MODULES for mutant in mutants_of(module, _source(module))]
    survivors, outcomes = set(), Counter[Outcome]()
    with Progress(console=console) as progress:
        bar = progress.add_task("mutants", total=len(mutants))
        for mutant, outcome in _tried(mutants, workers):
            outcomes[outcome] += 1
            progress.advance(bar)
            if outcome is Outcome.SURVIVED:
                survivors.add(mutant.name)
            if outcome is not Outcome.CAUGHT:
                progress.console.print(f"{outcome.value}: {mutant.name}", markup=False)
    for outcome in Outcome:
        console.print(f"{outcomes[outcome]:5} {outcome.value}")
    return _judge(console, len(mutants), survivors)


def _source(module: str) -> str:
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(module)
    return Path(spec.origin).read_text(encoding="utf-8")


def _tried(mutants: Sequence[Mutant], workers: int) -> Iterator[tuple[Mutant, Outcome]]:
    """Yield what the tests made of each mutant, trying some at once."""
    running: dict[int, Mutant] = {}
    waiting = list(reversed(mutants))
    while waiting or running:
        while waiting and len(running) < workers:
            mutant = waiting.pop()
            running[begin(mutant, _TESTS)] = mutant
        child, outcome = await_one(list(running))
        yield running.pop(child), outcome


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

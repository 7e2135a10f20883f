"""A function fits a screen, a module is read once from its top."""

from tests.code.sources import PROGRAMS, functions, sources

FUNCTION_LINES = 40
MODULE_LINES = 300
# Functions that may be longer, and why; one that need not be here any more has to go.
LONG_FUNCTIONS: dict[str, str] = {}


def test_a_module_has_300_lines_at_most() -> None:
    lines = {source.path: len(source.text.splitlines()) for source in sources(*PROGRAMS)}
    assert {path: count for path, count in lines.items() if count > MODULE_LINES} == {}


def test_a_function_has_40_lines_at_most() -> None:
    long = {
        f"{source.path}: {name}"
        for source in sources(*PROGRAMS)
        for name, function in functions(source.tree)
        if (function.end_lineno or 0) - function.lineno >= FUNCTION_LINES
    }
    assert sorted(long - LONG_FUNCTIONS.keys()) == []
    assert sorted(LONG_FUNCTIONS.keys() - long) == []

"""Whatever starts a program ties it to itself, so that nothing outlives who was killed."""

import ast
from collections.abc import Iterator

import pytest

from tests.code.sources import PROGRAMS, Source, nodes, sources

STARTING = frozenset(
    {"Popen", "run", "call", "check_call", "check_output", "create_subprocess_exec"}
    | {"create_subprocess_shell", "subprocess_exec", "posix_spawn", "system"}
)
WHERE = frozenset({"subprocess", "asyncio", "os", "loop"})

# The server of an embedded database serves other programs when the one that started it is killed.
OUTLIVING = frozenset({"sync/engine/embedded_postgres.py"})


def starts(tree: ast.AST) -> Iterator[ast.Call]:
    """Yield every call that starts a program."""
    for node in nodes(tree, ast.Call):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        whose, name = node.func.value, node.func.attr
        # A program on the loop is no child: asyncio.run.
        is_loop = isinstance(whose, ast.Name) and (whose.id, name) == ("asyncio", "run")
        if isinstance(whose, ast.Name) and whose.id in WHERE and name in STARTING and not is_loop:
            yield node


def is_tied(call: ast.Call) -> bool:
    """Say whether a call passes `**tied()`."""
    return any(
        keyword.arg is None
        and isinstance(keyword.value, ast.Call)
        and ast.unparse(keyword.value.func) == "tied"
        for keyword in call.keywords
    )


def untied(source: Source) -> list[str]:
    """Return where programs are started that nothing ties to us, and where we are copied so."""
    loose = [call for call in starts(source.tree) if not is_tied(call)]
    if source.path in OUTLIVING:
        loose = loose[1:]
    found = [f"{source.path}:{call.lineno}" for call in loose]
    if "os.fork()" in source.text and " tie(" not in source.text:
        found.append(f"{source.path}: os.fork")
    return found


def test_each_program_that_is_started_is_tied_to_who_started_it() -> None:
    own = f"{__name__.replace('.', '/')}.py"
    everywhere = [source for source in sources(*PROGRAMS, "tests") if source.path != own]

    assert [place for source in everywhere for place in untied(source)] == []
    assert sum(1 for source in everywhere for _ in starts(source.tree)) > 20


@pytest.mark.parametrize("text", ["subprocess.Popen(x)", "asyncio.create_subprocess_exec(*x)"])
def test_what_is_not_tied_is_found(text: str) -> None:
    tree = ast.parse(text)
    assert untied(Source(path="x.py", name="x", text=text, tree=tree)) == ["x.py:1"]

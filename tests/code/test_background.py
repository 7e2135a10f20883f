"""What runs by itself runs under supervision: nothing else makes tasks that nobody waits for."""

import ast
from collections.abc import Iterator

from tests.code.sources import PROGRAMS, nodes, sources

WAITED_FOR = {
    "pricing_proxy/background.py": "the one place: `Background` runs its loops so",
    "pricing_proxy/cache/merged_reads.py": "one exchange, whose end every reader is told",
    "pricing_proxy/d365/auth.py": "one acquisition of a token, whose end is noted",
    "pricing_proxy/prices/flights.py": "a flight, whose end every line of it is told",
    "pricing_proxy/sandbox/shop/write_log.py": "a write, whose client waits; the rest ends with it",
    "pricing_proxy/shared_state/cluster.py": "one command, which its caller waits for",
    "sync/engine/schedules.py": "a claim's renewal, which its task waits for",
    "sync/mirror/governor.py": "a claim's renewal, which its slot waits for",
    "sync/mirror/read_life.py": "a read's sign of life, which the read waits for",
    "sync/engine/workers.py": "loops of `Background`, which end one by one",
}


def test_tasks_are_made_where_somebody_waits_for_them() -> None:
    found = set(makers())
    assert found - WAITED_FOR.keys() == set(), "be a background.Background, or say who waits"
    assert WAITED_FOR.keys() - found == set(), "take it off the list"


def makers() -> Iterator[str]:
    """Yield each module that makes a task outside of a task group."""
    for source in sources(*PROGRAMS):
        for node in nodes(source.tree, ast.Call):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = ast.unparse(node.func.value)
                if node.func.attr in {"create_task", "ensure_future"} and owner != "group":
                    yield source.path

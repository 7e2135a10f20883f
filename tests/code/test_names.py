"""A class' name means one thing: whoever reads it need not look where it was imported from."""

import ast
from collections import defaultdict

from tests.code.sources import PROGRAMS, sources

# What the simulated systems call their own is told by where it stands.
SANDBOX = "pricing_proxy/sandbox/"


def test_each_public_class_has_a_name_of_its_own() -> None:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for source in sources(*PROGRAMS):
        if not source.path.startswith(SANDBOX):
            for node in source.tree.body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    found[node.name].append(source.name)
    assert {name: where for name, where in found.items() if len(where) > 1} == {}

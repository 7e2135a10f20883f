"""Make small wrong programs out of a right one: each differs from it in one place.

Left alone are docstrings, annotations, decorators and imports, which no test could judge.
"""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

_OTHER_COMPARISON: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OTHER_OPERATION: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.LShift: ast.RShift,
}
_SKIPPED_FIELDS = frozenset({"annotation", "returns", "decorator_list", "bases", "format_spec"})


@dataclass(frozen=True, slots=True)
class Mutant:
    """One wrong program.

    Attributes:
        module: Dotted name of the module that is changed.
        name: What is changed, stable while that place reads the same.
        tree: The changed module.
    """

    module: str
    name: str
    tree: ast.Module


def mutants_of(module: str, source: str) -> Iterator[Mutant]:
    """Return every mutant of a module; equal changes in one function are numbered."""
    counts: dict[str, int] = {}
    for path, place, node in _places(ast.parse(source), (), ""):
        for changed in _changes(node):
            label = f"{place}: {_text(node)} -> {_text(changed)}"
            counts[label] = counts.get(label, 0) + 1
            number = f" #{counts[label]}" if counts[label] > 1 else ""
            tree = _with(ast.parse(source), path, changed)
            yield Mutant(module, f"{module.rpartition('.')[2]}.{label}{number}", tree)


Path = tuple[tuple[str, int | None], ...]


def _places(node: ast.AST, path: Path, place: str) -> Iterator[tuple[Path, str, ast.AST]]:
    """Return every node that may change, how to reach it, and the function it stands in."""
    if isinstance(node, ast.Import | ast.ImportFrom) or _is_docstring(node):
        return
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        place = f"{place}.{node.name}" if place else node.name
    yield path, place or "module", node
    for field, value in ast.iter_fields(node):
        if field in _SKIPPED_FIELDS:
            continue
        if isinstance(value, ast.AST):
            yield from _places(value, (*path, (field, None)), place)
        elif isinstance(value, list):
            for index, child in enumerate(value):
                if isinstance(child, ast.AST):
                    yield from _places(child, (*path, (field, index)), place)


def _is_docstring(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _changes(node: ast.AST) -> Iterator[ast.AST]:  # noqa: C901, PLR0912 -- one row per kind of node
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in _OTHER_COMPARISON:
            yield _but(node, ops=[_OTHER_COMPARISON[type(operator)]()])
        case ast.BinOp(op=operation) | ast.AugAssign(op=operation):
            if type(operation) in _OTHER_OPERATION:
                yield _but(node, op=_OTHER_OPERATION[type(operation)]())
        case ast.BoolOp(op=ast.And()):
            yield _but(node, op=ast.Or())
        case ast.BoolOp(op=ast.Or()):
            yield _but(node, op=ast.And())
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.If(test=test) | ast.IfExp(test=test):
            yield _but(node, test=ast.UnaryOp(op=ast.Not(), operand=test))
        case ast.Constant(value=bool(value)):
            yield ast.Constant(value=not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value=value + 1)
        case ast.Constant(value=float(value)):
            yield ast.Constant(value=value + 0.125)
        case ast.Constant(value=str(value)):
            yield ast.Constant(value=f"{value}?")
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield ast.Return(value=ast.Constant(value=None))
        case ast.Expr(value=ast.Call()):
            yield ast.Pass()
        case ast.Call(func=ast.Name(id="replace"), keywords=keywords):
            for index in range(len(keywords)):
                yield _but(node, keywords=keywords[:index] + keywords[index + 1 :])


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _but(node: ast.AST, **changes: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in changes.items():
        setattr(changed, name, value)
    return changed


def _with(tree: ast.Module, path: Path, changed: ast.AST) -> ast.Module:
    """Return the tree with another node at the end of the path."""
    *way, (field, index) = path
    owner: ast.AST = tree
    for name, place in way:
        owner = getattr(owner, name) if place is None else getattr(owner, name)[place]
    if index is None:
        setattr(owner, field, changed)
    else:
        getattr(owner, field)[index] = changed
    return ast.fix_missing_locations(tree)


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.If):
        return f"if {ast.unparse(node.test)}"
    return ast.unparse(ast.fix_missing_locations(copy.deepcopy(node)))

"""Classes and functions of the programs, and what type an expression may have, by annotations.

Types are names of our own classes; one inside a container counts as the container's. That is
coarse: an expression may seem to have more types than it has, never none of those it has and
another one's. Where no annotation tells, the type is unknown, which is empty.
"""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tests.code.sources import Source, nodes

Types = frozenset[str]
UNKNOWN: Types = frozenset()
Function = ast.FunctionDef | ast.AsyncFunctionDef
# What gives a name a value.
_ASSIGNING = (
    ast.Assign, ast.AnnAssign, ast.NamedExpr, ast.For, ast.AsyncFor, ast.comprehension,
    ast.withitem, ast.ExceptHandler,
)  # fmt: skip


@dataclass(slots=True)
class Class:
    """One class; `members` holds the types of each."""

    name: str
    module: str
    node: ast.ClassDef
    bases: list[str]
    members: dict[str, Types] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)


class Program:
    """What is defined in some modules."""

    def __init__(self, modules: Iterable[Source]) -> None:
        self.modules = tuple(modules)
        self.classes: defaultdict[str, list[Class]] = defaultdict(list)
        self.returned: defaultdict[str, Types] = defaultdict(lambda: UNKNOWN)
        for source in self.modules:
            for node in nodes(source.tree, ast.ClassDef):
                if isinstance(node, ast.ClassDef):
                    bases = [name for base in node.bases if (name := last_name(base))]
                    self.classes[node.name].append(Class(node.name, source.name, node, bases))
        # Twice, as what a constructor keeps may be of a type that is told further down.
        for _ in range(2):
            self._describe()

    def every_class(self) -> Iterator[Class]:
        """Yield all classes."""
        for found in self.classes.values():
            yield from found

    def mro(self, name: str) -> Iterator[Class]:
        """Yield the classes of a name and what they are made of."""
        for each in self.classes.get(name, ()):
            yield from self.lineage(each)

    def lineage(self, told: Class) -> Iterator[Class]:
        """Yield a class and what it is made of."""
        yield told
        for base in told.bases:
            if base != told.name:
                yield from self.mro(base)

    def holders(self, types: Types, member: str) -> list[Class]:
        """Return the classes that a member of these types comes from."""
        return [each for name in types for each in self.mro(name) if member in each.members]

    def named_in(self, annotation: ast.AST | None) -> Types:
        """Return our classes that an annotation names, also in quotes."""
        if annotation is None:
            return UNKNOWN
        found: set[str] = set()
        for node in nodes(annotation):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                with_quotes = _parsed(node.value)
                found |= self.named_in(with_quotes) if with_quotes is not None else UNKNOWN
            found.add(last_name(node))
        return frozenset(found & self.classes.keys())

    def variables(self, function: Function, outer: Mapping[str, Types]) -> dict[str, Types]:
        """Return the types of a function's parameters and variables."""
        known = dict(outer)
        arguments = function.args
        for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            if each.annotation is not None:
                known[each.arg] = self.named_in(each.annotation)
        for _ in range(2):
            for node in nodes(function, *_ASSIGNING):
                self._assign(node, known)
        return known

    def types(self, expression: ast.AST | None, known: Mapping[str, Types]) -> Types:
        """Return what an expression may be; what a function gives, and what a class makes."""
        match expression:
            case ast.Name(id=name):
                return known.get(name) or self._global(name)
            case ast.Attribute(value=value, attr=attr):
                owners = self.holders(self.types(value, known), attr)
                if owners:
                    return UNKNOWN.union(*(each.members[attr] for each in owners))
                return self._global(attr)
            case ast.Call(func=func, args=args):
                return self.types(func, known) or self._passed(func, args, known)
        return self._either(_parts(expression), known)

    def _global(self, name: str) -> Types:
        return frozenset({name}) if name in self.classes else self.returned[name]

    def _passed(
        self, func: ast.expr, args: Sequence[ast.expr], known: Mapping[str, Types]
    ) -> Types:
        # A container's own method gives what is in it, and a generic one what it was given.
        within = self.types(func.value, known) if isinstance(func, ast.Attribute) else UNKNOWN
        return within | self._either(args, known)

    def _either(self, each: Iterable[ast.AST], known: Mapping[str, Types]) -> Types:
        return UNKNOWN.union(*(self.types(one, known) for one in each))

    def _assign(self, node: ast.AST, known: dict[str, Types]) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                pairs = [(target, self.types(value, known)) for target in targets]
            case ast.AnnAssign(target=target, annotation=annotation):
                pairs = [(target, self.named_in(annotation))]
            case ast.NamedExpr(target=target, value=value):
                pairs = [(target, self.types(value, known))]
            case (
                ast.For(target=target, iter=it)
                | ast.AsyncFor(target=target, iter=it)
                | ast.comprehension(target=target, iter=it)
            ):
                pairs = [(target, self.types(it, known))]
            case ast.withitem(context_expr=value, optional_vars=target) if target is not None:
                pairs = [(target, self.types(value, known))]
            case ast.ExceptHandler(type=kind, name=str(name)):
                known[name] = known.get(name, UNKNOWN) | self.named_in(kind)
                return
            case _:
                return
        for target, types in pairs:
            for each in nodes(target):
                if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
                    known[each.id] = known.get(each.id, UNKNOWN) | types

    def _describe(self) -> None:
        for source in self.modules:
            for node in source.tree.body:
                if isinstance(node, Function):
                    self.returned[node.name] |= self.named_in(node.returns)
                elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                    self.returned[node.target.id] |= self.named_in(node.annotation)
                elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                    self.returned[node.targets[0].id] |= self.types(node.value, {})
        for each in self.every_class():
            self._describe_class(each)

    def _describe_class(self, told: Class) -> None:
        for node in told.node.body:
            match node:
                case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                    self._member(told, name, node, self.named_in(annotation))
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self._member(told, name, node, self.types(value, {}))
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    self._member(told, name, node, self.named_in(node.returns))
                    known = self.variables(node, {"self": frozenset({told.name})})
                    for inner in nodes(node, ast.Assign, ast.AnnAssign):
                        self._describe_kept(told, inner, known)

    def _describe_kept(self, told: Class, node: ast.AST, known: Mapping[str, Types]) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                types = self.types(value, known)
            case ast.AnnAssign(target=target, annotation=annotation):
                targets, types = [target], self.named_in(annotation)
            case _:
                return
        for each in (inner for target in targets for inner in nodes(target)):
            if isinstance(each, ast.Attribute) and is_self(each.value):
                self._member(told, each.attr, each, types)

    def _member(self, told: Class, name: str, node: ast.stmt | ast.expr, types: Types) -> None:
        told.members[name] = told.members.get(name, UNKNOWN) | types
        told.lines.setdefault(name, node.lineno)


def _parts(expression: ast.AST | None) -> Sequence[ast.AST]:
    """Return the expressions whose types an expression has."""
    match expression:
        case (
            ast.Await(value=value)
            | ast.Starred(value=value)
            | ast.Subscript(value=value)
            | ast.NamedExpr(value=value)
            | ast.DictComp(value=value)
            | ast.ListComp(elt=value)
            | ast.SetComp(elt=value)
            | ast.GeneratorExp(elt=value)
        ):
            return (value,)
        case ast.IfExp(body=one, orelse=other) | ast.BinOp(left=one, right=other):
            return (one, other)
        case (
            ast.BoolOp(values=items)
            | ast.Dict(values=items)
            | ast.List(elts=items)
            | ast.Tuple(elts=items)
            | ast.Set(elts=items)
        ):
            return items
    return ()


def last_name(node: ast.AST) -> str:
    """Return the name that an expression ends in, of a generic class its own."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=value) | ast.Call(func=value):
            return last_name(value)
    return ""


def is_self(node: ast.AST) -> bool:
    """Return whether it is the object of a method."""
    return isinstance(node, ast.Name) and node.id in {"self", "cls"}


def _parsed(text: str) -> ast.AST | None:
    try:
        return ast.parse(text, mode="eval")
    except SyntaxError:
        return None

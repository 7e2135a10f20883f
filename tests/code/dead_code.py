"""What is defined in the programs and never used by them; the tests do not count."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tests.code.program import Class, Function, Program, Types, is_self, last_name
from tests.code.sources import ROOT, Source, nodes

# Decorators after which a function is called by its own name; others hand it to somebody.
_PLAIN = {
    "asynccontextmanager", "cache", "cached_property", "classmethod", "contextmanager", "final",
    "overload", "override", "property", "setter", "staticmethod", "runtime_checkable", "dataclass",
}  # fmt: skip
# Their members are used by their place, or by whoever reads the whole.
_WHOLE = {"NamedTuple", "TypedDict"}
# Read and written whole under the other system's names: what a mapping names is used.
_WIRE = {"Body", "Row", "ShopModel", "WireModel"}
_CHECKED = {"BaseModel"}
# Imported when it is called, as commands are.
_PLACE = re.compile(r"(?P<module>[a-z_0-9]+(\.[a-z_0-9]+)+):(?P<name>\w+)")
_BY_NAME = {"getattr", "hasattr", "attrgetter", "methodcaller"}


@dataclass(slots=True)
class _Call:
    places: int
    names: set[str]
    is_open: bool


@dataclass(slots=True)
class _Found:
    """What is used: the classes of each member, and names of which the class is not known."""

    members: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    unknown: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    calls: defaultdict[str, list[_Call]] = field(default_factory=lambda: defaultdict(list))
    handed_on: set[str] = field(default_factory=set)
    # Names that only say what something is.
    typing: set[int] = field(default_factory=set)

    def note_whole(self, told: Class) -> None:
        """Take all members of a class as used."""
        for member in told.members:
            self.members[member].add(told.name)


def dead_code(modules: tuple[Source, ...], templates: str = "") -> list[str]:
    """Return every name that nothing uses, as module and name; templates use what they name."""
    program = Program(modules)
    found = _Found(unknown=set(re.findall(r"\w+", templates)))
    found.handed_on |= {name for _, name in _places(modules)}
    for source in modules:
        found.typing = set(_typing(source.tree))
        _uses(source.tree, program, {}, found, own="")
    return sorted(
        {
            *_dead_names(modules, templates),
            *_dead_members(program, found),
            *_dead_parameters(program, found),
        }
    )


def templates_of(*folders: str) -> str:
    """Return the text of all templates."""
    paths = (path for each in folders for path in sorted((ROOT / each).rglob("*.html")))
    return "\n".join(path.read_text() for path in paths)


def _uses(
    node: ast.AST, program: Program, known: Mapping[str, Types], found: _Found, own: str
) -> None:
    """Note what is used in a piece of the tree, but for functions that call themselves."""
    for each in ast.iter_child_nodes(node):
        inner, name = known, own
        if isinstance(each, ast.ClassDef):
            inner = {**known, "self": frozenset({each.name}), "cls": frozenset({each.name})}
        elif isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            inner, name = program.variables(each, known), each.name
        _note(each, program, inner, found, name)
        _uses(each, program, inner, found, name)


def _note(
    node: ast.AST,
    program: Program,
    known: Mapping[str, Types],
    found: _Found,
    own: str,
) -> None:
    match node:
        case ast.Constant(value=str(text)):
            found.words.add(text)
        case ast.Call():
            found.words |= {each.arg for each in node.keywords if each.arg}
            _note_call(node, program, known, found)
            if last_name(node.func) in _BY_NAME:
                texts = [a.value for a in node.args if isinstance(a, ast.Constant)]
                found.unknown |= {
                    part for t in texts if isinstance(t, str) for part in t.split(".")
                }
        case ast.Attribute(ctx=ast.Load(), attr=attr) if not (attr == own and is_self(node.value)):
            owners = program.holders(program.types(node.value, known), attr)
            found.members[attr] |= {each.name for each in owners}
            if not owners:
                found.unknown.add(attr)
        case ast.MatchClass():
            found.unknown |= set(node.kwd_attrs)
            for each in program.classes.get(last_name(node.cls), ()) if node.patterns else ():
                found.note_whole(each)
    if id(node) not in found.typing and not isinstance(node, ast.Attribute):
        found.handed_on |= {
            last_name(each)
            for each in ast.iter_child_nodes(node)
            if isinstance(each, ast.Name | ast.Attribute) and id(each) not in found.typing
            if not (isinstance(node, ast.Call) and each is node.func)
        }


def _typing(tree: ast.Module) -> Iterator[int]:
    for node in nodes(tree):
        match node:
            case ast.arg(annotation=told) | ast.AnnAssign(annotation=told) if told is not None:
                yield from map(id, nodes(told))
            case ast.FunctionDef(returns=told) | ast.AsyncFunctionDef(returns=told) if told:
                yield from map(id, nodes(told))
            case ast.ClassDef(bases=bases):
                yield from (id(each) for base in bases for each in nodes(base))
            case ast.ExceptHandler(type=told) if told is not None:
                yield from map(id, nodes(told))
            case ast.Subscript(slice=told):
                yield from map(id, nodes(told))
            case ast.Call(func=ast.Name(id="isinstance" | "issubclass" | "cast"), args=args):
                yield from (id(each) for argument in args for each in nodes(argument))


def _note_call(node: ast.Call, program: Program, known: Mapping[str, Types], found: _Found) -> None:
    target = node.func
    is_open = any(isinstance(each, ast.Starred) for each in node.args)
    is_open = is_open or any(each.arg is None for each in node.keywords)
    names = {each.arg for each in node.keywords if each.arg}
    call = _Call(len(node.args), names, is_open)
    found.calls[last_name(target)].append(call)
    if isinstance(target, ast.Attribute) and last_name(target.value) == "super":
        for own in known.get("self", ()):
            for base in (base for each in program.classes[own] for base in each.bases):
                found.calls[base].append(call)


def _dead_names(modules: tuple[Source, ...], templates: str) -> Iterator[str]:
    """Yield functions, classes and constants of modules."""
    imported = set(_places(modules))
    attributes: set[str] = set(re.findall(r"\w+", templates))
    for source in modules:
        for node in nodes(source.tree, ast.ImportFrom, ast.Attribute):
            if isinstance(node, ast.ImportFrom) and node.module:
                imported |= {(node.module, alias.name) for alias in node.names}
            elif isinstance(node, ast.Attribute):
                attributes.add(node.attr)
    for source in modules:
        loaded = _loaded(source.tree)
        for node in source.tree.body:
            for name in _defined(node):
                # A private name is nobody else's.
                is_used = (source.name, name) in imported
                is_used = is_used or (name in attributes and not name.startswith("_"))
                if not is_used and not any(user is not node for user in loaded[name]):
                    yield f"{source.name}.{name}"


def _places(modules: tuple[Source, ...]) -> Iterator[tuple[str, str]]:
    """Yield module and name of what a text says to import later."""
    for source in modules:
        for node in nodes(source.tree, ast.Constant):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                place = _PLACE.fullmatch(node.value)
                if place is not None:
                    yield place["module"], place["name"]


def _defined(node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() if not _is_handed(node):
            yield node.name
        case ast.Assign(targets=targets):
            for each in (inner for target in targets for inner in nodes(target)):
                if isinstance(each, ast.Name) and not each.id.startswith("__"):
                    yield each.id
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name


def _loaded(tree: ast.Module) -> Mapping[str, list[ast.stmt]]:
    """Return the statements of a module in which each name is read, in quotes too."""
    found: defaultdict[str, list[ast.stmt]] = defaultdict(list)
    for statement in tree.body:
        for node in nodes(statement, ast.Name, ast.Constant):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                found[node.id].append(statement)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                for name in re.findall(r"\w+", node.value) if len(node.value) < 80 else ():
                    found[name].append(statement)
    return found


def _is_handed(node: Function | ast.ClassDef) -> bool:
    return any(last_name(each) not in _PLAIN for each in node.decorator_list)


def _dead_members(program: Program, found: _Found) -> Iterator[str]:
    for each in program.every_class():
        lineage = {base.name for base in program.mro(each.name)}
        bases = {base for told in program.mro(each.name) for base in told.bases}
        if bases & _WHOLE:
            continue
        handed = {
            node.name
            for node in each.node.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _is_handed(node)
        }
        known = handed | {"model_config"}
        if lineage & _WIRE:
            known |= found.words
        # Settings are read under types that are known.
        if not bases & _CHECKED:
            known |= found.unknown
        for member in each.members:
            if member.startswith("__") or member in known:
                continue
            if not _is_used(program, each, member, found):
                yield f"{each.module}.{each.name}.{member}"


def _is_used(program: Program, told: Class, member: str, found: _Found) -> bool:
    owners = found.members[member]
    if told.name in owners or owners & {base.name for base in program.mro(told.name)}:
        return True
    has = {name for base in program.mro(told.name) for name in base.members}
    for owner in owners:
        # One that takes after it, or a Protocol that it fits.
        if told.name in {base.name for base in program.mro(owner)}:
            return True
        for base in program.mro(owner):
            asked = {name for each in program.lineage(base) for name in each.members}
            if "Protocol" in base.bases and asked <= has:
                return True
    return any(
        told.name in {base.name for base in program.mro(each.name)}
        and _is_used(program, each, member, found)
        for each in program.every_class()
        if told.name in each.bases
    )


def _dead_parameters(program: Program, found: _Found) -> Iterator[str]:
    for source in program.modules:
        for owner, node in _functions(source.tree, ""):
            is_new = node.name == "__init__"
            if _is_handed(node) or (node.name.startswith("__") and not is_new):
                continue
            name = owner if is_new else node.name
            makers = {name, *(c.name for c in program.every_class() if is_new and owner in c.bases)}
            if makers & found.handed_on:
                continue
            calls = [call for maker in makers for call in found.calls[maker]]
            calls += found.calls["cls"] if is_new else []
            for place, parameter in _optional(node, is_method=bool(owner)):
                if not any(
                    call.is_open
                    or parameter in call.names
                    or (place is not None and call.places > place)
                    for call in calls
                ):
                    yield f"{source.name}.{owner + '.' if owner else ''}{node.name}({parameter})"


def _functions(within: ast.AST, owner: str) -> Iterator[tuple[str, Function]]:
    for node in ast.iter_child_nodes(within):
        if isinstance(node, ast.ClassDef):
            yield from _functions(node, node.name)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield owner, node


def _optional(node: Function, *, is_method: bool) -> Iterator[tuple[int | None, str]]:
    by_place = [*node.args.posonlyargs, *node.args.args]
    start = len(by_place) - len(node.args.defaults)
    for place, each in enumerate(by_place[start:], start - is_method):
        yield place, each.arg
    for each, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
        if default is not None:
            yield None, each.arg

"""Every key of the configuration, read off the models of both programs.

    python -m tests.configuration.keys

writes README's table of keys and the example that `config example` prints; the tests hold both.
A key's meaning is its line under `Attributes:` of its model.
"""

import inspect
import re
import types
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from pricing_proxy.settings import Settings
from sync import settings as sync_settings
from sync.sections import SyncMarket
from tests.configuration.toml import toml

# In the file a market has the rules of all flows, which the annotation leaves out.
_WHOLE: dict[type, type[BaseModel]] = {SyncMarket: sync_settings._Market}


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key.

    Attributes:
        path: `*` stands for a name that the file chooses, `[]` for one of a list.
        default: As in TOML; None where there is none.
        required_by: The programs that do not start without it.
    """

    path: str
    about: str
    default: str | None
    is_secret: bool
    required_by: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One table of the file, and whether it may be left out."""

    path: str
    about: str
    is_optional: bool
    keys: list[Key]


def sections() -> list[Section]:
    """Return every table of the file, as both programs read it."""
    found = {each.path: each for each in _sections(Settings, "", "pricing-proxy")}
    for own in _sections(sync_settings.SyncSettings, "", "d365-sync"):
        found[own.path] = _both(found[own.path], own) if own.path in found else own
    return [each for each in found.values() if each.keys]


def undocumented() -> list[str]:
    """Return the keys that nothing is said of."""
    return [key.path for each in sections() for key in each.keys if not key.about]


def _both(one: Section, other: Section) -> Section:
    asked = {key.path: key for key in other.keys}
    keys = [
        replace(key, required_by=key.required_by + asked[key.path].required_by)
        if key.path in asked
        else key
        for key in one.keys
    ]
    known = {key.path for key in keys}
    return replace(one, keys=[*keys, *(key for key in other.keys if key.path not in known)])


def _sections(
    model: type[BaseModel], path: str, program: str, *, optional: bool = False
) -> Iterator[Section]:
    keys, below = [], []
    for name, info in model.model_fields.items():
        here = f"{path}.{name}".lstrip(".")
        if here == "sync" and program == "pricing-proxy":
            continue
        kind, inner = _kind(info.annotation)
        if inner is None:
            keys.append(_key(model, here, info, program))
            continue
        place = {"table": here, "names": f"{here}.*", "list": f"{here}[]"}[kind]
        is_left_out = (
            optional or not (info.is_required() or kind == "table") or info.default is None
        )
        below.append((inner, place, is_left_out))
    about = (inspect.getdoc(model) or "").partition("\n\n")[0]
    yield Section(path=path, about=" ".join(about.split()), is_optional=optional, keys=keys)
    for inner, place, is_left_out in below:
        yield from _sections(inner, place, program, optional=is_left_out)


def _kind(annotation: Any) -> tuple[str, type[BaseModel] | None]:
    """Return how a member holds tables, and of which model; None where it holds a value."""
    bare = _bare(annotation)
    origin, arguments = get_origin(bare), get_args(bare)
    if origin is dict and (inner := _model(arguments[1])) is not None:
        return "names", inner
    if origin is list and (inner := _model(arguments[0])) is not None:
        return "list", inner
    return "table", _model(bare)


def _model(annotation: Any) -> type[BaseModel] | None:
    bare = _bare(annotation)
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        return _WHOLE.get(bare, bare)
    return None


def _bare(annotation: Any) -> Any:
    """Take off what limits a type, and that it may be left out."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        left = [each for each in get_args(annotation) if each is not type(None)]
        return _bare(left[0]) if len(left) == 1 else annotation
    return annotation


def _key(model: type[BaseModel], path: str, info: FieldInfo, program: str) -> Key:
    default = info.get_default(call_default_factory=True, validated_data={})
    is_secret = _bare(info.annotation) is SecretStr
    has_default = not info.is_required() and default is not None and not is_secret
    return Key(
        path=path,
        about=_about(model, path.rpartition(".")[2]),
        default=toml(default) if has_default else None,
        is_secret=is_secret,
        required_by=(program,) if info.is_required() else (),
    )


def _about(model: type[BaseModel], name: str) -> str:
    for each in model.__mro__:
        text = inspect.cleandoc(each.__doc__ or "").partition("Attributes:\n")[2]
        found = re.search(rf"^    {name}: (.*(?:\n        .*)*)", text, re.MULTILINE)
        if found is not None:
            return " ".join(found[1].split())
    return ""


if __name__ == "__main__":
    from tests.configuration.written_keys import write

    write()

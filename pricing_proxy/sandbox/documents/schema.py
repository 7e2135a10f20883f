"""What the document sets look like: names, keys, types, mandatory fields and enums.

Read from `schema.json` and, for what only postings fill, from `posted_schema.json`; both are cut
from a real environment's metadata. A value that nobody set is the type's empty one: F&O stores no
nulls. Pure.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from pricing_proxy.sandbox.row_values import NULL_DATE

_EMPTY: Mapping[str, Any] = {
    "Edm.String": "",
    "Edm.Decimal": Decimal(0),
    "Edm.Int32": 0,
    "Edm.Int64": 0,
    "Edm.DateTimeOffset": NULL_DATE,
    "Edm.Guid": "00000000-0000-0000-0000-000000000000",
    "Edm.Binary": "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentSet:
    """One entity set.

    Attributes:
        entity: The name of one row's type.
        aot_entity: The name that infologs use.
        types: EDM type or enum by field.
        mandatory: What a new row must have.
        empty: What each field holds that nobody set.
        enums: Enum by field.
        is_read_only: Whether only postings fill it.
    """

    name: str
    entity: str
    aot_entity: str
    key: tuple[str, ...]
    types: Mapping[str, str]
    mandatory: tuple[str, ...]
    empty: Mapping[str, Any]
    enums: Mapping[str, str]
    is_read_only: bool


def _load() -> tuple[dict[str, DocumentSet], dict[str, dict[str, int]]]:
    written, posted = (_content(name) for name in ("schema.json", "posted_schema.json"))
    enums: dict[str, dict[str, int]] = {**written["enums"], **posted["enums"]}
    sets = {
        name: _document_set(name, told, enums, is_read_only=content is posted)
        for content in (written, posted)
        for name, told in content["entity_sets"].items()
    }
    return sets, enums


def _content(name: str) -> Any:
    return json.loads((Path(__file__).parent / name).read_text())


def _document_set(
    name: str,
    told: Mapping[str, Any],
    enums: Mapping[str, Mapping[str, int]],
    *,
    is_read_only: bool,
) -> DocumentSet:
    types = {field: kind for kind, names in told["fields"].items() for field in names.split()}
    return DocumentSet(
        name=name,
        entity=told["entity"],
        aot_entity=told["aot_entity"],
        key=tuple(told["key"]),
        types=types,
        mandatory=tuple(told["mandatory"]),
        empty={field: _empty(kind, enums) for field, kind in types.items()},
        enums={field: kind for field, kind in types.items() if kind in enums},
        is_read_only=is_read_only,
    )


def _empty(kind: str, enums: Mapping[str, Mapping[str, int]]) -> Any:
    # An enum that nobody set is its first member.
    return next(iter(enums[kind])) if kind in enums else _EMPTY[kind]


DOCUMENT_SETS, ENUMS = _load()
ENUM_MEMBERS: Mapping[str, tuple[str, ...]] = {name: tuple(each) for name, each in ENUMS.items()}

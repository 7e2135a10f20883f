"""`/Metadata` of F&O: what its sets look like now, with the dials applied.

Documents are described from real metadata; sets that nobody writes with the fields that they
have here. The members are those that public clients read. Lists take $top and $skip, and come
in pages with a link to the next.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from pricing_proxy.sandbox.dials import Dials
from pricing_proxy.sandbox.documents.schema import DOCUMENT_SETS, ENUMS, DocumentSet
from pricing_proxy.sandbox.documents.store import Documents
from pricing_proxy.sandbox.entities import ENTITY_SETS
from pricing_proxy.sandbox.entity_sets import ENUM_MEMBERS, EntitySet
from pricing_proxy.sandbox.odata import Tables

_NAMESPACE = "Microsoft.Dynamics.DataEntities"
_DATA_TYPES = {
    "Edm.String": "String",
    "Edm.Decimal": "Real",
    "Edm.Int32": "Integer",
    "Edm.Int64": "Int64",
    "Edm.DateTimeOffset": "UtcDateTime",
    "Edm.Guid": "Guid",
    "Edm.Binary": "Container",
}


# The names of types whose sets are not called like them with an "s" or a version more.
_TYPES = {
    "WarehousesOnHandV2": "WarehouseOnHandV2",
    "Currencies": "Currency",
    "LegalEntities": "LegalEntity",
    "UnitsOfMeasure": "UnitOfMeasure",
    "ProductTranslations": "ProductTranslation",
}
_VERSION = re.compile(r"s(V\d)?$")
_LISTS = 1_000


@dataclass(frozen=True, slots=True)
class _Described:
    """A set as it is described."""

    name: str
    entity: str
    aot_entity: str
    is_read_only: bool
    properties: list[dict[str, Any]]


class Metadata:
    """Describes the sets of the environment."""

    def __init__(self, documents: Documents, tables: Tables, dials: Dials) -> None:
        self._documents = documents
        self._tables = tables
        self._dials = dials

    def entities(self) -> list[dict[str, Any]]:
        """Return the list of entities."""
        return [
            {
                "Name": each.aot_entity,
                "PublicEntityName": each.entity,
                "PublicCollectionName": each.name,
                "DataServiceEnabled": True,
                "DataManagementEnabled": True,
                "IsReadOnly": each.is_read_only,
            }
            for each in self._sets()
        ]

    def public_entities(self) -> list[dict[str, Any]]:
        """Return all entities as they are described."""
        return [_body(each) for each in self._sets()]

    def entity(self, name: str) -> dict[str, Any] | None:
        """Return one entity by the name of its type, None when there is none."""
        return next((_body(each) for each in self._sets() if each.entity == name), None)

    def enumerations(self) -> list[dict[str, Any]]:
        """Return all enums with their members."""
        names = sorted({*ENUMS, *ENUM_MEMBERS})
        return [found for name in names if (found := self.enumeration(name)) is not None]

    def enumeration(self, name: str) -> dict[str, Any] | None:
        """Return an enum with its members, None when there is none."""
        values = ENUMS.get(name)
        if values is None:
            members = ENUM_MEMBERS.get(name)
            if members is None:
                return None
            values = {member: number for number, member in enumerate(members)}
        told = [{"Name": member, "Value": value} for member, value in values.items()]
        return {"Name": name, "Members": told}

    def _sets(self) -> Iterator[_Described]:
        for named in DOCUMENT_SETS.values():
            if named.name not in self._dials.absent_sets:
                properties = self._properties(named)
                yield _Described(
                    named.name, named.entity, named.aot_entity, named.is_read_only, properties
                )
        for each in ENTITY_SETS.values():
            if each.name not in self._dials.absent_sets:
                entity = _TYPES.get(each.name) or _VERSION.sub(r"\1", each.name)
                properties = _fields(each, self._tables.sample(each))
                yield _Described(each.name, entity, f"{entity}Entity", True, properties)

    def _properties(self, named: DocumentSet) -> list[dict[str, Any]]:
        new_names = self._documents.new_names(named)
        mandatory = self._documents.mandatory_fields(named)
        return [
            {
                "Name": new_names.get(field, field),
                "TypeName": f"{_NAMESPACE}.{kind}" if kind in ENUMS else kind,
                "DataType": "Enum" if kind in ENUMS else _DATA_TYPES[kind],
                "IsKey": field in named.key,
                "IsMandatory": field in mandatory,
                "AllowEdit": field not in named.key and not named.is_read_only,
                "AllowEditOnCreate": not named.is_read_only,
            }
            for field, kind in named.types.items()
        ]


def listed(rows: list[dict[str, Any]], query: Mapping[str, str], address: str) -> dict[str, Any]:
    """Return one page of a list.

    Args:
        rows: All of it.
        query: `$top` and `$skip`.
        address: Of the list, for the link to the next page.

    Raises:
        ValueError: One of them is no number.
    """
    start, most = int(query.get("$skip", 0)), int(query.get("$top", len(rows)))
    end = min(start + most, len(rows))
    page = rows[start : min(end, start + _LISTS)]
    body: dict[str, Any] = {"value": page}
    if start + len(page) < end:
        rest = {"$skip": start + len(page), "$top": end - start - len(page)}
        body["@odata.nextLink"] = f"{address}?{urlencode(rest, safe='$')}"
    return body


def _body(each: _Described) -> dict[str, Any]:
    return {
        "Name": each.entity,
        "EntitySetName": each.name,
        "IsReadOnly": each.is_read_only,
        "ConfigurationEnabled": True,
        "Properties": each.properties,
        "NavigationProperties": [],
        "PropertyGroups": [],
        "Actions": [],
    }


def _fields(each: EntitySet, sample: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "Name": field,
            "TypeName": f"{_NAMESPACE}.{enum}" if (enum := each.enums.get(field)) else kind,
            "DataType": "Enum" if enum else _DATA_TYPES[kind],
            "IsKey": field in each.key,
            "IsMandatory": field in each.key,
            "AllowEdit": False,
            "AllowEditOnCreate": False,
        }
        for field, kind in ((field, _kind(value)) for field, value in sample.items())
    ]


def _kind(value: Any) -> str:
    if isinstance(value, Decimal):
        return "Edm.Decimal"
    if isinstance(value, int):
        return "Edm.Int32" if value < 1 << 31 else "Edm.Int64"
    is_date = len(value) == len("1900-01-01T12:00:00Z") and value[10:11] == "T"
    return "Edm.DateTimeOffset" if is_date else "Edm.String"

"""`/Metadata` of F&O: what the document sets look like now, with the dials applied.

The members are those that public clients read; sets of master data are not described.
"""

from typing import Any

from pricing_proxy.sandbox.documents.schema import DOCUMENT_SETS, ENUMS, DocumentSet
from pricing_proxy.sandbox.documents.store import Documents

_NAMESPACE = "Microsoft.Dynamics.DataEntities"
_DATA_TYPES = {
    "Edm.String": "String",
    "Edm.Decimal": "Real",
    "Edm.Int32": "Integer",
    "Edm.Int64": "Int64",
    "Edm.DateTimeOffset": "UtcDateTime",
    "Edm.Guid": "Guid",
}


class Metadata:
    """Describes the sets of the environment."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def entities(self) -> dict[str, Any]:
        """Return the list of entities."""
        return {"value": [_summary(named) for named in self._sets()]}

    def entity(self, name: str) -> dict[str, Any] | None:
        """Return one entity by the name of its type, None when there is none."""
        named = next((each for each in self._sets() if each.entity == name), None)
        if named is None:
            return None
        return {
            "Name": named.entity,
            "EntitySetName": named.name,
            "IsReadOnly": False,
            "ConfigurationEnabled": True,
            "Properties": self._properties(named),
            "NavigationProperties": [],
            "PropertyGroups": [],
            "Actions": [],
        }

    def enumeration(self, name: str) -> dict[str, Any] | None:
        """Return an enum with its members, None when there is none."""
        if name not in ENUMS:
            return None
        members = [{"Name": member, "Value": value} for member, value in ENUMS[name].items()]
        return {"Name": name, "Members": members}

    def _sets(self) -> list[DocumentSet]:
        return list(DOCUMENT_SETS.values())

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
                "AllowEdit": field not in named.key,
                "AllowEditOnCreate": True,
            }
            for field, kind in named.types.items()
        ]


def _summary(named: DocumentSet) -> dict[str, Any]:
    return {
        "Name": named.aot_entity,
        "PublicEntityName": named.entity,
        "PublicCollectionName": named.name,
        "DataServiceEnabled": True,
        "DataManagementEnabled": True,
        "IsReadOnly": False,
    }

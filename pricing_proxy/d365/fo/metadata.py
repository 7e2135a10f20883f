"""Read what F&O says of its own entities and enums, for the comparison in `schema_contract`.

Missing metadata once is no change of the schema: None says "not there now", and the
caller asks again before it believes that.
"""

from http import HTTPStatus
from typing import Any, TypeVar

from pydantic import ValidationError

from pricing_proxy.d365.fo.documents import DocumentCalls
from pricing_proxy.d365.fo.models import Text, WireModel
from pricing_proxy.d365.fo.schema_contract import EntityMetadata, FieldMetadata
from pricing_proxy.d365.odata import metadata_list_target, metadata_target
from pricing_proxy.resilience.errors import UpstreamContractError, UpstreamRejectedError

_M = TypeVar("_M", bound=WireModel)


class _Property(WireModel):
    Name: str
    TypeName: str
    IsKey: bool = False
    IsMandatory: bool = False


class _Entity(WireModel):
    IsReadOnly: bool = False
    Properties: list[_Property]


class _Member(WireModel):
    Name: str


class _Enumeration(WireModel):
    Members: list[_Member]


class _Listed(WireModel):
    PublicEntityName: Text
    PublicCollectionName: Text


class MetadataReader:
    """Reads the metadata of one environment."""

    def __init__(self, calls: DocumentCalls) -> None:
        self._calls = calls
        self._entities: dict[str, str] | None = None

    async def entity_of(self, entity_set: str) -> str | None:
        """Return the name of a set's type, None when the environment lists no such set.

        The list has thousands of entries, and is read once.
        """
        if self._entities is None:
            target = metadata_list_target("DataEntities")
            told = await self._calls.listed(target, name="metadata")
            each = (self._checked(_Listed, values) for values in told)
            self._entities = {one.PublicCollectionName: one.PublicEntityName for one in each}
        return self._entities.get(entity_set)

    async def entity(self, name: str) -> EntityMetadata | None:
        """Return what the ERP says of an entity type, None when it has none of that name."""
        told = await self._read("PublicEntities", name)
        if told is None:
            return None
        entity = self._checked(_Entity, told)
        return EntityMetadata(
            is_read_only=entity.IsReadOnly,
            fields={
                each.Name: FieldMetadata(
                    type_name=_plain(each.TypeName),
                    is_key=each.IsKey,
                    is_mandatory=each.IsMandatory,
                )
                for each in entity.Properties
            },
        )

    async def enum_members(self, name: str) -> tuple[str, ...] | None:
        """Return the members of an enum, None when there is none of that name."""
        told = await self._read("PublicEnumerations", name)
        if told is None:
            return None
        return tuple(member.Name for member in self._checked(_Enumeration, told).Members)

    async def _read(self, collection: str, name: str) -> Any:
        try:
            return await self._calls.get(metadata_target(collection, name), name="metadata")
        except UpstreamRejectedError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    def _checked(self, model: type[_M], told: Any) -> _M:
        try:
            return model.model_validate(told)
        except ValidationError as exc:
            raise UpstreamContractError(
                f"unexpected metadata: {exc}", system=self._calls.system
            ) from exc


def _plain(type_name: str) -> str:
    """Return an EDM type as it is, and an enum without its namespace."""
    return type_name if type_name.startswith("Edm.") else type_name.rpartition(".")[2]

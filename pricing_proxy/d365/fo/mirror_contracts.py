"""What the mirrors rely on in F&O, read out of the models that they read with.

So the contract cannot differ from the code. Mirrors write nothing there. Pure.
"""

from collections.abc import Iterable

from pricing_proxy.d365.fo.document_contracts import read_types
from pricing_proxy.d365.fo.models import Row
from pricing_proxy.d365.fo.schema_contract import EntityContract
from pricing_proxy.d365.fo.stock_models import DemandLineRow, OnHandRow, WarehouseRow

STOCK_ROWS: tuple[type[Row], ...] = (OnHandRow, WarehouseRow, DemandLineRow)
"""What stock is read from everywhere."""


def read_contracts(rows: Iterable[type[Row]]) -> tuple[EntityContract, ...]:
    """Return what is relied on of sets that are only read.

    The names of their types are the environment's affair: `MetadataReader.entity_of` finds them.
    """
    return tuple(
        EntityContract(
            entity_set=row.entity_set,
            entity="",
            key=row.key,
            types={name: read_types(row, name) for name in row.fields()},
        )
        for row in rows
    )

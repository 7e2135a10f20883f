"""What the document flows rely on in F&O, read out of the models that they read and write with.

So the contract cannot differ from the code: a field that a model gains is checked from then
on. Pure.
"""

from collections.abc import Iterable
from typing import Any

from pricing_proxy.d365.fo.bodies import Body
from pricing_proxy.d365.fo.customer_models import (
    AddressBody,
    AddressRow,
    CustomerAccountRow,
    CustomerBody,
)
from pricing_proxy.d365.fo.instants import Instant
from pricing_proxy.d365.fo.models import Day, NoYes, Number, Row
from pricing_proxy.d365.fo.order_models import (
    SalesOrderHeaderBody,
    SalesOrderHeaderRow,
    SalesOrderLineBody,
    SalesOrderLineRow,
    SalesOrderTotalsRow,
)
from pricing_proxy.d365.fo.orders import REFERENCE_FIELD, STOP_FIELD
from pricing_proxy.d365.fo.return_models import (
    ReturnHeaderBody,
    ReturnHeaderRow,
    ReturnLineBody,
    ReturnLineRow,
)
from pricing_proxy.d365.fo.schema_contract import EntityContract

USED_MEMBERS = {
    "NoYes": ("No", "Yes"),
    "SalesStatus": ("None", "Backorder", "Delivered", "Invoiced", "Canceled"),
}
"""Members of enums that the flows write, or tell apart."""

_ENTITIES = {
    "SalesOrderHeadersV3": "SalesOrderHeaderV3",
    "SalesOrderLinesV3": "SalesOrderLineV3",
    "CustomersV3": "CustomerV3",
    "CustomerPostalAddresses": "CustomerPostalAddress",
    "ReturnOrderHeadersV2": "ReturnOrderHeaderV2",
    "ReturnOrderLinesV2": "ReturnOrderLineV2",
}
_NUMBERS = frozenset({"Edm.Decimal", "Edm.Double", "Edm.Int32", "Edm.Int64"})
_TEXT = frozenset({"Edm.String"})
_DAYS = frozenset({"Edm.DateTimeOffset", "Edm.Date"})


def order_contracts(
    *,
    reference_field: str = REFERENCE_FIELD,
    header_texts: Iterable[str] = (),
    header_sent: Iterable[str] = (),
    line_sent: Iterable[str] = (),
) -> tuple[EntityContract, EntityContract]:
    """Return what the orders flow relies on.

    Args:
        reference_field: Where the shop's order number goes.
        header_texts: Further header fields that texts are written into.
        header_sent: Fields that the mapping fills on every order.
        line_sent: The same, on every line.
    """
    header = _contract(
        SalesOrderHeaderRow.entity_set,
        rows=(SalesOrderHeaderRow, SalesOrderTotalsRow),
        body=SalesOrderHeaderBody,
        more=(reference_field, STOP_FIELD),
        texts=header_texts,
        sent={reference_field, STOP_FIELD, *header_sent},
    )
    line = _contract(
        SalesOrderLineRow.entity_set,
        rows=(SalesOrderLineRow,),
        body=SalesOrderLineBody,
        sent={"SalesOrderNumber", *line_sent},
    )
    return header, line


def customer_contracts(
    *, account_sent: Iterable[str] = (), address_sent: Iterable[str] = ()
) -> tuple[EntityContract, ...]:
    """Return what the customers flow relies on.

    Args:
        account_sent: Fields that the mapping fills on every account.
        address_sent: The same, on every address.
    """
    return (
        _contract("CustomersV3", rows=(CustomerAccountRow,), body=CustomerBody, sent=account_sent),
        _contract(
            "CustomerPostalAddresses",
            rows=(AddressRow,),
            body=AddressBody,
            sent=("CustomerAccountNumber", "CustomerLegalEntityId", *address_sent),
        ),
    )


def return_contracts(
    *, header_sent: Iterable[str] = (), line_sent: Iterable[str] = ()
) -> tuple[EntityContract, ...]:
    """Return what the returns flow relies on.

    Args:
        header_sent: Fields that the mapping fills on every return.
        line_sent: The same, on every line.
    """
    return (
        _contract(
            "ReturnOrderHeadersV2",
            rows=(ReturnHeaderRow,),
            body=ReturnHeaderBody,
            more=(REFERENCE_FIELD,),
            sent=(REFERENCE_FIELD, *header_sent),
        ),
        _contract(
            "ReturnOrderLinesV2",
            rows=(ReturnLineRow,),
            body=ReturnLineBody,
            sent=("ReturnOrderNumber", *line_sent),
        ),
    )


def given(**values: str | bool | None) -> list[str]:
    """Return the names of those that are there: fields that rules fill, or not."""
    return [name for name, value in values.items() if value]


def _contract(
    entity_set: str,
    *,
    rows: tuple[type[Row], ...],
    body: type[Body],
    more: Iterable[str] = (),
    texts: Iterable[str] = (),
    sent: Iterable[str] = (),
) -> EntityContract:
    types: dict[str, frozenset[str]] = {name: frozenset() for name in (*more, *body.model_fields)}
    for row in rows:
        types.update({name: read_types(row, name) for name in row.fields()})
    types.update(dict.fromkeys(texts, _TEXT))
    required = (name for name, info in body.model_fields.items() if info.is_required())
    return EntityContract(
        entity_set=entity_set,
        entity=_ENTITIES.get(entity_set, entity_set),
        key=rows[0].key,
        types=types,
        sent=frozenset({"dataAreaId", *required, *sent}),
        is_written=True,
    )


def read_types(row: type[Row], name: str) -> frozenset[str]:
    """Return the types of the ERP's that a field of a model reads; empty for any."""
    written: Any = next(
        each.__annotations__[name] for each in row.__mro__ if name in each.__annotations__
    )
    if written is NoYes:
        return frozenset({"NoYes"})
    if written is Day or written is Instant:
        return _DAYS
    # Any type at all reads as a text: enums and instants do too.
    return _NUMBERS if written is Number else frozenset()

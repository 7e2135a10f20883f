"""What `d365-sync check` compares with the ERP's metadata is what goes over the wire."""

import json
import re
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from pricing_proxy.d365.fo.schema_contract import EntityContract
from pricing_proxy.http_exchange import Request
from pricing_proxy.sandbox.shop.invoices import invoice
from pricing_proxy.sandbox.shop.refunds import refund
from sync.check.sets import contracts_of
from tests.integration.flow_world import FlowWorld, world
from tests.integration.sync_running import ADDRESS, MARKET

__all__ = ["world"]

_SET = re.compile(r"^/data/(\w+)", re.ASCII)
_NAME = re.compile(r"[A-Za-z]\w*(?= (?:eq|ge|gt|lt|le) )", re.ASCII)
# Filled by the shop as a rule, and left out when it has none: not relied on.
_USUAL = {
    "SalesOrderHeadersV3": {
        "Email",
        "SalesOrderName",
        # Orders of services have no address, those with a pick-up neither.
        "IsDeliveryAddressOrderSpecific",
        "DeliveryAddressName",
        "DeliveryAddressStreet",
        "DeliveryAddressCity",
        "DeliveryAddressZipCode",
        "DeliveryAddressCountryRegionId",
    },
    "SalesOrderLinesV3": set(),
    "CustomersV3": {
        "OrganizationName",
        "PersonFirstName",
        "PersonLastName",
        "PrimaryContactPhone",
        "TaxExemptNumber",
    },
    "CustomerPostalAddresses": {
        "AttentionToAddressLine",
        "AddressStreet",
        "AddressCity",
        "AddressZipCode",
        "AddressState",
    },
    "ReturnOrderHeadersV2": set(),
    "ReturnOrderLinesV2": {"SalesUnitSymbol", "ReturningInventoryLotId"},
}


async def carried(world: FlowWorld) -> list[Request]:
    """Carry documents of every kind and return what was sent to the ERP."""
    second = {**ADDRESS, "default_billing": False, "default_shipping": False}
    company = world.register(
        "company@shop.example", taxvat="DE111111111", addresses=[ADDRESS, second]
    )
    person = world.register("person@shop.example", addresses=[])
    for customer in (company, person):
        await world.carry(world.flows.customers, str(customer))
    for number in await world.place(24, kind="mixed"):
        await world.carry_order(number)
    for kind in ("simple", "configurable", "bundle"):
        [number] = await world.place(1, kind=kind)
        await world.carry_order(number)
        order = await world.order(number)
        invoice(world.sandbox.shop, order.entity_id, {})
        memo = int(refund(world.sandbox.shop, order.entity_id, {}))
        await world.carry_memo(memo)
    return world.transport.requests


def created(requests: list[Request]) -> dict[str, list[set[str]]]:
    """Return the members of each new row, by set."""
    found: dict[str, list[set[str]]] = {}
    for request in requests:
        if request.method == "POST" and request.body is not None:
            [entity_set] = _SET.findall(request.target)
            found.setdefault(entity_set, []).append(set(json.loads(request.body)))
    return found


def used(requests: list[Request]) -> dict[str, set[str]]:
    """Return every field that was written, selected, sorted or asked by, by set."""
    found: dict[str, set[str]] = {}
    for request in requests:
        names = set(json.loads(request.body)) if request.body else set()
        query = parse_qs(urlsplit(request.target).query)
        for option in ("$select", "$orderby"):
            names |= {name for text in query.get(option, []) for name in text.split(",")}
        for text in query.get("$filter", []):
            names |= set(_NAME.findall(unquote(text)))
        [entity_set] = _SET.findall(request.target)
        found.setdefault(entity_set, set()).update(names)
    return found


@pytest.fixture
def contracts(world: FlowWorld) -> dict[str, EntityContract]:
    market = world.settings.sync.markets[MARKET]
    return {contract.entity_set: contract for contract in contracts_of(market)}


async def test_contracts_hold_what_is_sent_and_read(
    world: FlowWorld, contracts: dict[str, EntityContract]
) -> None:
    requests = await carried(world)
    rows = created(requests)
    masters = {"ReleasedProductsV2", "ReleasedProductVariantsV2", "ProductDefaultOrderSettings"}

    assert set(rows) == set(contracts)
    assert set(used(requests)) - masters == set(contracts)
    for entity_set, contract in contracts.items():
        always = set.intersection(*rows[entity_set])
        # What it calls always sent is on every row, so nothing mandatory is missed.
        assert contract.sent <= always, entity_set
        # What is on every row is called so, so nothing that is sent is called missing.
        assert always - contract.sent <= _USUAL[entity_set], entity_set
        assert used(requests)[entity_set] <= set(contract.types), entity_set


async def test_rules_decide_what_is_always_sent(world: FlowWorld) -> None:
    world.with_orders(language=None, origin=None, site=None, tax=None)
    header, line, *_ = contracts_of(world.settings.sync.markets[MARKET])
    assert not {"LanguageId", "SalesOrderOriginCode", "DefaultShippingSiteId"} & header.sent
    assert not {"SalesTaxGroupCode", "OverrideSalesTax"} & line.sent

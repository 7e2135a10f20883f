"""The rows of a market: its company, and each set that its flows use.

A set that a flow writes has a second row, which compares its fields with the contract that
the code declares (`d365.fo.document_contracts`).
"""

import asyncio
from collections.abc import Iterator

from pricing_proxy.d365 import paging
from pricing_proxy.d365.fo.customer_models import CustomerAccountRow
from pricing_proxy.d365.fo.document_contracts import USED_MEMBERS
from pricing_proxy.d365.fo.documents import DocumentCalls
from pricing_proxy.d365.fo.metadata import MetadataReader
from pricing_proxy.d365.fo.models import (
    LegalEntityRow,
    OrderSettingsRow,
    ReleasedProductRow,
    ReleasedProductVariantRow,
)
from pricing_proxy.d365.fo.schema_contract import (
    Difference,
    EntityContract,
    compare_entity,
    compare_enum,
)
from pricing_proxy.d365.odata import Filter, Query, equals
from pricing_proxy.diagnosis.board import Finding, failed, ok
from pricing_proxy.diagnosis.direct_calls import SYSTEM, TICKET, DirectErp
from pricing_proxy.diagnosis.report import Progress
from pricing_proxy.diagnosis.steps import Advice, Steps
from sync.serve.contracts import contracts_of
from sync.settings import SyncMarket

COMPANY, GUESTS, ENUMS = "company", "guest account", "enums"
_USER = "the user of the sync's app in F&O"
_CUSTOMERS = CustomerAccountRow.entity_set
_MASTER_ROWS = (ReleasedProductRow, ReleasedProductVariantRow, OrderSettingsRow)


class MarketSets:
    """Checks what one market's flows use.

    Args:
        code: Its code.
        company: Its legal entity.
        market: Its flows and rules.
        on_progress: Told what is being done.
    """

    def __init__(self, code: str, company: str, market: SyncMarket, on_progress: Progress) -> None:
        self._say = on_progress
        self._code = code
        self._company = company
        self._guests = market.orders.guest_account if "orders" in market.flows else None
        self._contracts = list(contracts_of(market))
        # Returns are linked to orders, which hold the items' numbers.
        self._master = _MASTER_ROWS if "orders" in market.flows else ()

    @property
    def rows(self) -> tuple[str, ...]:
        """The rows' names."""
        guests = () if self._guests is None else (GUESTS,)
        return (COMPANY, *guests, *self._names(), ENUMS)

    async def check(self, way: DirectErp, steps: Steps) -> None:
        """Write the rows."""
        self._say(f"{self._code}: what its flows use in F&O")
        calls = DocumentCalls(
            way.transport,
            policy=way.policy,
            clock=way.patience.clock,
            request_time=way.patience.wait,
        )
        reader = MetadataReader(calls)
        await self._check_company(way, steps)
        async with asyncio.TaskGroup() as group:
            if self._guests is not None:
                group.create_task(self._check_guests(calls, steps, self._guests))
            for row in self._master:
                group.create_task(self._check_set(calls, steps, row.entity_set, row.fields()))
            for contract in self._contracts:
                group.create_task(self._check_contract(calls, reader, steps, contract))
            group.create_task(_check_enums(reader, steps))

    def _names(self) -> Iterator[str]:
        for row in self._master:
            yield row.entity_set
        for contract in self._contracts:
            yield contract.entity_set
            yield _schema(contract)

    async def _check_company(self, way: DirectErp, steps: Steps) -> None:
        async def find() -> Finding:
            deadline = way.patience.deadline()
            row = await way.client.legal_entity(self._company, ticket=TICKET, deadline=deadline)
            if row is None:
                return failed(
                    f"F&O has no legal entity {self._company}",
                    f"Correct markets.{self._code}.legal_entity (Legal entities in F&O lists them)",
                )
            return ok(f"{row.LegalEntityId}, {row.Name}")

        await steps.run(COMPANY, find, advice=_advice(LegalEntityRow.entity_set))

    async def _check_guests(self, calls: DocumentCalls, steps: Steps, account: str) -> None:
        async def find() -> Finding:
            where = equals("dataAreaId", self._company) & equals("CustomerAccount", account)
            query = Query(entity_set=_CUSTOMERS, select=("CustomerAccount",), where=where, top=1)
            page = await calls.get(query.target(), name="guest account")
            rows, _ = paging.read_page(page, system=SYSTEM)
            here = f"sync.markets.{self._code}.orders.guest_account"
            if not rows:
                return failed(
                    f"{self._company} has no account {account}",
                    f"Correct {here}: orders of guests would be held",
                )
            # F&O finds it by any spelling; documents get its own.
            if (known := str(rows[0].get("CustomerAccount"))) != account:
                return failed(f"the account is spelled {known}", f"Write {known} in {here}")
            return ok(account)

        await steps.run(GUESTS, find, advice=_advice(_CUSTOMERS), needs=[COMPANY])

    async def _check_contract(
        self, calls: DocumentCalls, reader: MetadataReader, steps: Steps, contract: EntityContract
    ) -> None:
        # Its fields are the next row's business: a set is readable without each of them.
        await self._check_set(calls, steps, contract.entity_set, ("dataAreaId",))

        async def compare() -> Finding:
            entity = await reader.entity(contract.entity)
            if entity is None:
                return failed(
                    f"no metadata of {contract.entity}",
                    f"Make the entity {contract.entity} public, or choose another version of it",
                )
            fine = f"{len(contract.types)} fields fit"
            return _compared(compare_entity(contract, entity), fine)

        await steps.run(
            _schema(contract), compare, advice=_advice("/Metadata"), needs=[contract.entity_set]
        )

    async def _check_set(
        self, calls: DocumentCalls, steps: Steps, entity_set: str, fields: tuple[str, ...]
    ) -> None:
        async def count() -> Finding:
            where = equals("dataAreaId", self._company)
            number = await _count(calls, entity_set, where, select=fields)
            return ok(f"{number} rows in {self._company}")

        # Without the company, it would have no rows and look fine.
        await steps.run(entity_set, count, advice=_advice(entity_set), needs=[COMPANY])


async def _count(
    calls: DocumentCalls,
    entity_set: str,
    where: Filter,
    *,
    select: tuple[str, ...] = ("dataAreaId",),
) -> int:
    query = Query(entity_set=entity_set, select=select, where=where, top=1, counted=True)
    page = await calls.get(query.target(), name=f"count {entity_set}")
    return paging.read_count(page, system=SYSTEM)


async def _check_enums(reader: MetadataReader, steps: Steps) -> None:
    async def compare() -> Finding:
        differences: list[Difference] = []
        for name, used in USED_MEMBERS.items():
            differences += compare_enum(name, used, await reader.enum_members(name) or ())
        return _compared(differences, f"{len(USED_MEMBERS)} enums fit")

    await steps.run(ENUMS, compare, advice=_advice("/Metadata"))


def _compared(differences: list[Difference], fine: str) -> Finding:
    breaking = [each.text for each in differences]
    if not breaking:
        return ok(fine)
    return failed(
        "; ".join(breaking),
        "Correct the mapping, or have the change taken back, before documents are sent",
    )


def _schema(contract: EntityContract) -> str:
    return f"{contract.entity_set} schema"


def _advice(what: str) -> Advice:
    return Advice(what=what, when_missing=f"Make {what} public in F&O", who=_USER)

"""The rows of a market: its company, and each set that its flows use.

A set that a flow writes has a second row, which compares its fields with the contract that
the code declares (`d365.fo.document_contracts`).
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from pricing_proxy.d365 import paging
from pricing_proxy.d365.fo.document_contracts import USED_MEMBERS
from pricing_proxy.d365.fo.documents import DocumentCalls
from pricing_proxy.d365.fo.metadata import MetadataReader
from pricing_proxy.d365.fo.models import LegalEntityRow
from pricing_proxy.d365.fo.schema_contract import (
    Difference,
    EntityContract,
    compare_entity,
    compare_enum,
)
from pricing_proxy.d365.odata import Filter, Query, equals
from pricing_proxy.diagnosis.board import Finding, failed, ok
from pricing_proxy.diagnosis.direct_calls import SYSTEM, DirectErp, company_found
from pricing_proxy.diagnosis.report import Progress
from pricing_proxy.diagnosis.steps import Steps
from sync.description import CheckRow, erp_advice
from sync.flows import FLOWS
from sync.given import ConfiguredMarket
from sync.sections import SyncMarket

COMPANY, ENUMS = "company", "enums"
_COMPANY = "dataAreaId"


class MarketSets:
    """Checks what one market's flows use.

    Args:
        market: The market.
        on_progress: Told what is being done.
    """

    def __init__(self, market: ConfiguredMarket, on_progress: Progress) -> None:
        self._say = on_progress
        self._code = market.code
        self._company = market.company
        on = [flow for flow in FLOWS if flow.name in market.own.flows]
        self._more = [row for flow in on for row in flow.erp_rows(market)]
        self._contracts = contracts_of(market.own)
        told = {contract.entity_set for contract in self._contracts}
        read = {row.entity_set: row for flow in on for row in flow.reads}
        self._master = [row for name, row in read.items() if name not in told]

    @property
    def rows(self) -> tuple[str, ...]:
        """The rows' names."""
        return (COMPANY, *(row.name for row in self._more), *self._names(), ENUMS)

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
            for more in self._more:
                group.create_task(_check_more(calls, steps, more))
            for row in self._master:
                group.create_task(
                    self._check_set(calls, steps, row.entity_set, row.fields(), row.company_field)
                )
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
            return company_found(await way.company(self._company), self._company, self._code)

        await steps.run(COMPANY, find, advice=erp_advice(LegalEntityRow.entity_set))

    async def _check_contract(
        self, calls: DocumentCalls, reader: MetadataReader, steps: Steps, contract: EntityContract
    ) -> None:
        # Its fields are the next row's business: a set is readable without each of them.
        company = _COMPANY if _COMPANY in contract.key else None
        await self._check_set(calls, steps, contract.entity_set, contract.key[:1], company)

        async def compare() -> Finding:
            name = contract.entity or await reader.entity_of(contract.entity_set)
            entity = await reader.entity(name) if name else None
            if entity is None:
                missing = name or f"a type for {contract.entity_set}"
                return failed(
                    f"no metadata of {missing}",
                    f"Make the entity {missing} public, or choose another version of it",
                )
            fine = f"{len(contract.types)} fields fit"
            return _compared(compare_entity(contract, entity), fine)

        await steps.run(
            _schema(contract), compare, advice=erp_advice("/Metadata"), needs=[contract.entity_set]
        )

    async def _check_set(
        self,
        calls: DocumentCalls,
        steps: Steps,
        entity_set: str,
        fields: Sequence[str],
        company_field: str | None,
    ) -> None:
        async def count() -> Finding:
            where = None if company_field is None else equals(company_field, self._company)
            number = await _count(calls, entity_set, where, select=fields)
            return ok(f"{number} rows in {self._company if where else 'all companies'}")

        # Without the company, it would have no rows and look fine.
        await steps.run(entity_set, count, advice=erp_advice(entity_set), needs=[COMPANY])


def contracts_of(market: SyncMarket) -> list[EntityContract]:
    """Return the sets that the market's flows use, with the fields they read and send."""
    on = [flow for flow in FLOWS if flow.name in market.flows]
    used = {name for flow in on for name in (flow.name, *flow.relies_on)}
    merged: dict[str, EntityContract] = {}
    for flow in FLOWS:
        if flow.name in used:
            for each in flow.contracts(market.rules(flow.rules)):
                known = merged.get(each.entity_set)
                merged[each.entity_set] = each if known is None else _both(known, each)
    return list(merged.values())


def _both(one: EntityContract, other: EntityContract) -> EntityContract:
    """Return what two flows rely on of one set; what is written of it stands in one of them."""
    first, second = (one, other) if one.entity else (other, one)
    return replace(first, types={**second.types, **first.types})


async def _check_more(calls: DocumentCalls, steps: Steps, row: CheckRow[DocumentCalls]) -> None:
    needs = (COMPANY, *row.needs)
    await steps.run(row.name, partial(row.look, calls), advice=row.advice, needs=needs)


async def _count(
    calls: DocumentCalls,
    entity_set: str,
    where: Filter | None,
    *,
    select: Sequence[str],
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

    await steps.run(ENUMS, compare, advice=erp_advice("/Metadata"))


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

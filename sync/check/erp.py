"""The ERP's rows of a market: the token, each set that the flows use, and each one's schema.

A row that fails for the ERP's sake as a whole (unreachable, throttling, refusing the token)
is the first; the others are skipped then, since they would say the same. Reads only.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from pricing_proxy.clock import MICROSECONDS_PER_SECOND, Clock
from pricing_proxy.d365.fo.document_contracts import USED_MEMBERS
from pricing_proxy.d365.fo.metadata import MetadataReader
from pricing_proxy.d365.fo.schema_contract import (
    Difference,
    EntityContract,
    compare_entity,
    compare_enum,
)
from pricing_proxy.resilience.call_class import CallClass, Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.resilience.errors import (
    CallRefusedError,
    PermanentUpstreamError,
    UpstreamDeniedError,
    UpstreamError,
    UpstreamRejectedError,
    UpstreamThrottledError,
)
from sync.check.rows import CheckRow, State
from sync.erp_access import ErpAccess

ACCESS = "F&O"
ENUMS = "enums"

# A healthy ERP answers for its version in well under a second.
_VERSION_TIME = timedelta(seconds=20)


async def erp_rows(
    access: ErpAccess, *, company: str, contracts: Sequence[EntityContract], clock: Clock
) -> list[CheckRow]:
    """Return the rows of one market.

    Args:
        access: The way to its environment, as the sync app.
        company: Its legal entity.
        contracts: The sets that its flows use.
        clock: Time.
    """
    first = await _access_row(access, clock)
    if first.state is not State.OK:
        return [first, *_skipped(contracts)]
    rows = [first]
    reader = MetadataReader(access.documents)
    for contract in contracts:
        rows.append(await _set_row(access, contract.entity_set, company))
        rows.append(await _schema_row(reader, contract))
    return [*rows, await _enum_row(reader)]


async def _access_row(access: ErpAccess, clock: Clock) -> CheckRow:
    microseconds = int(_VERSION_TIME.total_seconds() * MICROSECONDS_PER_SECOND)
    try:
        version = await access.master.application_version(
            ticket=Ticket(CallClass.REFRESH),
            deadline=Deadline.after(microseconds, now_us=clock.monotonic_us()),
        )
    except UpstreamError as error:
        return _failed(ACCESS, error, _way_in(error))
    return CheckRow(name=ACCESS, state=State.OK, found=f"token accepted, version {version}")


async def _set_row(access: ErpAccess, entity_set: str, company: str) -> CheckRow:
    try:
        count = await access.documents.count(entity_set, company=company)
    except UpstreamError as error:
        return _failed(entity_set, error, _way_to_set(error, entity_set))
    return CheckRow(name=entity_set, state=State.OK, found=f"{count} rows in {company}")


async def _schema_row(reader: MetadataReader, contract: EntityContract) -> CheckRow:
    name = _schema(contract)
    try:
        entity = await reader.entity(contract.entity)
    except UpstreamError as error:
        return _failed(name, error, "check that the user may read /Metadata")
    if entity is None:
        return CheckRow(
            name=name,
            state=State.FAILED,
            found=f"no metadata of {contract.entity}",
            next_step=f"make the entity {contract.entity} public, or choose another version of it",
        )
    return _compared(name, compare_entity(contract, entity), f"{len(contract.types)} fields fit")


async def _enum_row(reader: MetadataReader) -> CheckRow:
    differences: list[Difference] = []
    try:
        for name, used in USED_MEMBERS.items():
            differences += compare_enum(name, used, await reader.enum_members(name) or ())
    except UpstreamError as error:
        return _failed(ENUMS, error, "check that the user may read /Metadata")
    return _compared(ENUMS, differences, f"{len(USED_MEMBERS)} enums fit")


def _compared(name: str, differences: Sequence[Difference], fine: str) -> CheckRow:
    breaking = [each.text for each in differences if each.is_breaking]
    if not breaking:
        return CheckRow(name=name, state=State.OK, found=fine)
    return CheckRow(
        name=name,
        state=State.FAILED,
        found="; ".join(breaking),
        next_step="correct the mapping, or have the change taken back, before orders flow",
    )


def _schema(contract: EntityContract) -> str:
    return f"{contract.entity_set} schema"


def _skipped(contracts: Sequence[EntityContract]) -> Iterator[CheckRow]:
    names = [name for each in contracts for name in (each.entity_set, _schema(each))]
    for name in (*names, ENUMS):
        yield CheckRow(name=name, state=State.SKIPPED, found=f"needs {ACCESS}")


def _failed(name: str, error: UpstreamError, next_step: str) -> CheckRow:
    reasons = error.reasons if isinstance(error, UpstreamRejectedError) else ()
    return CheckRow(
        name=name,
        state=State.FAILED,
        found="; ".join((str(error), *reasons)),
        next_step=next_step,
    )


def _way_in(error: UpstreamError) -> str:
    match error:
        case PermanentUpstreamError(system="entra"):
            return "check tenant, sync_client_id and sync_client_secret of the environment"
        case UpstreamDeniedError():
            return "register the sync app in F&O under Microsoft Entra ID applications, with a user"
        case UpstreamThrottledError() | CallRefusedError():
            return "wait a minute and check again; give the app a priority in F&O if it lasts"
        case _:
            return f"check that {error.system} can be reached from here, and is up"


def _way_to_set(error: UpstreamError, entity_set: str) -> str:
    if isinstance(error, UpstreamDeniedError):
        return f"give the user of the sync app the privilege to maintain {entity_set}"
    return f"check that {entity_set} is public and that the user of the sync app may read it"

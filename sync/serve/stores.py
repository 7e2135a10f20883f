"""What the sync keeps, opened together: for the running program, and for those who only look."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pricing_proxy.supervision import Supervision
from sync.engine.queue import JobQueue
from sync.flows import FLOWS
from sync.serve.postgres import OpenStore, open_store
from sync.settings import SyncSettings
from sync.store.alerts import AlertStore
from sync.store.audit_trail import AuditTrail
from sync.store.events import EventStore
from sync.store.flow_control import FlowControl
from sync.store.interventions import Interventions
from sync.store.journal import Journal
from sync.store.link_decisions import LinkDecisions
from sync.store.mirror_notices import MirrorNotices
from sync.store.mirror_pace import MirrorPaces
from sync.store.mirror_plans import MirrorPlans
from sync.store.odd_rows import OddRowStore
from sync.store.overview import Overview
from sync.store.reconciliations import Reconciliations
from sync.store.reference_forms import ReferenceForms
from sync.store.rewrites import Rewrites
from sync.store.watched_orders import WatchedOrders
from sync.store.watermarks import Watermarks
from sync.store.wishes import UnsettledWishes


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """What is kept, for programs that only look or intervene."""

    opened: OpenStore
    events: EventStore
    journal: Journal
    overview: Overview
    interventions: Interventions
    control: FlowControl
    watermarks: Watermarks
    odd_rows: OddRowStore
    forms: ReferenceForms
    alerts: AlertStore
    audit: AuditTrail
    unsettled: UnsettledWishes
    rewrites: Rewrites
    decisions: LinkDecisions
    mirrors: MirrorPlans
    notices: MirrorNotices
    paces: MirrorPaces
    watched: WatchedOrders
    reconciliations: Reconciliations


@asynccontextmanager
async def stores(
    settings: SyncSettings, supervision: Supervision | None = None
) -> AsyncIterator[Stores]:
    """Open what is kept; raises `StoreError`."""
    async with open_store(settings.sync.postgres, supervision) as opened:
        database, queue = opened.database, JobQueue()
        events = EventStore(database, queue)
        configuration = configuration_hash(settings)
        yield Stores(
            opened=opened,
            events=events,
            journal=Journal(
                database,
                mapping_versions={flow.name: flow.mapping_version for flow in FLOWS},
                configuration_hash=configuration,
            ),
            overview=Overview(database),
            interventions=Interventions(database, queue),
            control=FlowControl(database),
            watermarks=Watermarks(database),
            odd_rows=OddRowStore(database),
            forms=ReferenceForms(database),
            alerts=AlertStore(database),
            audit=AuditTrail(database),
            unsettled=UnsettledWishes(database, configuration=configuration),
            rewrites=Rewrites(database),
            decisions=LinkDecisions(database),
            mirrors=MirrorPlans(database),
            notices=MirrorNotices(database),
            paces=MirrorPaces(database),
            watched=WatchedOrders(database),
            reconciliations=Reconciliations(database),
        )


def configuration_hash(settings: SyncSettings) -> str:
    """Return a short hash of everything that decides how documents are mapped."""
    text = settings.model_dump_json(
        exclude={"redis": True, "environments": True, "sync": {"postgres"}}
    )
    return hashlib.sha256(text.encode()).hexdigest()[:12]

"""What flows are built out of, with what is kept in memory."""

from collections.abc import Mapping
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

from pricing_proxy.clock import Clock
from pricing_proxy.d365.fo.documents import DocumentCalls
from pricing_proxy.d365.fo.mirror_reads import SetReads
from sync.engine.odd_rows import OddRowBook
from sync.engine.polling import Polling
from sync.engine.sources import Events, Marks
from sync.given import Given
from sync.magento.shop import Shop
from sync.mirroring import Mirroring
from sync.serve.building import configured_markets, starts_of
from sync.settings import SyncSettings
from tests.fakes.customer_links import FakePriceMap
from tests.fakes.entering import FakeOddRows, unhinted
from tests.fakes.references import FakeForms
from tests.fakes.stock_store import FakeLocks


def given(
    settings: SyncSettings,
    *,
    shop: Shop,
    erps: Mapping[str, DocumentCalls],
    kept: object,
    events: Events,
    watermarks: Marks,
    clock: Clock,
    odd_rows: FakeOddRows | None = None,
    reads: Mapping[str, SetReads] | None = None,
) -> Given:
    """Return it, as `sync.serve.building` does over a database; `kept` has the links."""
    return Given(
        markets=configured_markets(settings),
        shop=shop,
        erps=erps,
        reads=reads or {},
        links=cast("Any", kept),
        accounts=cast("Any", None),
        forms=cast("Any", FakeForms()),
        lines=cast("Any", None),
        locks=cast("Any", FakeLocks()),
        watched=cast("Any", None),
        traces=cast("Any", None),
        document_events=cast("Any", None),
        expects=starts_of(settings, shop).is_after,
        prices=cast("Any", FakePriceMap()),
        price_service=None,
        polling=Polling(
            events=events,
            watermarks=watermarks,
            odd_rows=OddRowBook(odd_rows or FakeOddRows(), clock),
            overlap=timedelta(seconds=settings.sync.polling.overlap_seconds),
            clock=clock,
            pace=unhinted(clock),
        ),
        sweep_every=timedelta(seconds=settings.sync.polling.sweep_seconds),
        mirroring=_mirroring(settings, clock),
    )


def _mirroring(settings: SyncSettings, clock: Clock) -> Mirroring:
    """Return what no mirror is carried with: there is no database."""
    nothing = cast("Any", None)
    return Mirroring(
        section=settings.sync.mirror,
        plans=cast("Any", SimpleNamespace(held=None)),
        events=nothing,
        interventions=nothing,
        governor=nothing,
        notices=nothing,
        clock=clock,
    )

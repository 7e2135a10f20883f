"""Put the intake together: who may send hints, which flow each is for, and who looks them up."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass

from aiohttp import web
from pydantic import SecretStr

from pricing_proxy.background import Background
from pricing_proxy.configuration.reading import secret_text
from pricing_proxy.shared_state.seen_events import SeenEvents
from sync.description import Built
from sync.engine.metrics import SyncMetrics
from sync.flows import FLOWS
from sync.given import Given
from sync.intake.erp_routes import ErpHint, ErpRoutes
from sync.intake.hints import Hint, Hints, kind_of
from sync.intake.interests import Interest, Interests
from sync.intake.listener import Answering, application
from sync.intake.routes import IntakeRoutes
from sync.settings import SyncSettings

Heard = Callable[[str], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """What hears of changes.

    Attributes:
        intake: The listener's routes; None without a secret to know a sender by.
        lines: Who looks up the hints, by their names for operators. Each sender has a line of its
            own: a flood of the ERP's, after a price import, keeps no order waiting.
    """

    intake: web.Application | None
    lines: Mapping[str, Background]


def hearing(
    settings: SyncSettings,
    flows: Mapping[str, Built],
    given: Given,
    seen: SeenEvents,
    metrics: SyncMetrics,
) -> Hearing:
    """Return what hears of changes; whose secret is not configured is not heard."""
    of_shop, of_erp = Hints(_of_shop(flows, given.polling.pace.heard)), Hints(_of_erp(flows))
    intake, senders = settings.sync.intake, list[Answering]()
    if secrets := _given(intake.secret, intake.old_secret):
        senders.append(
            IntakeRoutes(secrets=secrets, seen=seen, hints=of_shop, utc=given.polling.clock.utc)
        )
    if secrets := _given(intake.erp_secret, intake.erp_old_secret):
        senders.append(
            ErpRoutes(
                secrets=secrets,
                header=intake.erp_header,
                is_new=seen.is_new,
                interests=_interests(settings),
                hints=of_erp,
                heard=metrics.business_event,
            )
        )
    app = application(*senders) if senders else None
    return Hearing(intake=app, lines={"hints": of_shop, "business events": of_erp})


def _given(*secrets: SecretStr | None) -> list[str]:
    return [text for each in secrets if (text := secret_text(each))]


def _of_shop(flows: Mapping[str, Built], heard: Heard) -> Callable[[Hint], Awaitable[object]]:
    """Return what asks the flow that a hint is for, and then notes that it was heard."""
    by_kind = {kind_of(name): flow.name for flow in FLOWS for name in flow.hints}

    async def look_up(hint: Hint) -> None:
        flow = by_kind[hint.kind]
        if (asked := flows[flow].hint) is not None:
            await asked(hint.entity_id)
            await heard(flow)

    return look_up


def _of_erp(flows: Mapping[str, Built]) -> Callable[[ErpHint], Awaitable[object]]:
    async def look_up(hint: ErpHint) -> None:
        if (asked := flows[hint.flow].erp_hint) is not None:
            await asked(hint.event)

    return look_up


def _interests(settings: SyncSettings) -> Interests:
    return Interests(
        [settings.markets[code].legal_entity for code in settings.sync.markets],
        _every_interest(settings),
    )


def _every_interest(settings: SyncSettings) -> Iterator[Interest]:
    for code, own in settings.sync.markets.items():
        company = settings.markets[code].legal_entity
        for flow in FLOWS:
            if flow.name in own.flows:
                for event in flow.erp_hints(own.rules(flow.rules)):
                    yield Interest(company, event, flow.name, code)

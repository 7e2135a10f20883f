"""How many connections each listener takes, beside those that the service itself opens."""

from dataclasses import dataclass

from pricing_proxy.d365.session import CONNECTIONS as ERP_CONNECTIONS
from pricing_proxy.listening.crowd import Crowd
from pricing_proxy.listening.room import room
from pricing_proxy.settings import Settings

# Entra, the collector of traces, and the one that measures Redis' time.
_OTHERS = 8


@dataclass(frozen=True, slots=True)
class Places:
    """The connections of both listeners.

    Attributes:
        public: What the shop calls.
        admin: What operators call; strangers on the other cannot take its places.
    """

    public: Crowd
    admin: Crowd


def places(settings: Settings) -> Places:
    """Return the places that the process' limit of open files leaves."""
    erps = len(settings.environments) * ERP_CONNECTIONS
    redis = settings.redis.connections + len(settings.markets)
    found = room(outgoing=erps + redis + _OTHERS)
    service = settings.service
    return Places(
        public=Crowd("public", most=found.outer, idle_seconds=service.public.idle_seconds),
        admin=Crowd("admin", most=found.inner, idle_seconds=service.admin.idle_seconds),
    )

"""How many connections each listener takes, beside those that the sync itself opens."""

from dataclasses import dataclass

from pricing_proxy.d365.session import CONNECTIONS as ERP_CONNECTIONS
from pricing_proxy.listening.crowd import Crowd
from pricing_proxy.listening.room import room
from sync.settings import SyncSettings

# Entra, alerts, and what listens to the database.
_OTHERS = 8
# The queue has a pool of its own beside the tables'.
_POOLS = 2


@dataclass(frozen=True, slots=True)
class Places:
    """The connections of both listeners.

    Attributes:
        intake: Where the shop's hints arrive.
        operators: What operators call; strangers on the other cannot take its places.
    """

    intake: Crowd
    operators: Crowd


def places(settings: SyncSettings) -> Places:
    """Return the places that the process' limit of open files leaves."""
    own = settings.sync
    systems = len(settings.environments) * ERP_CONNECTIONS + own.magento.connections
    kept = settings.redis.connections + _POOLS * own.postgres.connections
    found = room(outgoing=systems + kept + _OTHERS)
    return Places(
        intake=Crowd("intake", most=found.outer, idle_seconds=own.intake.idle_seconds),
        operators=Crowd("operators", most=found.inner, idle_seconds=own.operators.idle_seconds),
    )

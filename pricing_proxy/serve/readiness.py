"""Whether this process should get requests.

It needs each market's maps, from the ERP or kept from an earlier run; it does not need
the ERP itself, whose outage must not take the shop down. One of several workers cannot choose
the connections that it gets, so it also needs the others that get some.
"""

from collections.abc import Mapping

from pricing_proxy.prices.master_data import MarketMaps
from pricing_proxy.serve.worker_board import WorkerState
from pricing_proxy.serve.worker_place import WorkerPlace


class Readiness:
    """Collects what is missing.

    Args:
        maps: Each market's maps.
        place: Where this process stands.

    Attributes:
        is_stopping: The process is about to end; connections are not kept open any more.
    """

    def __init__(self, maps: Mapping[str, MarketMaps], place: WorkerPlace) -> None:
        self._maps = maps
        self._place = place
        self.is_stopping = False

    def stop(self) -> None:
        """Be ready no more: the process is about to end."""
        self.is_stopping = True

    def obstacles(self) -> list[str]:
        """Return what keeps this process from serving; empty when ready."""
        missing = [*self._missing(), *self._place.obstacles()]
        return [*missing, "stopping"] if self.is_stopping else missing

    def state(self) -> WorkerState:
        """Return how this worker stands, whatever the others do."""
        if self.is_stopping:
            return WorkerState.STOPPING
        if not self._missing():
            return WorkerState.READY
        return WorkerState.RETURNING if self._place.is_replacement else WorkerState.STARTING

    def _missing(self) -> list[str]:
        return [f"maps of market {code}" for code, maps in self._maps.items() if not maps.is_ready]

"""Whether this process should get requests.

It needs each market's maps, from the ERP or kept from an earlier run; it does not need
the ERP itself, whose outage must not take the shop down.
"""

from collections.abc import Mapping

from pricing_proxy.prices.master_data import MarketMaps


class Readiness:
    """Collects what is missing.

    Args:
        maps: Each market's maps.

    Attributes:
        is_stopping: The process is about to end; connections are not kept open any more.
    """

    def __init__(self, maps: Mapping[str, MarketMaps]) -> None:
        self._maps = maps
        self.is_stopping = False

    def stop(self) -> None:
        """Be ready no more: the process is about to end."""
        self.is_stopping = True

    def obstacles(self) -> list[str]:
        """Return what keeps this process from serving; empty when ready."""
        missing = [
            f"maps of market {code}" for code, maps in self._maps.items() if not maps.is_ready
        ]
        return [*missing, "stopping"] if self.is_stopping else missing

"""In which words the shop refuses: it does so in the language of a store view.

Magento tells no codes. What its database refused in passing, and a route that is not there, can be
told from other refusals by their English words alone.
"""

from pricing_proxy.diagnosis.board import Finding, ok, warned
from sync.magento.answers import MagentoRejectedError
from sync.magento.calls import V1, Calls

_NOBODY_HAS = f"{V1}/no-such-route"
_ADVICE = (
    "Keep these texts out of the shop's translations (README, Known limits): until then what "
    "passes by itself is held, and is done by d365-sync replay"
)


class WordingCalls:
    """Asks one Magento how it refuses."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def look(self) -> Finding:
        """Return whether its refusals are in words that are known; raises `UpstreamError`."""
        try:
            await self._calls.read("no_such_route", _NOBODY_HAS)
        except MagentoRejectedError as error:
            if not error.is_missing_route:
                return warned(f"it refuses in other words: {'; '.join(error.reasons)}", _ADVICE)
        return ok("in English")

"""ERPs that a deployment may be pointed at, told apart by the digits of their prices."""

from dataclasses import dataclass

from pricing_proxy.cache.keys import PriceKeys
from pricing_proxy.serve.caching import price_keys
from pricing_proxy.settings import Settings
from pricing_proxy.shared_state.ledger import key
from pricing_proxy.shared_state.provenance import provenances
from tests.fakes.erp import FakeErp
from tests.fakes.price_world import MARKET
from tests.virtual_time import LoopClock

# Between the same item's digits in two ERPs.
_APART = 5000


@dataclass(frozen=True)
class Place:
    """One ERP, and how what is read from it is called in Redis.

    Attributes:
        number: Which one; 0 is where everybody starts.
        erp: Its prices.
        keys: Names of prices.
        provenance: What the market's ledger is named after.
    """

    number: int
    erp: FakeErp
    keys: PriceKeys
    provenance: str

    @property
    def ledger(self) -> str:
        """The name of its ledger."""
        return key(self.provenance)

    def digits_of(self, sku: str) -> str:
        """Return the decimals of an item's price here."""
        return f"{int(sku[2:]) + _APART * self.number:04}"


def place_of(number: int, clock: LoopClock) -> Place:
    """Return one of the ERPs; everything of it is called alike but its address."""
    settings = Settings.model_validate(
        {
            "environments": {
                "fo": {
                    "url": f"https://erp-{number}.example.com",
                    "tenant": "example",
                    "time_zone": "Europe/Berlin",
                    "pricing_client_id": "pricing",
                    "pricing_client_secret": "secret",
                }
            },
            "markets": {MARKET: {"environment": "fo", "legal_entity": "demf", "currency": "EUR"}},
        }
    )
    return Place(
        number=number,
        erp=FakeErp(clock=clock),
        keys=price_keys(settings),
        provenance=provenances(settings.environments, settings.markets)[MARKET],
    )

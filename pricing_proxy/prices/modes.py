"""What a mode means in time: how long its answer may take, and whose turn its calls are."""

from dataclasses import dataclass

from pricing_proxy.domain.freshness import SECOND_US, Mode, Wait
from pricing_proxy.resilience.call_class import CallClass

_MILLISECOND_US = 1000
# Deciding, encoding and sending take this out of an answer's time.
_OVERHEAD_US = 30 * _MILLISECOND_US
# A refused checkout holds the last known prices as well, and many end their wait together while
# the ERP is slow: the answer is to be there in time, not to be begun in time.
_CHECKOUT_OVERHEAD_US = 200 * _MILLISECOND_US


@dataclass(frozen=True, slots=True, kw_only=True)
class ModePolicy:
    """One mode's times, in microseconds.

    Attributes:
        answer_us: The answer is given within this time of arrival.
        full_wait_us: How long to wait for a price that nothing can stand in for.
        brief_wait_us: How long to wait for a refresh of one that can.
        least_wait_us: A caller cannot shorten the full wait below this.
        flight_us: How long a load that this mode started may take; None: as long as the request.
        klass: The class of its calls.
    """

    answer_us: int
    full_wait_us: int
    brief_wait_us: int
    least_wait_us: int
    flight_us: int | None
    klass: CallClass

    def wait_us(self, wait: Wait, asked_us: int | None) -> int:
        """Return how long a line may wait.

        Args:
            wait: What the freshness table says.
            asked_us: The caller's own `wait_ms`, None without one.
        """
        full_us = self.full_wait_us if asked_us is None else max(asked_us, self.least_wait_us)
        return min(self.brief_wait_us, full_us) if wait is Wait.BRIEF else full_us


def mode_policies(
    *, browse_ms: int = 150, cart_ms: int = 1500, checkout_ms: int = 4000
) -> dict[Mode, ModePolicy]:
    """Return the policy of each mode for the configured answer times."""
    browse_us, cart_us, checkout_us = (
        milliseconds * _MILLISECOND_US for milliseconds in (browse_ms, cart_ms, checkout_ms)
    )
    brief_us = 600 * _MILLISECOND_US
    return {
        Mode.BROWSE: ModePolicy(
            answer_us=browse_us,
            full_wait_us=max(browse_us - _OVERHEAD_US, 0),
            brief_wait_us=brief_us,
            least_wait_us=0,
            flight_us=10 * SECOND_US,
            klass=CallClass.INTERACTIVE,
        ),
        Mode.CART: ModePolicy(
            answer_us=cart_us,
            # A fifth is kept for the rest of the cart page.
            full_wait_us=cart_us * 4 // 5,
            brief_wait_us=brief_us,
            least_wait_us=0,
            flight_us=6 * SECOND_US,
            klass=CallClass.INTERACTIVE,
        ),
        Mode.CHECKOUT: ModePolicy(
            answer_us=checkout_us,
            full_wait_us=max(checkout_us - _CHECKOUT_OVERHEAD_US, 0),
            brief_wait_us=brief_us,
            # Anything shorter would refuse orders although the ERP is well.
            least_wait_us=min(SECOND_US, max(checkout_us - _CHECKOUT_OVERHEAD_US, 0)),
            flight_us=None,
            klass=CallClass.CHECKOUT,
        ),
    }

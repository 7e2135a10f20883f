"""When a circuit breaker opens, for how long, and what closes it again.

What is slow differs by operation: `PRICE_READS`, `MASTER_READS`, `MIRROR_READS`,
`DOCUMENT_READS` and `DOCUMENT_WRITES` are the settings for an ERP. Redis needs shorter
times altogether; whoever builds its breaker says so.
"""

from dataclasses import dataclass, replace

from pricing_proxy.clock import MICROSECONDS_PER_SECOND as SECOND_US
from pricing_proxy.resilience.evidence import SlowRule

# A healthy ERP prices a batch of 100 lines in well under the five seconds this allows.
_SLOW = SlowRule(2 * SECOND_US, 30_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerSettings:
    """Thresholds; the defaults are for reading prices from an ERP.

    Attributes:
        least_calls: Shares are not trusted below this many calls within ten seconds.
        failure_share: Opens from this share of failures on.
        slow_share: Opens from this share of slow calls on.
        row: Opens after this many connection failures, or time-outs, without an answer between.
        slow: Which calls are slow.
        fair_timeout_us: A time-out after less than this is our impatience, not evidence.
        open_us: How long it stays open at first; doubles with each failed probing.
        longest_open_us: The doubling ends here.
        spread: Which part of the open time is left to chance, so that processes probe apart.
        permits: How many probes may be under way at once.
        permit_us: A probe not heard of for this long gives its place away.
        good_to_close: So many good probes close it.
        bad_to_reopen: So many bad probes open it again.
    """

    least_calls: int = 20
    failure_share: float = 0.5
    slow_share: float = 0.6
    row: int = 5
    slow: SlowRule = _SLOW
    fair_timeout_us: int = SECOND_US // 2
    open_us: int = 5 * SECOND_US
    longest_open_us: int = 60 * SECOND_US
    spread: float = 0.2
    permits: int = 3
    permit_us: int = 15 * SECOND_US
    good_to_close: int = 5
    bad_to_reopen: int = 2


PRICE_READS = BreakerSettings()
# A page of 10,000 rows may take the ERP half a minute in good health, and its reader
# waits a minute for it.
MASTER_READS = BreakerSettings(slow=SlowRule(30 * SECOND_US, 0), permit_us=75 * SECOND_US)
# A chunk of an aggregate view takes as long; what else is read by then has a breaker of its own.
MIRROR_READS = MASTER_READS
# A look-up by reference may scan a table without an index; no customer waits for it.
DOCUMENT_READS = BreakerSettings(slow=SlowRule(10 * SECOND_US, 0), permit_us=75 * SECOND_US)
# Creating a document runs the ERP's validations for each line; no customer waits for it.
DOCUMENT_WRITES = BreakerSettings(slow=SlowRule(10 * SECOND_US, 100_000), permit_us=75 * SECOND_US)

# Documents that wait begin to be carried within half a minute of the system's return.
_SOON_US = 10 * SECOND_US


def found_back_soon(settings: BreakerSettings) -> BreakerSettings:
    """Return settings for calls that nobody makes meanwhile: probes cost little, waiting much."""
    return replace(settings, longest_open_us=_SOON_US)

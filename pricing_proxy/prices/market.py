"""A market as the price path knows it: its rules, its maps, and its way to a price."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from pricing_proxy.domain.lifetime import Lifetimes
from pricing_proxy.domain.price_limits import PriceLimits
from pricing_proxy.names import is_same_name
from pricing_proxy.prices.ports import MasterMaps, PriceSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What holds for every price of one market.

    Attributes:
        code: The shop's website code.
        currency: Currency of an answer when the caller names none, ISO 4217.
        currencies: All that may be asked for.
        company_currency: Currency of the items' base prices.
        tax_included: Whether the ERP's totals include tax.
        decimals: Decimals of `unit_price`.
        limits: Which prices can be right.
        erp_zone: Zone whose midnight ends the ERP's day.
        lifetimes: How long prices live.
        lease_us: How recent word of invalidations must be for a verified answer.
        source: Where prices come from.
        master: The item and customer maps.
        shared_accounts: Accounts that stand for many visitors, such as guests.
    """

    code: str
    currency: str
    currencies: frozenset[str]
    company_currency: str
    tax_included: bool
    decimals: int
    limits: PriceLimits
    erp_zone: ZoneInfo
    lifetimes: Lifetimes
    lease_us: int
    source: PriceSource
    master: MasterMaps
    shared_accounts: frozenset[str] = frozenset()

    def is_shared(self, account: str) -> bool:
        """Return whether an account stands for many visitors; people spell it as they like."""
        return any(is_same_name(account, each) for each in self.shared_accounts)

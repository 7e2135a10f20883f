"""A market: one website of the shop, sold out of one company of the ERP."""

import re
from decimal import Decimal
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field, model_validator

from pricing_proxy.configuration.addresses import USUAL_PORTS, is_web
from pricing_proxy.configuration.environments import MODEL

_HOST = re.compile(r"([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]+)?")


def _origin(text: str) -> str:
    parts = urlsplit(text)
    is_bare = text == f"{parts.scheme}://{parts.netloc}".lower() and _HOST.fullmatch(parts.netloc)
    # Browsers leave the usual port out, so such an origin would never be met.
    if not is_web(parts) or not is_bare or parts.port == USUAL_PORTS[parts.scheme]:
        raise ValueError("expected an origin as browsers send it, such as https://shop.example.com")
    return text


Origin = Annotated[str, AfterValidator(_origin)]
CurrencyCode = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class Freshness(BaseModel):
    """How old a price may be; see the freshness table in `domain/freshness.py`.

    Attributes:
        soft_seconds: From this age on a price is refreshed.
        hard_seconds: From this age on it only stands in while the ERP fails.
        max_seconds: From this age on it is not shown.
        no_price_soft_seconds: How long "there is no price" is believed.
        lease_seconds: How recent word of invalidations must be for a verified answer.
    """

    model_config = MODEL

    soft_seconds: Annotated[int, Field(ge=1, le=86_400)] = 300
    hard_seconds: Annotated[int, Field(ge=1, le=604_800)] = 3600
    max_seconds: Annotated[int, Field(ge=1, le=604_800)] = 86_400
    no_price_soft_seconds: Annotated[int, Field(ge=1, le=3600)] = 60
    lease_seconds: Annotated[int, Field(ge=2, le=60)] = 5

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.soft_seconds <= self.hard_seconds <= self.max_seconds:
            raise ValueError("expected soft_seconds <= hard_seconds <= max_seconds")
        return self


class PriceLimitsSection(BaseModel):
    """Which unit prices can be right; any other is `no_price` with `implausible_price`.

    Attributes:
        lowest: The lowest unit price, in the answer's currency. By default it is anything above
            zero; with "0" things may be free.
        highest: The highest unit price; by default there is none.
    """

    model_config = MODEL

    lowest: Annotated[Decimal, Field(ge=0, max_digits=20)] | None = None
    highest: Annotated[Decimal, Field(gt=0, max_digits=20)] | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.lowest is not None and self.highest is not None and self.lowest > self.highest:
            raise ValueError("expected lowest <= highest")
        return self


class MarketSection(BaseModel):
    """One market; the table's name in the file is its code, the shop's website code.

    Attributes:
        environment: Name of the ERP environment.
        legal_entity: The company's id in F&O, such as "demf".
        currency: Answers are in it unless the caller names another.
        currencies: All that callers may name; by default only `currency`.
        company_currency: Currency of the items' base prices; by default `currency`.
        tax_included: Whether the ERP's totals include tax.
        price_decimals: Decimals of `unit_price`.
        price_limits: Which prices can be right.
        sources: Ways to a price, in order.
        freshness: How old a price may be.
        storefront_origins: Pages of these origins may ask for prices with a storefront token.
        guest_accounts: Accounts whose prices visitors see without a login, one per price list;
            one replica at a time reads these prices anew, ahead of time.
        magento_customers: The shop's customer ids and their accounts: written to the customer map
            at start, and what the sync takes for a customer's account before all else. For trying
            things out, and for few customers; the sync keeps the links of the rest.
        maps_least_percent: What the ERP lists of items or customers must have this share of what it
            listed before, in each set, or the old map stands and that is said. After many were
            deleted on purpose, lower it for one start; 0 takes anything but an empty answer.
        probe_customer: An account whose prices `pricing-proxy check` asks for.
        probe_skus: SKUs that it asks for; by default the first of the catalog.
    """

    model_config = MODEL

    environment: str
    legal_entity: Annotated[str, Field(min_length=1, max_length=4)]
    currency: CurrencyCode
    currencies: list[CurrencyCode] = []
    company_currency: CurrencyCode | None = None
    tax_included: bool = False
    price_decimals: Annotated[int, Field(ge=0, le=8)] = 4
    price_limits: PriceLimitsSection = PriceLimitsSection()
    sources: Annotated[list[Literal["fo_service"]], Field(min_length=1)] = ["fo_service"]
    freshness: Freshness = Freshness()
    storefront_origins: list[Origin] = []
    guest_accounts: Annotated[list[str], Field(max_length=20)] = []
    magento_customers: dict[Annotated[int, Field(ge=1)], str] = {}
    maps_least_percent: Annotated[int, Field(ge=0, le=100)] = 90
    probe_customer: str | None = None
    probe_skus: Annotated[list[str], Field(max_length=100)] = []

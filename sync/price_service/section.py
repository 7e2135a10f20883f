"""The section `sync.price_service` of the configuration."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator

from pricing_proxy.configuration.addresses import RootUrl
from pricing_proxy.configuration.environments import MODEL
from pricing_proxy.configuration.proxies import Outgoing, Proxy, ProxySetting


class PriceServiceSection(Outgoing):
    """The price service, as the third copy of prices that reconciliation looks at.

    It is asked as `probe_customer` of a market; a market without one is compared without it.

    Attributes:
        url: Its root address, as the shop calls it.
        key: An API key of it for these markets.
        ca_file: PEM file of the authority that signed its certificate, where it is not public.
        timeout_seconds: A page of prices that takes longer is given up.
        proxy: The proxy on the way to it, or "none"; by default what `HTTPS_PROXY` and `NO_PROXY`
            say.
        proxy_password: Of the proxy's user.
    """

    model_config = MODEL

    url: RootUrl
    key: Annotated[SecretStr, Field(min_length=1)]
    ca_file: Path | None = None
    timeout_seconds: Annotated[int, Field(ge=1, le=600)] = 30
    proxy: ProxySetting | None = None
    proxy_password: SecretStr | None = None

    @model_validator(mode="after")
    def _knows_the_way(self) -> Self:
        self.way_out()
        return self

    def way_out(self) -> Proxy | None:
        """Return the proxy on the way to it; None for the straight way."""
        return self._usual.way_to(self.url, self.proxy, self.proxy_password)

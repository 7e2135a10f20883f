"""The shop's integration as the configuration names it."""

from pricing_proxy.configuration.reading import secret_text
from sync.magento.auth import Credentials
from sync.sections import Magento


def credentials_of(magento: Magento) -> Credentials:
    """Return the integration's four texts."""
    return Credentials(
        consumer_key=magento.consumer_key,
        consumer_secret=secret_text(magento.consumer_secret),
        token=magento.token,
        token_secret=secret_text(magento.token_secret),
    )

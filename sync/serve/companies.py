"""Which markets share a company of the ERP, and how the references of each store view begin."""

from sync.settings import SyncSettings


def markets_of_company(settings: SyncSettings, code: str) -> list[str]:
    """Return the markets whose documents are in the same company as a market's, itself too."""
    markets = settings.markets
    mine = (markets[code].environment, markets[code].legal_entity.casefold())
    return [
        other
        for other in settings.sync.markets
        if (markets[other].environment, markets[other].legal_entity.casefold()) == mine
    ]


def prefixes_of_market(settings: SyncSettings, code: str) -> dict[int, str]:
    """Return what stands before the numbers of each of a market's store views."""
    own = settings.sync.markets[code]
    return {store: own.orders.prefix_of(store) for store in own.store_ids}


def companies(settings: SyncSettings) -> dict[str, dict[int, str]]:
    """Return the prefixes of each company whose orders are brought over, by its name."""
    return {
        f"{settings.markets[code].environment}/{settings.markets[code].legal_entity}": (
            prefixes_of_company(settings, code)
        )
        for code in settings.sync.markets
    }


def prefixes_of_company(settings: SyncSettings, code: str) -> dict[int, str]:
    """Return what stands before the numbers of each store view in a market's company."""
    return {
        store: prefix
        for other in markets_of_company(settings, code)
        for store, prefix in prefixes_of_market(settings, other).items()
    }

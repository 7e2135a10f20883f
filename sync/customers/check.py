"""The rows that customers have in `d365-sync check`, beside their sets and resources."""

from collections.abc import Iterator, Mapping
from functools import partial

from pricing_proxy.diagnosis.board import Finding, failed, ok
from sync.customers.rules import CustomerRules
from sync.customers.write_back import advice_on
from sync.description import CheckRow
from sync.given import ConfiguredMarket
from sync.magento.resources import CUSTOMERS
from sync.magento.shop import Shop


def attribute_rows(markets: Mapping[str, ConfiguredMarket]) -> Iterator[CheckRow[Shop]]:
    """Yield, of each attribute that accounts are written into, whether the shop has it."""
    rules = {code: market.own.rules(CustomerRules) for code, market in markets.items()}
    # Each with a market that writes it.
    written = {each.account_attribute: code for code, each in rules.items() if each.is_written_back}
    for attribute, market in written.items():
        yield CheckRow(
            name=f"customer attribute {attribute}",
            look=partial(_find, attribute, market),
            advice=CUSTOMERS.advice("customer attributes", route="attributes"),
            needs=(CUSTOMERS.name,),
        )


async def _find(attribute: str, market: str, shop: Shop) -> Finding:
    if await shop.customers.has_customer_attribute(attribute):
        return ok("is there")
    step = advice_on(attribute, market)
    return failed("the shop's customers have no such attribute", step[:1].upper() + step[1:])

"""The customers flow: what it is to all others, and how it is built."""

from datetime import timedelta
from functools import partial

from pricing_proxy.d365.fo.customers import Customers
from sync.customers.check import attribute_rows
from sync.customers.contracts import contracts
from sync.customers.flow import CustomerFlow, CustomerMarket
from sync.customers.identity import Identity
from sync.customers.mapping import VERSION, Buying
from sync.customers.matching import AccountMatcher
from sync.customers.persons import Persons
from sync.customers.ports import AccountOwners
from sync.customers.publishing import publish_changed, publish_customers
from sync.customers.rules import FLOW, CustomerRules, mistakes
from sync.customers.source import CustomerSource
from sync.description import Built, Description
from sync.engine.odd_rows import LOOK_AGAIN
from sync.engine.schedules import Schedule
from sync.given import ConfiguredMarket, Given
from sync.magento import resources

# A customer map that Redis lost is whole again after a while.
_WHOLE = timedelta(minutes=15)
# With the price service's own five seconds it follows a changed link within ten.
_FOLLOW = timedelta(seconds=4)


def customer_flow(given: Given) -> CustomerFlow:
    """Return what carries customers."""
    return CustomerFlow(
        given.shop.customers,
        markets={code: _market(given, market) for code, market in given.markets.items()},
        published=given.prices,
    )


def customer_source(given: Given) -> CustomerSource:
    """Return what enters customers."""
    having = given.having(FLOW)
    return CustomerSource(
        given.shop.customers,
        given.polling,
        market_of_website={each.own.website_id: code for code, each in having.items()},
        links={code: given.links.of_market(code) for code in having},
    )


def build(given: Given) -> Built:
    """Return the flow with its source, and what keeps the price service's map."""
    source = customer_source(given)
    known, published, markets = given.accounts, given.prices, [*given.markets]
    whole = partial(publish_customers, known, published, markets=markets)
    changed = partial(publish_changed, known, published, markets=markets)
    return Built(
        flow=customer_flow(given),
        schedules=(
            given.poll(FLOW, source.poll),
            Schedule("look at odd customers", LOOK_AGAIN, source.look_again),
            given.sweep(FLOW, source.sweep),
            Schedule("publish customers", _WHOLE, whole),
            Schedule("publish changed links", _FOLLOW, changed),
        ),
        hint=source.hint,
    )


CUSTOMERS = Description(
    name=FLOW,
    goes_to="the ERP",
    rules=CustomerRules,
    build=build,
    mapping_version=VERSION,
    is_usual=True,
    hints=("customer.changed",),
    contracts=contracts,
    resources=(resources.CUSTOMERS,),
    shop_rows=attribute_rows,
    mistakes=mistakes,
    # Neither side is how the other should be.
    sides=("shop", "ERP"),
)


def buying(market: ConfiguredMarket) -> Buying:
    """Return a market as its customers need it."""
    return Buying(
        code=market.code,
        company=market.company,
        currency=market.section.currency,
        countries=market.own.rules(CustomerRules).countries or market.countries,
    )


def matcher(given: Given, market: ConfiguredMarket, links: AccountOwners) -> AccountMatcher:
    """Return what finds the accounts that may be a market's customers'."""
    return AccountMatcher(
        Customers(given.erp(market)),
        given.shop.customers,
        market=buying(market),
        rules=market.own.rules(CustomerRules),
        links=links,
        sharing=_sharing(given, market.code),
        website_of={code: each.own.website_id for code, each in given.markets.items()},
    )


def _market(given: Given, market: ConfiguredMarket) -> CustomerMarket:
    rules, erp = market.own.rules(CustomerRules), Customers(given.erp(market))
    links = given.links.of_customers(market.code, company=market.of_company)
    return CustomerMarket(
        buying=buying(market),
        rules=rules,
        erp=erp,
        links=links,
        identity=Identity(
            market=buying(market),
            rules=rules,
            erp=erp,
            links=links,
            matcher=matcher(given, market, links),
            persons=Persons(given.links.claims(market.of_company)),
            trusts_email=all(
                given.markets[code].own.rules(CustomerRules).email_is_guarded
                for code in (market.code, *_sharing(given, market.code))
            ),
            configured=market.section.magento_customers,
        ),
    )


def _sharing(given: Given, code: str) -> set[str]:
    """Return the other markets that share accounts with this one, directly or by a third."""
    pairs = [
        (one, each.own.rules(CustomerRules).shared_with) for one, each in given.markets.items()
    ]
    known, found = {code}, {code}
    while found:
        found = {one for pair in pairs for one in pair if one and known & {*pair}} - known
        known |= found
    return known - {code}

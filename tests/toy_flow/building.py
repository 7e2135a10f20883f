"""The greetings flow: what it is to all others, and how it is built."""

from collections.abc import Iterator, Sequence

from pricing_proxy.d365.fo.documents import DocumentCalls
from pricing_proxy.d365.fo.models import LegalEntityRow
from pricing_proxy.d365.fo.schema_contract import EntityContract
from pricing_proxy.diagnosis.board import Finding, ok
from sync.description import Built, CheckRow, Description, OfOrder, erp_advice
from sync.given import ConfiguredMarket, Given
from sync.magento.resources import Resource
from sync.magento.shop import Shop
from tests.toy_flow.flow import GreetingFlow
from tests.toy_flow.rules import FLOW, GreetingRules, mistakes
from tests.toy_flow.source import GreetingSource


def build(given: Given) -> Built:
    """Return the flow with its source."""
    markets = {code: each.own.rules(GreetingRules) for code, each in given.having(FLOW).items()}
    orders, of_store = given.shop.orders, given.market_of_store(FLOW)
    source = GreetingSource(orders, given.polling, market_of_store=of_store)
    return Built(
        flow=GreetingFlow(orders, markets=markets),
        schedules=(given.poll(FLOW, source.poll),),
        hint=source.hint,
        erp_hint=source.erp_hint,
    )


def contracts(_: GreetingRules) -> Iterator[EntityContract]:
    """Yield the set where greetings would be."""
    yield EntityContract(entity_set="Greetings", entity="Greeting", key=("dataAreaId",), types={})


def row(market: ConfiguredMarket) -> Iterator[CheckRow[DocumentCalls]]:
    """Yield whether there is a word."""

    async def look(_: DocumentCalls) -> Finding:
        return ok(market.own.rules(GreetingRules).word)

    yield CheckRow(name="greeting word", look=look, advice=erp_advice("Greetings"))


async def _its_own(_: Shop, order: int) -> Sequence[int]:
    return [order]


GREETINGS = Description(
    name=FLOW,
    goes_to="the shop",
    rules=GreetingRules,
    build=build,
    mapping_version=3,
    is_promised=True,
    hints=("greeting.wished",),
    erp_hints=lambda rules: rules.events,
    contracts=contracts,
    reads=(LegalEntityRow,),
    resources=(
        Resource("greetings", "Marketing > Greetings", lambda shop: shop.orders.order_count()),
    ),
    erp_rows=row,
    mistakes=mistakes,
    of_order=OfOrder("its greetings", _its_own),
)

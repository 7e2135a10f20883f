"""Build what tells the documents of one market from those of all others in its company."""

from collections.abc import Callable, Mapping

from sync.magento.shop import Shop
from sync.orders import own_headers
from sync.orders.own_headers import OwnHeaders
from sync.orders.ports import ErpOrders
from sync.returns import own_documents
from sync.returns.own_documents import OwnReturns, SoldOrders
from sync.sales.owners import Owners, Pairs
from sync.sales.references import RETURN_MARK, Forms, References
from sync.serve.companies import markets_of_company, prefixes_of_company
from sync.settings import SyncSettings


class Identities:
    """What finds the documents of each market, and no others.

    Args:
        settings: The configuration.
        shop: The shop.
        links_of: The entity map of a market.
        forms: Every prefix that references ever had.
    """

    def __init__(
        self,
        settings: SyncSettings,
        *,
        shop: Shop,
        links_of: Callable[[str], Pairs],
        forms: Forms,
    ) -> None:
        self._settings = settings
        self._shop = shop
        self._links_of = links_of
        self._forms = forms

    def order_references(self, code: str) -> References:
        """Return how a market's orders are called in the ERP."""
        return References(
            code,
            prefixes=prefixes_of_company(self._settings, code),
            forms=self._forms,
            find=self._shop.orders.order_heads_numbered,
        )

    def return_references(self, code: str) -> References:
        """Return how a market's credit memos are called in the ERP."""
        return References(
            code,
            prefixes=prefixes_of_company(self._settings, code),
            forms=self._forms,
            find=self._shop.credit_memos.credit_memos_numbered,
            mark=RETURN_MARK,
        )

    def own_headers(self, code: str, erp: ErpOrders) -> OwnHeaders:
        """Return what finds the headers of a market's orders."""
        return OwnHeaders(
            erp,
            company=self._settings.markets[code].legal_entity,
            market=code,
            field=self._settings.sync.markets[code].orders.reference_field,
            references=self.order_references(code),
            owners=Owners(own_headers.LINK, self._links(code)),
        )

    def sold_orders(self, code: str, erp: own_documents.ErpOrders) -> SoldOrders:
        """Return what finds the orders that a market's credit memos return."""
        company = self._settings.markets[code].legal_entity
        return SoldOrders(erp, company=company, references=self.order_references(code))

    def own_returns(self, code: str, erp: own_documents.ErpReturns) -> OwnReturns:
        """Return what finds the returns of a market's credit memos."""
        return OwnReturns(
            erp,
            company=self._settings.markets[code].legal_entity,
            market=code,
            references=self.return_references(code),
            owners=Owners(own_documents.LINK, self._links(code)),
        )

    def _links(self, code: str) -> Mapping[str, Pairs]:
        return {each: self._links_of(each) for each in markets_of_company(self._settings, code)}

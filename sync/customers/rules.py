"""What a market's configuration says about customers."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, Field

from pricing_proxy.configuration.cross_checks import table
from pricing_proxy.configuration.mistakes import Mistake
from sync.engine.erp_texts import Code, Country, LimitedTexts, text_mistakes

FLOW = "customers"

Match = Literal["attribute", "tax_number", "email", "company"]


class CustomerRules(LimitedTexts, BaseModel):
    """How customers of one market become accounts.

    Attributes:
        match: Ways to find accounts that may be a customer's. What is found is a candidate: all of
            it was typed in the shop. "company" is left out by default, as names are shared.
        link_unowned: Those of the ways by which the only candidate is linked unasked while no
            customer has it. By default a person approves each.
        account_attribute: The shop's custom attribute that holds the ERP account.
        attribute_is_guarded: The shop's module lets nobody but its staff and this program write
            that attribute: then it names the customer's account. Magento alone lets customers
            write it, by REST, GraphQL and when they register.
        email_is_guarded: The website confirms every e-mail address, changed ones too. Where all
            websites that share accounts do, the address tells who is the same person.
        is_written_back: Whether that attribute is set once the account is known.
        create: Whether an account is created where none is found; else the event is held.
        group: `CustomerGroupId` of accounts created here, for each group of the shop by its id;
            "*" stands for the rest.
        update: Whose name, e-mail and addresses follow the shop: those of accounts created here, of
            all, or of none.
        shop_group: The shop's customer group for a price group of the ERP; others are left alone.
        shared_with: Another market of the same company: one person on both websites is one account
            then, whichever came first; two without it. Who is the same person is approved by a
            person unless `email_is_guarded`.
        language: `LanguageId` of accounts created here.
        countries: ISO two-letter codes and the ERP's; those of the orders when left out.
        site: Site of accounts created here.
        warehouse: Warehouse likewise.
    """

    section = "customers"
    never_cut = frozenset({"AddressDescription", "PrimaryContactEmail", "TaxExemptNumber"})
    known_lengths: ClassVar = {
        "AddressCity": 60,
        "AddressDescription": 60,
        "AddressState": 10,
        "AddressStreet": 250,
        "AddressZipCode": 10,
        "OrganizationName": 100,
        "PersonFirstName": 25,
        "PersonLastName": 25,
        "PrimaryContactEmail": 255,
        "PrimaryContactPhone": 255,
        "TaxExemptNumber": 20,
    }

    match: list[Match] = ["attribute", "tax_number", "email"]
    link_unowned: list[Match] = []
    account_attribute: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")] = "erp_account"
    attribute_is_guarded: bool = False
    email_is_guarded: bool = False
    is_written_back: bool = True
    create: bool = True
    group: dict[str, Code] = {}
    update: Literal["created", "all", "none"] = "created"
    shop_group: dict[str, Annotated[int, Field(ge=0)]] = {}
    shared_with: str | None = None
    language: Code | None = None
    countries: dict[Country, Code] | None = None
    site: Code | None = None
    warehouse: Code | None = None


def mistakes(document: Mapping[str, Any], market: str) -> Iterator[Mistake]:
    """Find accounts shared with a market of another company, and fields named in vain."""
    yield from text_mistakes(document, market, CustomerRules, frozenset({"AttentionToAddressLine"}))
    markets, own = table(document, "markets"), table(document, "sync", "markets")
    shared = table(own, market, FLOW).get("shared_with")
    if shared is None:
        return
    where = f"sync.markets.{market}.customers.shared_with"
    if shared not in own or shared == market:
        yield Mistake(where, "expected another market of section sync", str(shared))
    elif _company(table(markets, shared)) != _company(table(markets, market)):
        yield Mistake(where, "expected a market of the same legal entity", str(shared))


def _company(section: Mapping[str, Any]) -> tuple[object, object]:
    return section.get("environment"), section.get("legal_entity")

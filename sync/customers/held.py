"""Say why a customer's account is a person's decision, with both sides side by side. Pure."""

from collections.abc import Iterator, Sequence

from sync.customers.mapping import Buying, company_of, country_of, tax_number_of
from sync.customers.matching import Candidate, Way, attribute_of
from sync.customers.rules import CustomerRules
from sync.engine.outcomes import Difference, HeldError
from sync.magento.customer_models import ShopCustomer

_FIELDS: dict[Way, str] = {
    "attribute": "custom_attributes",
    "tax_number": "taxvat",
    "email": "email",
    "company": "addresses.company",
    "shared": "email",
}
_WORDS: dict[Way, str] = {
    "attribute": "its attribute",
    "tax_number": "its tax number",
    "email": "its e-mail address",
    "company": "its company's name",
    "shared": "its e-mail address on another website",
}


def held_for_person(
    customer: ShopCustomer,
    candidates: Sequence[Candidate],
    *,
    rules: CustomerRules,
    market: Buying,
) -> HeldError:
    """Return the error; its diff shows the shop's customer beside each account."""
    subject = f"{market.code}/{customer.id}"
    accounts = ", ".join(sorted(candidate.account for candidate in candidates))
    if len(candidates) > 1:
        text, choice = f"several accounts may be its: {accounts}", " --account ACCOUNT"
    else:
        [candidate], choice = candidates, ""
        text = f"account {accounts} may be its, by {_by(candidate)}; {_whose(candidate)}"
    return HeldError(
        field=_FIELDS[candidates[0].ways[0]],
        text=text,
        advice=f"d365-sync approve {subject}{choice} where it is the same customer; where not, "
        f"d365-sync reject {subject}: then it gets an account of its own",
        diff=tuple(
            (f"{candidate.account} {name}", shop, erp)
            for candidate in candidates
            for name, shop, erp in _masked(side_by_side(customer, candidate, rules, market))
        ),
    )


def side_by_side(
    customer: ShopCustomer, candidate: Candidate, rules: CustomerRules, market: Buying
) -> list[Difference]:
    """Return the shop's customer and an account of the ERP, field by field."""
    row, person = candidate.row, f"{customer.firstname} {customer.lastname}".strip()
    theirs = f"{row.PersonFirstName} {row.PersonLastName}".strip()
    rows = [
        ("is", f"customer {market.code}/{customer.id}", _whose(candidate)),
        ("account", attribute_of(customer, rules), row.CustomerAccount),
        ("name", person, theirs),
        ("company", company_of(customer), row.OrganizationName),
        ("tax number", tax_number_of(customer), row.TaxExemptNumber),
        (EMAIL, customer.email, row.PrimaryContactEmail),
        ("country", country_of(customer), ""),
        ("found by", _by(candidate), ""),
    ]
    return [(name, _visible(shop), _visible(erp)) for name, shop, erp in rows]


def _visible(text: str) -> str:
    """Return a text without what would change how the rest is shown: it decides on an account."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )


EMAIL = "e-mail"
# The message says it, or there is nothing to compare it with.
_SAID = ("found by", "country")


def _masked(rows: Sequence[Difference]) -> Iterator[Difference]:
    """Keep no whole e-mail address where it stays for as long as the event does."""
    for name, shop, erp in rows:
        if name not in _SAID:
            yield (name, _mask(shop), _mask(erp)) if name == EMAIL else (name, shop, erp)


def _mask(email: str) -> str:
    name, at, place = email.partition("@")
    return f"{name[:1]}…{at}{place}" if email else ""


def _whose(candidate: Candidate) -> str:
    owners = ", ".join(map(str, candidate.owners))
    return f"customer {owners} has it" if owners else "no other customer has it"


def _by(candidate: Candidate) -> str:
    return " and ".join(_WORDS[way] for way in candidate.ways)

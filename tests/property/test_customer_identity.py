"""Whoever types what, and whatever fails: nobody gets another's account without a word.

Customers of two websites register with e-mail addresses, tax numbers, companies and account
attributes out of a few, change them, and are carried alone or several at once, while answers
and calls are lost and people approve, reject and unlink. After each step every link is judged
by who made the account and what the configuration lets be linked.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import hypothesis.strategies as st
from hypothesis import example, given, settings

from pricing_proxy.resilience.errors import UpstreamError
from sync.customers.publishing import publish_link
from sync.customers.rules import CustomerRules, Match
from sync.engine.outcomes import HeldError, OutcomeError
from sync.store.customer_links import Owner
from sync.store.link_decisions import CREATED
from tests.customers.test_flow import HOME, World, customer
from tests.fakes.customer_erp import CARRYING

MARKETS = ("b2b_de", "b2c")
WEBSITES = {"b2b_de": 1, "b2c": 2}
WAYS: tuple[Match, ...] = ("attribute", "tax_number", "email", "company")
# Few of each, so that most collide; numbers in several spellings.
EMAILS = ("ann@shop.test", "Ann@shop.test", "bob@shop.test", "eve@shop.test")
NUMBERS = ("", "DE999888777", "999 888 777", "de 999.888.777", "FR999888777", "DE111222333")
COMPANIES = ("", "Fabrikam", "FABRIKAM ", "Contoso")
ACCOUNTS = ("", "C-1", "c-2", "C-2001", "C-2002", "X")

TYPED = st.fixed_dictionaries(
    {
        "email": st.sampled_from(EMAILS),
        "taxvat": st.sampled_from(NUMBERS),
        "company": st.sampled_from(COMPANIES),
        "attribute": st.sampled_from(ACCOUNTS),
    }
)
KNOWN = st.fixed_dictionaries(
    {
        "PrimaryContactEmail": st.sampled_from(("", *EMAILS)),
        "TaxExemptNumber": st.sampled_from(NUMBERS),
        "OrganizationName": st.sampled_from(("The victim's", *COMPANIES)),
    }
)
PEOPLE = tuple(Owner(market, str(number)) for number in (1, 2, 3) for market in MARKETS)
SOMEBODY = st.sampled_from(PEOPLE)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("carry"), st.lists(SOMEBODY, min_size=1, max_size=3, unique=True)),
        st.tuples(st.just("type"), SOMEBODY, TYPED),
        st.tuples(st.just("lose_answer")),
        st.tuples(st.just("lose_call")),
        st.tuples(st.just("wait"), st.sampled_from((1, 30, 61, 120))),
        st.tuples(st.just("approve"), SOMEBODY),
        st.tuples(st.just("reject"), SOMEBODY),
        st.tuples(st.just("unlink"), SOMEBODY),
    ),
    max_size=25,
)


@dataclass
class Play:
    """A shop, an ERP, people, and the judge of every link."""

    world: World

    def types(self, who: Owner, typed: dict[str, str]) -> None:
        """Have somebody register, or change what they say of themselves."""
        number, website = _shop_id(who), WEBSITES[who.market]
        address = HOME | {"company": typed["company"]}
        attributes = [{"attribute_code": "erp_account", "value": typed["attribute"]}]
        self.world.shop.customers[number] = customer(
            number,
            email=typed["email"],
            taxvat=typed["taxvat"],
            website_id=website,
            addresses=[address],
            custom_attributes=attributes if typed["attribute"] else [],
        )

    async def does(self, step: tuple[Any, ...]) -> None:
        """Do one step and judge."""
        match step:
            case ("carry", whom):
                await asyncio.gather(*map(self.carry, whom))
            case ("type", who, typed):
                self.types(who, typed)
            case ("lose_answer",):
                self.world.erp.answers_lost = 1
            case ("lose_call",):
                self.world.erp.calls_lost = 1
            case ("wait", seconds):
                self.world.clock.advance(timedelta(seconds=seconds))
            case (word, who):
                await self.decides(word, who)
        self.judge()

    async def carry(self, who: Owner) -> HeldError | None:
        """Carry somebody's event once, as the engine does; return why it is held."""
        CARRYING.set(who)
        try:
            await self.world.carry(_shop_id(who), who.market)
        except HeldError as error:
            return error
        except (OutcomeError, UpstreamError):
            return None
        return None

    async def decides(self, word: str, who: Owner) -> None:
        """Have a person decide, as the commands do."""
        who_here = Owner(who.market, str(_shop_id(who)))
        company = self.world.company
        if word == "unlink":
            if company.account_of(who_here):
                company.unlink(who_here)
        else:
            error = await self.carry(who)
            if error is None or company.account_of(who_here):
                return
            accounts = sorted({row[0].split()[0] for row in error.diff if row[0].endswith(" is")})
            if word == "approve" and accounts:
                company.link(who_here, accounts[0])
            elif word == "reject":
                company.refuse(who_here, *accounts)
        links = company.of_customers(who.market)
        account_now = partial(links.account, who_here.customer_id)
        await publish_link(account_now, self.world.published, who.market, who_here.customer_id)

    def judge(self) -> None:
        """Assert that every account is somebody's by right, and that prices know no other."""
        company, rules = self.world.company, CustomerRules.model_validate(self.world.rules)
        for account in self.world.erp.rows:
            unasked = []
            for owner in company.owners(account):
                origin = company.origins.get(owner)
                if company.account_of(owner) != account or origin == "person":
                    continue
                if origin == CREATED:
                    made_for = self.world.erp.made_for.get(account)
                    assert isinstance(made_for, Owner), f"{owner} was given {account}"
                    assert owner == Owner(made_for.market, str(_shop_id(made_for)))
                elif origin == "shared":
                    assert rules.email_is_guarded
                    continue
                else:
                    assert origin in rules.link_unowned, f"{owner} has {account} by {origin}"
                unasked.append(owner)
            assert len(unasked) <= 1, f"{account} was given to {unasked}"
        for (market, number), account in self.world.published.accounts.items():
            assert company.account_of(Owner(market, str(number))) == account


def _shop_id(who: Owner) -> int:
    """Return the shop's id: those of all websites are different."""
    return int(who.customer_id) * 10 + WEBSITES[who.market]


@dataclass(frozen=True)
class Setting:
    """What the configuration says, who registered, and whom the ERP knows from before."""

    registered: list[dict[str, str]]
    known: list[dict[str, str]]
    match: list[Match]
    link_unowned: list[Match]
    is_shared: bool
    is_guarded: bool


SETTINGS = st.builds(
    Setting,
    registered=st.lists(TYPED, min_size=len(PEOPLE), max_size=len(PEOPLE)),
    known=st.lists(KNOWN, max_size=2),
    match=st.lists(st.sampled_from(WAYS), unique=True),
    link_unowned=st.lists(st.sampled_from(WAYS), unique=True),
    is_shared=st.booleans(),
    is_guarded=st.booleans(),
)
NOBODY = {"email": "nobody@shop.test", "taxvat": "", "company": "", "attribute": ""}


def typing(*typed: dict[str, str], known: dict[str, str] | None = None, **rules: Any) -> Setting:
    """Return a setting in which the first few type something, and the ERP knows one account."""
    rest = [NOBODY | {"email": f"{number}@shop.test"} for number in range(len(typed), len(PEOPLE))]
    values: dict[str, Any] = {
        "match": list(WAYS),
        "link_unowned": [],
        "is_shared": False,
        "is_guarded": False,
    }
    values |= rules
    return Setting(
        registered=[*(NOBODY | one for one in typed), *rest],
        known=[] if known is None else [known],
        **values,
    )


ONE, TWO = PEOPLE[0], PEOPLE[2]
VICTIM = {"PrimaryContactEmail": "eve@shop.test", "OrganizationName": "The victim's"}


@settings(max_examples=250, deadline=None)
@given(setting=SETTINGS, steps=STEPS)
@example(
    setting=typing({"taxvat": "DE999888777"}, {}, {"taxvat": "999 888 777"}),
    steps=[("carry", [ONE, TWO])] * 3,
)
@example(
    setting=typing({"email": "eve@shop.test"}, known=VICTIM, match=[]),
    steps=[("lose_answer",), ("carry", [ONE]), ("carry", [ONE])],
)
@example(
    setting=typing({"email": "ann@shop.test"}, known=VICTIM, match=[]),
    steps=[
        ("lose_call",),
        ("carry", [ONE]),
        ("type", ONE, NOBODY | {"email": "eve@shop.test"}),
        ("wait", 120),
        ("carry", [ONE]),
    ],
)
def test_nobody_gets_anothers_account_without_a_word(
    setting: Setting, steps: list[tuple[Any, ...]]
) -> None:
    world = World(
        is_shared=setting.is_shared,
        match=setting.match,
        link_unowned=setting.link_unowned,
        email_is_guarded=setting.is_guarded,
    )
    for number, row in enumerate(setting.known, start=1):
        world.erp.put(f"C-{number}", **row)
    play = Play(world)
    for who, typed in zip(PEOPLE, setting.registered, strict=True):
        play.types(who, typed)

    async def run() -> None:
        for step in steps:
            await play.does(step)

    asyncio.run(run())

"""Commands about whose account is whose: `approve`, `reject`, `link`, `unlink`, `links`.

Each that changes something shows both sides first and asks; who and why are in the audit. The
price service is told at once, and again by the running sync.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from pricing_proxy.clock import SystemClock
from pricing_proxy.command_line import Config, Json, fail, output
from pricing_proxy.names import Spellings, is_same_name
from pricing_proxy.shared_state.maps import SharedStateError
from sync.console.link_case import LinkCase, LinkCases, Subject
from sync.console.link_tables import case_tables, links_table
from sync.console.plain import show
from sync.console.running import By, carry_out, operator, settings_of, with_stores
from sync.console.words import counted
from sync.customers.matching import Candidate
from sync.serve.stores import stores
from sync.serve.systems import systems
from sync.settings import SyncSettings
from sync.store.customer_links import Owner
from sync.store.link_decisions import LinkDecisions

T = TypeVar("T")

Target = Annotated[
    str, typer.Argument(help="The held event's number, or MARKET/CUSTOMER as b2b_de/42.")
]
Market = Annotated[str, typer.Argument(help="The market's code.")]
CustomerId = Annotated[int, typer.Argument(help="The shop's id of the customer.")]
Reason = Annotated[str, typer.Option(help="Why, for the audit.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it unasked.")]


def approve_command(
    target: Target,
    *,
    account: Annotated[
        str | None, typer.Option(help="Which of several accounts.", show_default=False)
    ] = None,
    reason: Reason = "",
    yes: Yes = False,
    config: Config = None,
    by: By = None,
) -> None:
    """Say that the account found is the customer's; its waiting orders go on.

    Of a customer who is linked already: that the link is right, so that it is listed as
    unreviewed no more.
    """
    settings, who = settings_of(config), operator(by)
    case = _read(settings, target)
    if case.link is not None:
        _approve_link(settings, case, account, reason=reason, yes=yes, who=who)
        return
    chosen = _chosen(case, account)
    _agree(case, f"Is account {chosen.account} customer {case.subject}'s?", yes=yes)
    _link(settings, case.subject, chosen, reason=reason, who=who)


def reject_command(
    target: Target,
    *,
    reason: Reason = "",
    yes: Yes = False,
    config: Config = None,
    by: By = None,
) -> None:
    """Say that no account found is the customer's: it gets one of its own, and orders go on."""
    settings, who = settings_of(config), operator(by)
    case = _read(settings, target)
    if case.link is not None:
        fail(f"{case.subject} has account {case.link.account}: d365-sync unlink it first")
    found, before = case.candidates, case.refusals
    refused = sorted({each.account for each in found} | {each.account for each in before})
    if not refused:
        fail(f"No account was found for {case.subject}, so there is none to reject.")
    _agree(case, f"Is none of {', '.join(refused)} customer {case.subject}'s?", yes=yes)

    async def change(cases: LinkCases, decisions: LinkDecisions) -> list[int]:
        market, customer_id = case.subject.market, str(case.subject.customer_id)
        await decisions.refuse(market, customer_id, refused, by=who, reason=reason)
        return await cases.go_on(case.subject, by=who)

    replayed = _with_cases(settings, change)
    output().print(f"{', '.join(refused)} is never {case.subject}'s. {_in_line(replayed)}")


def link_command(
    market: Market,
    customer: CustomerId,
    account: Annotated[str, typer.Argument(help="The ERP's customer account.")],
    *,
    reason: Reason = "",
    yes: Yes = False,
    config: Config = None,
    by: By = None,
) -> None:
    """Give a customer an account, whatever it had; prices follow within ten seconds."""
    settings, who = settings_of(config), operator(by)
    subject = _subject(settings, market, customer)
    case = _read(settings, subject, account=account)
    if case.customer is None:
        fail(f"The shop has no customer {customer}.")
    if not case.candidates:
        fail(f"{case.market.company} has no account {account}.")
    chosen = case.candidates[0]
    if case.configured is not None and not is_same_name(case.configured, chosen.account):
        fail(f"markets.{market}.magento_customers says {case.configured}: change it there")
    _agree(case, f"Is account {chosen.account} customer {subject}'s?", yes=yes)
    _link(settings, subject, chosen, reason=reason, who=who)


def unlink_command(
    market: Market,
    customer: CustomerId,
    *,
    reason: Reason = "",
    yes: Yes = False,
    config: Config = None,
    by: By = None,
) -> None:
    """Take a customer's account away: it has no prices within ten seconds, and orders wait.

    It gets no other account before somebody says which: `link`, or `reject` for a new one.
    """
    settings, who = settings_of(config), operator(by)
    subject = _subject(settings, market, customer)
    case = _read_what_can_be(settings, subject)
    if case.configured is not None:
        fail(f"markets.{market}.magento_customers names it: take it out there first")
    if case.link is None:
        fail(f"Customer {subject} has no account.")
    _agree(case, f"Take account {case.link.account} away from customer {subject}?", yes=yes)

    async def change(cases: LinkCases, decisions: LinkDecisions) -> str:
        account = await decisions.unlink(market, str(customer), by=who, reason=reason)
        await cases.tell_prices(subject)
        return account

    account = _with_cases(settings, change)
    output().print(f"Customer {subject} has account {account} no more.")
    _with_cases(settings, lambda cases, _: cases.hide(case, account))


def links_command(
    *,
    unreviewed: Annotated[
        bool,
        typer.Option("--unreviewed", help="Only those that rest on what was typed in the shop."),
    ] = False,
    market: Annotated[
        str | None, typer.Option(help="Only this market.", show_default=False)
    ] = None,
    config: Config = None,
    json_output: Json = False,
) -> None:
    """List whose account is whose, how that came about, and who has reviewed it."""
    links = with_stores(
        config, lambda opened: opened.decisions.links(market=market, is_unreviewed=unreviewed)
    )
    printed = (links_table(links), f"{counted(len(links), 'link')}.")
    show(links, printed, json_output=json_output)


def _approve_link(
    settings: SyncSettings,
    case: LinkCase,
    account: str | None,
    *,
    reason: str,
    yes: bool,
    who: str,
) -> None:
    subject = case.subject
    if case.link is None or account not in (None, case.link.account):
        fail(f"{subject} has another account: d365-sync link {' '.join(map(str, subject))}")
    _agree(case, f"Is account {case.link.account} customer {subject}'s?", yes=yes)

    async def change(cases: LinkCases, decisions: LinkDecisions) -> list[int]:
        market, customer_id = subject.market, str(subject.customer_id)
        await decisions.review(market, customer_id, by=who, reason=reason)
        return await cases.go_on(subject, by=who)

    replayed = _with_cases(settings, change)
    output().print(f"The link of {subject} is reviewed. {_in_line(replayed)}")


def _link(
    settings: SyncSettings, subject: Subject, chosen: Candidate, *, reason: str, who: str
) -> None:
    async def change(cases: LinkCases, decisions: LinkDecisions) -> list[int]:
        await decisions.link(
            Owner(subject.market, str(subject.customer_id)),
            chosen.account,
            company=cases.company_of(subject),
            others=chosen.owners,
            by=who,
            reason=reason,
        )
        replayed = await cases.go_on(subject, by=who)
        await cases.tell_prices(subject, chosen.row)
        return replayed

    replayed = _with_cases(settings, change)
    output().print(f"Customer {subject} has account {chosen.account}. {_in_line(replayed)}")


def _chosen(case: LinkCase, account: str | None) -> Candidate:
    if case.customer is None:
        fail(f"The shop has no customer {case.subject.customer_id}.")
    found = {candidate.account: candidate for candidate in case.candidates}
    names = ", ".join(sorted(found))
    spelled = None if account is None else Spellings(found).find(account)
    if account is not None and spelled is None:
        command = f"d365-sync link {case.subject.market} {case.subject.customer_id} {account}"
        fail(f"Found were: {names or 'none'}. For another: {command}")
    if account is None and len(found) != 1:
        none = "No account was found; name one with d365-sync link"
        fail(f"Say which with --account: {names}" if found else none)
    return next(iter(found.values())) if spelled is None else found[spelled]


def _agree(case: LinkCase, question: str, *, yes: bool) -> None:
    for table in case_tables(case):
        output().print(table)
    if not yes and not typer.confirm(question):
        fail("Nothing was changed.")


def _in_line(replayed: list[int]) -> str:
    if not replayed:
        return "Nothing of it was held."
    return f"Event {', '.join(map(str, replayed))} is in line again; what waits for it follows."


def _subject(settings: SyncSettings, market: str, customer: int) -> Subject:
    if market not in settings.sync.markets:
        known = ", ".join(sorted(settings.sync.markets))
        fail(f"There is no market {market}; there are {known}")
    return Subject(market, customer)


def _read(settings: SyncSettings, target: str | Subject, *, account: str | None = None) -> LinkCase:
    async def read(cases: LinkCases, _: LinkDecisions) -> LinkCase:
        subject = await cases.subject_of(target) if isinstance(target, str) else target
        return await cases.read(subject, account=account)

    return _with_cases(settings, read)


def _read_what_can_be(settings: SyncSettings, subject: Subject) -> LinkCase:
    async def read(cases: LinkCases, _: LinkDecisions) -> LinkCase:
        return await cases.read_what_can_be(subject)

    return _with_cases(settings, read)


def _with_cases(
    settings: SyncSettings, work: Callable[[LinkCases, LinkDecisions], Awaitable[T]]
) -> T:
    clock = SystemClock()

    async def run() -> T:
        async with stores(settings) as opened, systems(settings, clock=clock) as ways:
            cases = LinkCases(settings, opened, ways, clock=clock)
            return await work(cases, opened.decisions)

    try:
        return carry_out(run())
    except SharedStateError as error:
        fail(
            f"It is changed, but prices do not know it yet: {error}. A running sync tells them "
            "within seconds once Redis answers",
        )

from pricing_proxy.resilience.call_class import OURSELVES, CallClass, Caller, Ticket
from pricing_proxy.resilience.deadline import Deadline


def test_deadline_has_nothing_left_once_passed() -> None:
    deadline = Deadline.after(500, now_us=1000)
    assert [deadline.remaining_us(at) for at in (1000, 1499, 1500, 9999)] == [500, 1, 0, 0]
    assert [deadline.has_passed(at) for at in (1499, 1500)] == [False, True]


def test_a_step_must_begin_before_the_deadline_by_what_it_takes() -> None:
    assert Deadline(1000).minus(300) == Deadline(700)
    assert Deadline(700) < Deadline(1000)


def test_a_ticket_only_rises() -> None:
    ticket = Ticket(CallClass.REFRESH)
    seen = []
    for to in (CallClass.BACKGROUND, CallClass.CHECKOUT, CallClass.INTERACTIVE):
        ticket.lift(to)
        seen.append(ticket.klass)
    assert seen == [CallClass.REFRESH, CallClass.CHECKOUT, CallClass.CHECKOUT]


def test_watchers_hear_each_rise_until_they_leave() -> None:
    ticket = Ticket(CallClass.BACKGROUND)
    heard: list[CallClass] = []
    with ticket.watched(lambda: heard.append(ticket.klass)):
        ticket.lift(CallClass.BACKGROUND)
        ticket.lift(CallClass.REFRESH)
        ticket.lift(CallClass.INTERACTIVE)
    ticket.lift(CallClass.CHECKOUT)
    assert heard == [CallClass.REFRESH, CallClass.INTERACTIVE]


def test_a_customer_waits_for_checkout_and_interactive_calls_only() -> None:
    facing = [klass for klass in CallClass if klass.is_customer_facing]
    assert facing == [CallClass.CHECKOUT, CallClass.INTERACTIVE]


def test_a_ticket_is_for_all_who_share_it_and_ours_without_any() -> None:
    shop, crawler = Caller("shop", "C-1"), Caller("crawler", "C-1")
    ticket = Ticket(CallClass.INTERACTIVE, shop)
    heard: list[tuple[Caller, ...]] = []
    with ticket.watched(lambda: heard.append(ticket.callers)):
        ticket.share(shop)
        ticket.share(crawler)
    assert heard == [(shop, crawler)]
    beside = ticket.beside(CallClass.REFRESH)
    assert (beside.klass, beside.callers) == (CallClass.REFRESH, (shop, crawler))
    assert Ticket(CallClass.REFRESH).callers == (OURSELVES,)

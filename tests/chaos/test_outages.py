"""Whose orders are timed when a machine is lost."""

import math
import time

from tests.chaos.outages import arrivals


class Looks:
    """Shows more orders at each look."""

    def __init__(self, *looks: set[str]) -> None:
        self.looks = list(looks)

    def released(self) -> set[str]:
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


def test_orders_of_others_do_not_end_the_wait_for_those_of_the_lost_machine() -> None:
    looks = Looks({"1", "2", "3"}, {"1", "2", "3", "7"})

    arrived = arrivals(looks, ["7"], since=time.monotonic(), seconds=5)

    assert arrived.keys() == {"7"}
    assert 0.1 < arrived["7"] < 5


def test_an_order_that_never_comes_took_for_ever() -> None:
    assert arrivals(Looks({"1"}), ["7"], since=time.monotonic(), seconds=0.1) == {"7": math.inf}

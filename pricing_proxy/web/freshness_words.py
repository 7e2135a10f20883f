"""Explain in words when a stored price may be shown, read from the table that decides it.

Nothing here is a second copy: rows and cells are put into words from
`domain.freshness.TABLE`, times from the modes' defaults, and the state that a caller sees
from `answers`. CommonMark, for the OpenAPI document; single words and rules for explanations.
"""

from collections.abc import Sequence

from pricing_proxy.domain.freshness import SECOND_US, TABLE, Fallback, Mode, Ruling, State, Wait
from pricing_proxy.prices.modes import mode_policies
from pricing_proxy.prices.query import Line, QuotedLine
from pricing_proxy.web.answers import shown_state

# What `classify` finds; the words that callers and operators use for it.
MEANING = {
    State.FRESH: "young, and known not to have been invalidated",
    State.STALE_SOFT: "due for a refresh, not invalidated",
    State.UNVERIFIED: "word of invalidations is late: Redis does not answer",
    State.STALE_HARD: "old, or invalidated softly",
    State.NO_PRICE: "the ERP said that there is no price",
    State.EXPIRED: "too old, or invalidated hard",
    State.ABSENT: "nothing is stored",
}
_LOAD = {
    Wait.NONE: "",
    Wait.BRIEF: "wait briefly for a load",
    Wait.FULL: "wait for a load",
}
OTHERWISE = {
    Fallback.FLAGGED: "the old price, flagged",
    Fallback.LAST_KNOWN: "refuse, with the old price as `last_known`",
    Fallback.NOTHING: "`unavailable`",
}


def freshness_markdown() -> str:
    """Return the table of states and modes, and the modes' default times."""
    return f"{_states()}\n\n{_modes()}"


def ruling_text(ruling: Ruling) -> str:
    """Return what a mode does with a price, as a short phrase."""
    if ruling.serve:
        return "serve; refresh behind" if ruling.refresh else "serve"
    steps = [_recent_text(ruling.recent_us)] if ruling.only_recent else []
    steps += [step for step in (_LOAD[ruling.wait], OTHERWISE[ruling.fallback]) if step]
    return ", else ".join(steps)


def rule_of(state: State, mode: Mode) -> str:
    """Return what a mode does with a price in a state."""
    return ruling_text(TABLE[state][mode])


def _states() -> str:
    head = ("stored price", "meaning", "answered as", *Mode)
    rows = [
        (
            f"`{state}`",
            MEANING[state],
            f"`{_shown(state)}`",
            *(ruling_text(rulings[mode]) for mode in Mode),
        )
        for state, rulings in TABLE.items()
    ]
    return _table(head, rows)


def _modes() -> str:
    head = ("mode", "answers within", "waits for a price", "waits briefly")
    rows = [
        (
            f"`{mode}`",
            _milliseconds(policy.answer_us),
            _milliseconds(policy.wait_us(Wait.FULL, None)),
            _milliseconds(policy.wait_us(Wait.BRIEF, None)),
        )
        for mode, policy in mode_policies().items()
    ]
    return _table(head, rows)


def _recent_text(recent_us: int) -> str:
    if recent_us == 0:
        return "serve if read after the request arrived"
    return f"serve if read no earlier than {recent_us // SECOND_US} s before the request"


def _shown(state: State) -> str:
    line = QuotedLine(
        line=Line("any"),
        unit=None,
        entry=None,
        state=state,
        is_served=True,
        reason=None,
        level="l1",
        is_verified=True,
    )
    return shown_state(line)


def _milliseconds(microseconds: int) -> str:
    return f"{microseconds // 1000} ms"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)

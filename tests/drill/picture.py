"""Draw what happened second by second as SVG: latencies above, states of answers below."""

from collections import Counter
from collections.abc import Sequence
from html import escape

from tests.drill.records import MODES, Answer, Phase

_WIDTH, _HEIGHT, _MARGIN = 1000, 200, 50
_COLOURS = {"browse": "#1f77b4", "cart": "#ff7f0e", "checkout": "#2ca02c"}
_STATES = {
    "fresh": "#2ca02c",
    "stale": "#ffbf00",
    "unverified": "#9467bd",
    "unavailable": "#d62728",
    "no_price": "#7f7f7f",
}
# The latency axis is logarithmic: 1 ms at the bottom, 10 s on top.
_DECADES = 4


def draw(answers: Sequence[Answer], phases: Sequence[Phase]) -> str:
    """Return the picture."""
    began, ended = phases[0].began, max(phases[-1].ended, phases[0].began + 1)
    scale = (_WIDTH - 2 * _MARGIN) / (ended - began)
    parts = [_phase(phase, began, scale) for phase in phases]
    parts += [_latencies(answers, mode, began, scale) for mode in MODES]
    parts += _states(answers, began, scale)
    parts += _legend()
    height = 2 * _HEIGHT + 3 * _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'font-family="sans-serif" font-size="12">{"".join(parts)}</svg>\n'
    )


def _phase(phase: Phase, began: float, scale: float) -> str:
    x = _MARGIN + (phase.began - began) * scale
    bottom = 2 * _HEIGHT + 2 * _MARGIN
    return (
        f'<line x1="{x:.1f}" y1="20" x2="{x:.1f}" y2="{bottom}" stroke="#ccc"/>'
        f'<text x="{x + 4:.1f}" y="16">{escape(phase.name)}</text>'
    )


def _latencies(answers: Sequence[Answer], mode: str, began: float, scale: float) -> str:
    """Return the p99 of each second as a line."""
    seconds: dict[int, list[float]] = {}
    for answer in answers:
        if answer.mode == mode and answer.due >= began:
            late = answer.received - answer.due
            seconds.setdefault(int(answer.due - began), []).append(late)
    points = []
    for second, values in sorted(seconds.items()):
        p99 = sorted(values)[len(values) * 99 // 100]
        points.append(f"{_MARGIN + second * scale:.1f},{_height_of(p99):.1f}")
    return f'<polyline points="{" ".join(points)}" fill="none" stroke="{_COLOURS[mode]}"/>'


def _height_of(seconds: float) -> float:
    # Decades above a millisecond, by comparing: 0 for 1 ms, 1 for 10 ms ...
    milliseconds, decades = max(seconds * 1000, 1.0), 0
    while milliseconds >= 10 and decades < _DECADES - 1:
        milliseconds /= 10
        decades += 1
    share = (decades + min((milliseconds - 1) / 9, 1.0)) / _DECADES
    return 20 + _HEIGHT * (1 - share)


def _states(answers: Sequence[Answer], began: float, scale: float) -> list[str]:
    """Return for each second a stack of how many lines were in which state."""
    seconds: dict[int, Counter[str]] = {}
    for answer in answers:
        counts = seconds.setdefault(int(answer.due - began), Counter())
        counts.update(line["state"] for line in answer.lines)
    bars, bottom = [], 2 * _HEIGHT + 2 * _MARGIN
    for second, counts in seconds.items():
        y = float(bottom)
        for state, colour in _STATES.items():
            height = _HEIGHT * counts[state] / max(counts.total(), 1)
            y -= height
            bars.append(
                f'<rect x="{_MARGIN + second * scale:.1f}" y="{y:.1f}" width="{scale:.1f}" '
                f'height="{height:.1f}" fill="{colour}"/>'
            )
    return bars


def _legend() -> list[str]:
    texts = [(f"p99 of {mode}", colour) for mode, colour in _COLOURS.items()]
    texts += list(_STATES.items())
    y = 2 * _HEIGHT + 2 * _MARGIN + 30
    return [
        f'<text x="{_MARGIN + number * 115}" y="{y}" fill="{colour}">■ {text}</text>'
        for number, (text, colour) in enumerate(texts)
    ]

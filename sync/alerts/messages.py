"""Messages about alerts, and their way to people: Slack, Teams, e-mail, webhooks and more.

All that is to be told in one round is one message. Targets are apprise URLs and hold
secrets: they never reach a log, only their position in the configuration does.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

import apprise

from pricing_proxy.terminal import on_one_line, visible
from sync.alerts.book import Message, Occasion

_log = logging.getLogger(__name__)

_SECONDS = 15.0
_HOUR, _MINUTE = timedelta(hours=1), timedelta(minutes=1)
_WORDS = {
    Occasion.BEGUN: "Now",
    Occasion.WORSE: "Worse",
    Occasion.LASTS: "Still",
    Occasion.ENDED: "Over",
}


def subject(messages: Sequence[Message]) -> str:
    """Return the first line of a message."""
    over = sum(message.occasion is Occasion.ENDED for message in messages)
    wrong = len(messages) - over
    if not wrong:
        return f"pricing-proxy sync: {over} over"
    return f"pricing-proxy sync: {wrong} wrong" + (f", {over} over" if over else "")


def body(messages: Sequence[Message], *, now: datetime) -> str:
    """Return the text: what is wrong first, then what is over."""
    ordered = sorted(messages, key=lambda message: message.occasion is Occasion.ENDED)
    return "\n\n".join(_paragraph(message, now) for message in ordered)


class Targets:
    """Where messages go.

    Args:
        urls: apprise URLs, with their secrets.
    """

    def __init__(self, urls: Sequence[str]) -> None:
        self._targets = []
        for number, url in enumerate(urls):
            target = apprise.Apprise()
            if not target.add(url):
                raise ValueError(f"target {number} is no address that apprise knows")
            self._targets.append(target)

    async def send(self, title: str, text: str) -> bool:
        """Send to all targets at once; return whether one took it, true without any."""
        if not self._targets:
            return True
        sent = await asyncio.gather(
            *(self._send(number, title, text) for number in range(len(self._targets)))
        )
        return any(sent)

    async def _send(self, number: int, title: str, text: str) -> bool:
        target = self._targets[number]
        try:
            async with asyncio.timeout(_SECONDS):
                # apprise blocks; a thread that outlives the time-out ends by its own.
                is_sent = await asyncio.to_thread(
                    target.notify,
                    body=visible(text),
                    title=on_one_line(title),
                    # Not said, a mail is taken for HTML, and what another system wrote is drawn.
                    body_format=apprise.NotifyFormat.TEXT,
                )
        except TimeoutError:
            is_sent = False
        if not is_sent:
            _log.warning("alert target %d did not take a message", number)
        return bool(is_sent)


def _paragraph(message: Message, now: datetime) -> str:
    alert = message.alert
    since = _span(now - alert.raised_at)
    if message.occasion is Occasion.ENDED:
        return f"{_WORDS[message.occasion]} after {since}: {alert.condition.title}"
    head = f"{_WORDS[message.occasion]}: {alert.condition.title}"
    lasting = "" if message.occasion is Occasion.BEGUN else f" (for {since})"
    return f"{head}{lasting}\n{alert.condition.text}"


def _span(span: timedelta) -> str:
    for unit, name in ((_HOUR, "h"), (_MINUTE, "min")):
        if span >= 2 * unit:
            return f"{span // unit} {name}"
    return f"{span // timedelta(seconds=1)} s"

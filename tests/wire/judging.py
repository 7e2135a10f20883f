"""Judge what was heard: each answer is its own caller's, told by customer, lines and digits."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.drill.digits import Told, price_text
from tests.wire.messages import Message
from tests.wire.speaking import Answer, Talk

_SHOWN, _LONGEST = 10, 600


@dataclass
class Verdict:
    """What became of all messages of one way.

    Attributes:
        connections: How many there were.
        honest: How many of them sent nothing unusual.
        answers: How many were heard.
        statuses: The same by status.
        proxied: Answers of a proxy's own.
        foreign: Answers that were another caller's, or none's.
        missing: Messages without an answer that should have one.
        resets: Connections that were torn.
        examples: Of what is wrong.
    """

    connections: int = 0
    honest: int = 0
    answers: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    proxied: Counter[int] = field(default_factory=Counter)
    foreign: int = 0
    missing: int = 0
    resets: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong."""
        return self.foreign == self.missing == self.resets == 0

    def hear(self, messages: Sequence[Message], talk: Talk, *, is_direct: bool) -> None:
        """Judge one connection.

        A proxy may refuse by itself what is unusual, and end the connection then; who sends
        nothing unusual is answered in full, whatever the neighbours send.
        """
        is_honest = not any(message.ends or message.is_head for message in messages)
        self.connections += 1
        self.honest += is_honest
        self.answers += len(talk.answers)
        self.statuses.update(answer.status for answer in talk.answers)
        for index, answer in enumerate(talk.answers):
            rest = messages[index:]
            if not answer.is_ours and not messages[index].is_head:
                self.proxied[answer.status] += 1
                if is_honest:
                    self._fault("missing", f"{messages[index].caller.name}: {answer}")
            elif not _is_own(messages[index], answer) and not _ends_garbled(rest, answer):
                self.foreign += 1
                self._note(f"foreign: {answer} to {_brief(rest[:1])}")
        # A proxy ends a connection whose request was refused before it was read to its end.
        is_ended = not is_direct and any(answer.status >= 400 for answer in talk.answers[-1:])
        if is_direct or (is_honest and not is_ended):
            if len(talk.answers) < _expected(messages, talk):
                self._fault("missing", f"{len(talk.answers)} answers to {_brief(messages)}")
            if talk.was_reset:
                self._fault("resets", f"after {talk.answers} to {_brief(messages)}")

    def _fault(self, kind: str, example: str) -> None:
        setattr(self, kind, getattr(self, kind) + 1)
        self._note(f"{kind}: {example}")

    def _note(self, example: str) -> None:
        if len(self.examples) < _SHOWN:
            self.examples.append(example[:_LONGEST])


def _brief(messages: Sequence[Message]) -> str:
    """Return what was sent, without tokens and long bodies."""
    return "; ".join(f"{each.caller.name}: {each.kind} {each.page}" for each in messages)


def _expected(messages: Sequence[Message], talk: Talk) -> int:
    """Return how many answers there must be, directly."""
    if any(answer.status == 400 for answer in talk.answers[-1:]):
        return 0  # what is garbled may take the answers of what came along with it
    for count, message in enumerate(messages):
        if message.is_cut:
            return 0  # who hangs up may miss what is on its way
        if message.ends:
            return count + 1
    return len(messages)


def _ends_garbled(rest: Sequence[Message], answer: Answer) -> bool:
    return answer.status == 400 and any(message.is_garbled or message.is_cut for message in rest)


def _is_own(message: Message, answer: Answer) -> bool:
    if answer.status not in message.statuses:
        return False
    if message.page is None or answer.status != 200:
        return answer.status != 200
    content = json.loads(answer.body)
    told = [(line["sku"], line["quantity"], line.get("price", "")) for line in content["lines"]]
    customer = message.page.customer
    return content["customer"] == customer and told == [
        (sku, quantity, price_text(Told(customer, sku, 0))) for sku, quantity in message.page.lines
    ]

"""Send what was recorded to the simulated shop, and compare what comes back.

The recorded shop had other products and customers, so ids, SKUs and names are
translated on the way; what must be the same are status, content type, message with its
placeholders, parameters, and the name and type of every member.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.magento.recordings import Recording
from tests.shop.conftest import Answer, Wire


async def replay(
    wire: Wire, recording: Recording, words: Mapping[str, str], **options: Any
) -> Answer:
    """Send a recorded request, translated, and assert that the answer is its like."""
    path = translated(recording.path, words)
    body = recording.body
    if body is not None and not isinstance(body, str):
        body = json.loads(translated(json.dumps(body, default=float), words))
    answer = await wire.send(recording.method, path, body, headers=headers(recording), **options)
    assert answer.status == recording.status, (recording.name, answer.body)
    assert answer.content_type == recording.content_type, recording.name
    found = list(differences(recording.answer, answer.body, words))
    assert found == [], (recording.name, found)
    return answer


def headers(recording: Recording) -> dict[str, str]:
    """Return the recorded headers that are part of the request, without credentials."""
    return {name: text for name, text in recording.headers.items() if name != "Authorization"}


def translated(text: str, words: Mapping[str, str]) -> str:
    """Return a text with every recorded word replaced, the longest first and each once."""
    if not words:
        return text
    longest = sorted(words, key=len, reverse=True)
    pattern = re.compile("|".join(rf"(?<![\w]){re.escape(word)}(?![\w])" for word in longest))
    return pattern.sub(lambda found: words[found[0]], text)


def differences(
    recorded: Any, answered: Any, words: Mapping[str, str], place: str = ""
) -> Iterator[str]:
    """Yield where an answer is not the recorded one's like."""
    if place.endswith(("/message", "/parameters")) or place == "":
        yield from _exact(recorded, answered, words, place)
    if kind(recorded) != kind(answered):
        yield f"{place}: {kind(recorded)} became {kind(answered)}"
    elif isinstance(recorded, dict):
        for name in sorted(recorded.keys() - answered.keys()):
            yield f"{place}/{name}: missing"
        for name in sorted(answered.keys() - recorded.keys()):
            yield f"{place}/{name}: was not recorded"
        for name in recorded.keys() & answered.keys():
            yield from differences(recorded[name], answered[name], words, f"{place}/{name}")
    elif isinstance(recorded, list) and recorded:
        for index, value in enumerate(answered):
            like = recorded[min(index, len(recorded) - 1)]
            yield from differences(like, value, words, f"{place}/{index}")
        if not answered:
            yield f"{place}: no rows"


def kind(value: Any) -> str:
    """Return the JSON type of a value."""
    if value is None or isinstance(value, bool):
        return json.dumps(value) if value is None else "flag"
    if isinstance(value, str):
        return "text"
    return "object" if isinstance(value, dict) else "list" if isinstance(value, list) else "number"


def _exact(recorded: Any, answered: Any, words: Mapping[str, str], place: str) -> Iterator[str]:
    """Compare by value: messages, parameters, and whole answers that are a flag."""
    if place == "" and not isinstance(recorded, bool):
        return
    meant = json.loads(translated(json.dumps(recorded, default=float), words))
    meant = _without_report(meant)
    if meant != _without_report(answered):
        yield f"{place}: {meant!r} became {answered!r}"


def _without_report(value: Any) -> Any:
    return re.sub(r"webapi-[0-9a-f]+", "webapi-", value) if isinstance(value, str) else value

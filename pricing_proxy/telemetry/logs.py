"""Logging: state changes, as text or JSON, with secrets taken out.

Nothing of ours logs a token, a body or a customer; the filter is for what libraries and
future hands might write.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Literal

from pricing_proxy.terminal import on_one_line, visible

_HIDDEN = "[redacted]"
_SECRETS = (
    re.compile(r"(?i)(bearer\s+)[A-Za-z0-9._~+/=-]+"),
    re.compile(
        r"(?i)((?:authorization|x-api-key|client_secret|password|access_token|client_assertion)"
        r"[\"']?\s*[:=]\s*[\"']?)(?!bearer)[^\s\"',;&}]+"
    ),
    # Queries carry customers and SKUs.
    re.compile(r"(https?://[^\s?\"']+\?|/v1/[^\s?\"']*\?)[^\s\"']+"),
    re.compile(r"(://[^/\s:@]*:)[^/\s@]+(?=@)"),
)


def redact(text: str) -> str:
    """Return the text without what looks like a secret or a query."""
    for pattern in _SECRETS:
        text = pattern.sub(rf"\g<1>{_HIDDEN}", text)
    return text


def set_up(*, level: str, style: Literal["text", "json"], worker: int | None = None) -> None:
    """Send everything from `level` on to standard error.

    Args:
        level: From which on.
        style: How it is written.
        worker: Which of several workers tells it; None for a program alone.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(worker) if style == "json" else TextFormatter(worker))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # These tell every request, with its address.
    for chatty in ("aiohttp.access", "msal", "urllib3", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


class TextFormatter(logging.Formatter):
    """One line for people, and a traceback where there is one."""

    def __init__(self, worker: int | None = None) -> None:
        who = "" if worker is None else f"[worker {worker}] "
        super().__init__(f"%(asctime)s %(levelname)-7s {who}%(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return redact(visible(super().format(record)))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 -- logging's name
        """Return the line without a traceback: what another system said begins no line."""
        return on_one_line(super().formatMessage(record))


class JsonFormatter(logging.Formatter):
    """One JSON object for collectors."""

    def __init__(self, worker: int | None = None) -> None:
        super().__init__()
        self._who = {} if worker is None else {"worker": worker}

    def format(self, record: logging.LogRecord) -> str:
        """Return the object."""
        members = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            **self._who,
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        if record.exc_info:
            members["traceback"] = redact(self.formatException(record.exc_info))
        return json.dumps(members, ensure_ascii=False)

"""Answers that say what is wrong with a request: RFC 9457 problem details.

Every problem has a stable code in `type`, and `errors` that point into the request with
JSON Pointers (RFC 6901). For a GET they point into the body that it stands for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web

CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong with a request.

    Attributes:
        pointer: JSON Pointer to the member; empty for the request as a whole.
        code: Stable name of the mistake.
        detail: What is expected there.
    """

    pointer: str
    code: str
    detail: str


@dataclass(slots=True)
class ProblemError(Exception):
    """A request that is answered with a problem.

    Attributes:
        status: HTTP status.
        code: Stable name of the kind of problem.
        detail: What happened and what to do, in one sentence.
        flaws: Where in the request.
        headers: Further headers of the answer.
        members: Further members of the problem.
    """

    status: int
    code: str
    detail: str
    flaws: Sequence[Flaw] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, Any] = field(default_factory=dict)

    def response(self) -> web.Response:
        """Return the answer."""
        return web.Response(
            status=self.status,
            body=orjson.dumps(self.document()),
            headers={
                "Content-Type": CONTENT_TYPE,
                "Cache-Control": "private, no-store",
                **self.headers,
            },
        )

    def document(self) -> dict[str, Any]:
        """Return the problem details."""
        flaws = self.flaws or [Flaw("", self.code, self.detail)]
        return {
            "type": f"/problems/{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "errors": [
                {"pointer": flaw.pointer, "code": flaw.code, "detail": flaw.detail}
                for flaw in flaws
            ],
            **self.members,
        }

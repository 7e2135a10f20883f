"""Answers that say what is wrong with a request: RFC 9457 problem details.

Each kind of problem is a `Problem` under a name of its program's (`web.problems`,
`listening.problems`, `sync.intake.problems`), and is raised by that name. Its stable code
stands in `type`; `errors` point into the request with JSON Pointers (RFC 6901). For a GET
they point into the body that it stands for. They end after some, for a request may be wrong in
thousands of places, and its answer is not to be larger than it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web

CONTENT_TYPE = "application/problem+json"
# As many as somebody reads; whoever mends these finds the next.
MOST_FLAWS = 20


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """One kind of problem, and what its caller should do.

    Attributes:
        status: HTTP status; gives the title.
        code: The end of `type`; stable.
        detail: What happened and what to do, in one sentence.
        pointer: Where in the request; an example where it may be in several places.
        headers: Headers that every such answer has, with their usual values.
        shape: The documented shape of the answer, which may have members of its own.
        most_flaws: After how many `errors` end; `detail` says how many there are.
    """

    status: int
    code: str
    detail: str
    pointer: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    shape: str = "Problem"
    most_flaws: int = MOST_FLAWS


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


class ProblemError(Exception):
    """A request that is answered with a problem.

    Args:
        problem: Which.
        detail: What happened this time, where more is to be told than always.
        flaws: Where in the request, if not at one place.
        pointer: That place, where it is not the problem's own.
        headers: Further headers of the answer, or other values of the problem's own.
        members: Further members of the answer.
    """

    def __init__(
        self,
        problem: Problem,
        detail: str | None = None,
        flaws: Sequence[Flaw] = (),
        *,
        pointer: str | None = None,
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(problem.code)
        self.problem = problem
        self.detail = detail or problem.detail
        place = problem.pointer if pointer is None else pointer
        self.flaws = flaws[: problem.most_flaws] or [Flaw(place, problem.code, self.detail)]
        if len(flaws) > len(self.flaws):
            self.detail += f" These are the first {len(self.flaws)} of {len(flaws)} mistakes."
        self.headers = {**problem.headers, **(headers or {})}
        self.members = members or {}

    def response(self) -> web.Response:
        """Return the answer."""
        return web.Response(
            status=self.problem.status,
            body=orjson.dumps(self.document()),
            headers={
                "Content-Type": CONTENT_TYPE,
                "Cache-Control": "private, no-store",
                **self.headers,
            },
        )

    def document(self) -> dict[str, Any]:
        """Return the problem details."""
        return {
            "type": f"/problems/{self.problem.code}",
            "title": HTTPStatus(self.problem.status).phrase,
            "status": self.problem.status,
            "detail": self.detail,
            "errors": [
                {"pointer": flaw.pointer, "code": flaw.code, "detail": flaw.detail}
                for flaw in self.flaws
            ],
            **self.members,
        }

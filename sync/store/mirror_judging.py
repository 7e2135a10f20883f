"""Whether a plan may be written, judged before its first write.

Each row is in the classes of danger that its flow says. A class may hold so many keys within 24
hours, those that are planned and not written yet among them; above it, all its new rows wait. A row
over its own limit waits alone. What a person has approved counts for nothing and waits for
nothing, while the row's direction stays; with the row's write the approval is used up.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from sync.store.mirror_records import MirrorLimit, MirrorRun, Risk, RunTrigger, Values

# Why a risk makes its row wait: the third part of what is kept of one; others are "over" its limit,
# and "approved", which makes nothing wait.
_ALONE = "alone"

_SLICE = 2000
_NEXT = text("""
    SELECT scope, folded, wanted, known FROM mirror_change
    WHERE run = :run AND state = 'planned' AND (scope, folded) > (:scope, :folded)
    ORDER BY scope, folded LIMIT :slice
""")
_KEEP = text("""
    UPDATE mirror_change c SET risks = ARRAY(SELECT jsonb_array_elements_text(r.risks))
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(scope text, folded text, risks jsonb)
    WHERE c.run = :run AND c.scope = r.scope AND c.folded = r.folded
""")
# Of rows that were read and are not in the class any more, or go the other way.
_END_APPROVALS = text("""
    DELETE FROM mirror_approval a USING mirror_staging s
    WHERE s.run = :run AND a.flow = :flow AND a.shop = :shop AND a.scope = s.scope
      AND a.folded = s.folded AND NOT EXISTS (
        SELECT FROM mirror_change c, unnest(c.risks) AS r(risk)
        WHERE c.run = :run AND c.scope = a.scope AND c.folded = a.folded
          AND starts_with(r.risk, a.risk || '/' || a.direction || '/'))
""")
_APPROVE = text("""
    UPDATE mirror_change c SET risks = ARRAY(
        SELECT CASE WHEN a.risk IS NULL THEN r.risk
               ELSE a.risk || '/' || a.direction || '/approved' END
        FROM unnest(c.risks) AS r(risk)
        LEFT JOIN mirror_approval a ON a.flow = :flow AND a.shop = :shop AND a.scope = c.scope
            AND a.folded = c.folded AND starts_with(r.risk, a.risk || '/' || a.direction || '/'))
    WHERE c.run = :run AND c.risks <> '{}'
""")
_KNOWN = text("""
    SELECT count(DISTINCT folded) FROM mirror_row
    WHERE flow = :flow AND shop = :shop AND scope = ANY(:scopes)
""")
_IN_CLASS = text("""
    SELECT count(DISTINCT c.folded), count(*) FILTER (WHERE c.run = :run)
    FROM mirror_change c JOIN mirror_run r ON r.id = c.run, unnest(c.risks) AS k(risk)
    WHERE r.flow = :flow AND r.market = :market
      AND (c.state = 'planned' OR c.written_at > clock_timestamp() - interval '24 hours')
      AND starts_with(k.risk, :risk || '/') AND split_part(k.risk, '/', 3) = ''
""")
_OVER = text("""
    UPDATE mirror_change c SET risks = ARRAY(
        SELECT CASE WHEN starts_with(r.risk, :risk || '/') AND split_part(r.risk, '/', 3) = ''
               THEN r.risk || 'over' ELSE r.risk END FROM unnest(c.risks) AS r(risk))
    WHERE c.run = :run AND c.risks <> '{}'
""")
_WAIT = text("""
    UPDATE mirror_change c SET state = 'waiting'
    WHERE c.run = :run AND c.state = 'planned' AND EXISTS (
        SELECT FROM unnest(c.risks) AS r(risk)
        WHERE split_part(r.risk, '/', 3) IN ('alone', 'over'))
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRules:
    """What a plan is judged by; see `sync.mirror.ports.Mirror`.

    Attributes:
        beside: As the mirror said it before this plan.
    """

    scopes: Sequence[str]
    risks: Callable[[Values | None, Values], Sequence[Risk]]
    limits: Mapping[str, MirrorLimit]
    beside: Mapping[str, Values] = field(default_factory=dict)


async def judge(connection: AsyncConnection, run: MirrorRun, rules: PlanRules) -> list[str]:
    """Have the rows of a plan wait that must; return what is over its limit, in words."""
    await _classify(connection, run, rules)
    place = {"run": run.id, "flow": run.flow, "shop": run.shop}
    if run.trigger is not RunTrigger.PLAN:
        await connection.execute(_END_APPROVALS, place)
    await connection.execute(_APPROVE, place)
    scopes = {"scopes": list(rules.scopes)}
    known = (await connection.execute(_KNOWN, {**place, **scopes})).scalar_one()
    told: list[str] = []
    for name, limit in rules.limits.items():
        told += await _limit(connection, run, name, limit.allowed(known))
    await connection.execute(_WAIT, {"run": run.id})
    return told


async def _limit(connection: AsyncConnection, run: MirrorRun, name: str, allowed: int) -> list[str]:
    values = {"run": run.id, "flow": run.flow, "market": run.market, "risk": name}
    found = (await connection.execute(_IN_CLASS, values)).one()
    if found[0] <= allowed or not found[1]:
        return []
    await connection.execute(_OVER, {"run": run.id, "risk": name})
    return [f"{name}: {found[0]} within 24 hours, {allowed} allowed"]


async def _classify(connection: AsyncConnection, run: MirrorRun, rules: PlanRules) -> None:
    """Keep the risks of each change; the catalog is never in memory at once."""
    values: dict[str, Any] = {"run": run.id, "scope": "", "folded": "", "slice": _SLICE}
    while rows := (await connection.execute(_NEXT, values)).all():
        risky = [
            {"scope": row.scope, "folded": row.folded, "risks": kept}
            for row in rows
            if (kept := [_kept(each) for each in _risks(row, rules)])
        ]
        if risky:
            await connection.execute(_KEEP, {"run": run.id, "rows": json.dumps(risky)})
        values |= {"scope": rows[-1].scope, "folded": rows[-1].folded}


def _risks(row: Row[Any], rules: PlanRules) -> Sequence[Risk]:
    known = row.known and {**row.known, **rules.beside.get(row.folded, {})}
    return rules.risks(known, row.wanted)


def _kept(risk: Risk) -> str:
    return f"{risk.name}/{risk.direction}/{_ALONE if risk.is_alone else ''}"

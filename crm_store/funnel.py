"""The funnel: how far the interests of a period came, how long it took, and what it was worth.

One funnel with cuts. An interest has reached a stage when it stood there, or jumped over it; the
list behind a bar asks for the same by the field `interest.reached`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, func, select

from crm_store.nouns import NOUNS
from crm_store.objects import visible
from crm_store.pipelines import pipeline
from crm_store.rows import gathered, read_json
from crm_store.tables.interests import interest_stays, interests
from crm_store.viewer import Reader
from hub.ids import Micros, PipelineId, UserId
from hub.records.interests import Funnel, FunnelStep, Money
from hub.terms import fold

INTEREST = NOUNS["interest"]
_stays, _i = interest_stays, interests
MOST_MEASURED = 2000
"""Of how many of the newest interests the times in the stages are measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelQuery:
    """Which interests: of a pipeline, begun in a period, of a person, from a source."""

    pipeline_id: PipelineId
    since: Micros = Micros(0)
    until: Micros = Micros(0)
    owner_id: UserId = UserId(0)
    source: str = ""


def funnel(reader: Reader, query: FunnelQuery) -> Funnel:
    """Give the funnel of a pipeline."""
    reader.viewer.need(INTEREST.kind.read)
    line = pipeline(reader, query.pipeline_id)
    chosen = _chosen(reader, query)
    ends = _ends(reader, chosen)
    counts, sums = _reached(reader, chosen, [one.id for one in line.stages], ends.currencies)
    medians = _medians(reader, chosen)
    steps = []
    before = 0
    for n, stage in enumerate(line.stages):
        count = counts.get(stage.id, 0)
        steps.append(
            FunnelStep(
                stage=stage,
                count=count,
                conversion=_percent(count, before if n else count),
                share=_percent(count, ends.began),
                median_us=medians.get(stage.id, 0),
                sums=tuple(sums.get(stage.id, ())),
            )
        )
        before = count
    return Funnel(
        pipeline=line,
        steps=tuple(steps),
        began=ends.began,
        won=ends.won,
        lost=ends.lost,
        won_sums=tuple(
            Money(currency=one, amount=amount) for one, amount in sorted(ends.sums.items())
        ),
        reasons=tuple(sorted(ends.reasons.items(), key=lambda one: (-one[1], one[0]))),
    )


def _percent(part: int, whole: int) -> int:
    return (200 * part + whole) // (2 * whole) if whole else 0


def _chosen(reader: Reader, query: FunnelQuery) -> list[ColumnElement[bool]]:
    parts: list[ColumnElement[bool]] = [
        _i.c.pipeline_id == query.pipeline_id,
        _i.c.deleted_at == 0,
        visible(reader.viewer, INTEREST),
    ]
    if query.since:
        parts.append(_i.c.created_at >= query.since)
    if query.until:
        parts.append(_i.c.created_at < query.until)
    if query.owner_id:
        parts.append(_i.c.owner_id == query.owner_id)
    if query.source:
        parts.append(_i.c.source_folded == fold(query.source)[:400])
    return parts


@dataclass(slots=True)
class _Ends:
    """How the chosen ones ended, counted in one reading."""

    began: int = 0
    won: int = 0
    lost: int = 0
    currencies: set[str] = field(default_factory=set)
    sums: dict[str, int] = field(default_factory=dict)
    reasons: dict[int, int] = field(default_factory=dict)


def _ends(reader: Reader, chosen: list[ColumnElement[bool]]) -> _Ends:
    found = _Ends()
    for row in reader.conn.execute(
        select(
            _i.c.status,
            _i.c.currency,
            _i.c.loss_reason_id,
            func.count().label("n"),
            func.sum(_i.c.amount).label("amount"),
        )
        .where(*chosen)
        .group_by(_i.c.status, _i.c.currency, _i.c.loss_reason_id)
    ):
        found.began += int(row.n)
        found.currencies.add(row.currency)
        if row.status == "won":
            found.won += int(row.n)
            if row.amount:
                found.sums[row.currency] = found.sums.get(row.currency, 0) + int(row.amount)
        elif row.status == "lost":
            found.lost += int(row.n)
            had = found.reasons.get(row.loss_reason_id, 0)
            found.reasons[row.loss_reason_id] = had + int(row.n)
    return found


def _reached(
    reader: Reader,
    chosen: list[ColumnElement[bool]],
    stages: Sequence[int],
    currencies: Collection[str],
) -> tuple[dict[int, int], dict[int, list[Money]]]:
    # A column for each stage: to group by stages, SQLite would sort all the stays first.
    columns: list[ColumnElement[Any]] = []
    for stage_id in stages:
        there = _stays.c.stage_id == stage_id
        columns += [func.count().filter(there), func.sum(_i.c.amount).filter(there)]
    counts: dict[int, int] = dict.fromkeys(stages, 0)
    sums: dict[int, list[Money]] = {}
    if not (columns and currencies):
        return counts, sums
    # Who came to a stage twice reached it once: the second time is marked in its row.
    statement = (
        select(func.max(_i.c.currency), *columns)
        .select_from(_i)
        .join(_stays, _stays.c.interest_id == _i.c.id)
        .where(~_stays.c.again, *chosen)
    )
    if len(currencies) > 1:
        statement = statement.group_by(_i.c.currency)
    rows = sorted(reader.conn.execute(statement), key=lambda one: str(one[0]))
    for currency, *found in rows:
        for stage_id, count, amount in zip(stages, found[::2], found[1::2], strict=True):
            counts[stage_id] += int(count)
            if amount:
                more = Money(currency=currency, amount=int(amount))
                sums.setdefault(stage_id, []).append(more)
    return counts, sums


def _medians(reader: Reader, chosen: list[ColumnElement[bool]]) -> Mapping[int, int]:
    """Give how long those who left a stage had stayed, the middle one of them.

    Of the newest MOST_MEASURED interests: how long things take is a question about lately, and
    the middle of all that ever was would have to be sorted anew each time.
    """
    newest = (
        select(_i.c.id)
        .where(*chosen)
        .order_by(_i.c.created_at.desc(), _i.c.id.desc())
        .limit(MOST_MEASURED)
        .subquery()
    )
    dialect = reader.conn.dialect.name
    # As two lists in one row: thousands of rows cost more than finding them.
    row = reader.conn.execute(
        select(
            gathered(dialect, _stays.c.stage_id).label("stages"),
            gathered(dialect, _stays.c.left_at - _stays.c.entered_at).label("times"),
        )
        .select_from(newest)
        .join(_stays, _stays.c.interest_id == newest.c.id)
        .where(_stays.c.left_at > 0, ~_stays.c.passed)
    ).one()
    spent: dict[int, list[int]] = {}
    for stage_id, one in zip(read_json(row.stages) or (), read_json(row.times) or (), strict=True):
        spent.setdefault(stage_id, []).append(one)
    return {stage_id: _middle(sorted(some)) for stage_id, some in spent.items()}


def _middle(ordered: list[int]) -> int:
    """Give the middle one, or what lies between both where there are two."""
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) // 2

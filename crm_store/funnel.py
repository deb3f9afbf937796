"""The funnel: how far the interests of a period came, how long it took, and what it was worth.

One funnel with cuts. An interest has reached a stage when it stood there, or jumped over it; the
list behind a bar asks for the same by the field `interest.reached`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select

from crm_store.nouns import NOUNS
from crm_store.objects import visible
from crm_store.pipelines import pipeline
from crm_store.tables.interests import interest_stays, interests
from crm_store.viewer import Reader
from hub.ids import Micros, PipelineId, UserId
from hub.records.interests import Funnel, FunnelStep, Money
from hub.terms import fold

INTEREST = NOUNS["interest"]
_stays, _i = interest_stays, interests


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
    began, won, lost = _outcomes(reader, chosen)
    counts, sums = _reached(reader, chosen)
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
                share=_percent(count, began),
                median_us=medians.get(stage.id, 0),
                sums=tuple(sums.get(stage.id, ())),
            )
        )
        before = count
    return Funnel(
        pipeline=line,
        steps=tuple(steps),
        began=began,
        won=won,
        lost=lost,
        won_sums=_won_sums(reader, chosen),
        reasons=_reasons(reader, chosen),
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


def _outcomes(reader: Reader, chosen: list[ColumnElement[bool]]) -> tuple[int, int, int]:
    rows = reader.conn.execute(
        select(_i.c.status, func.count()).where(*chosen).group_by(_i.c.status)
    )
    counts: dict[str, int] = {row[0]: int(row[1]) for row in rows}
    return sum(counts.values()), counts.get("won", 0), counts.get("lost", 0)


def _reached(
    reader: Reader, chosen: list[ColumnElement[bool]]
) -> tuple[dict[int, int], dict[int, list[Money]]]:
    pairs = (
        select(_stays.c.stage_id, _i.c.id, _i.c.currency, _i.c.amount)
        .join(_i, _i.c.id == _stays.c.interest_id)
        .where(*chosen)
        .distinct()
        .subquery()
    )
    rows = reader.conn.execute(
        select(pairs.c.stage_id, pairs.c.currency, func.count(), func.sum(pairs.c.amount))
        .group_by(pairs.c.stage_id, pairs.c.currency)
        .order_by(pairs.c.currency)
    )
    counts: dict[int, int] = {}
    sums: dict[int, list[Money]] = {}
    for stage_id, currency, count, amount in rows:
        counts[stage_id] = counts.get(stage_id, 0) + int(count)
        if amount:
            sums.setdefault(stage_id, []).append(Money(currency=currency, amount=int(amount)))
    return counts, sums


def _medians(reader: Reader, chosen: list[ColumnElement[bool]]) -> Mapping[int, int]:
    """Give how long those who left a stage had stayed, the middle one of them."""
    spent = _stays.c.left_at - _stays.c.entered_at
    own: Any = {"partition_by": _stays.c.stage_id}
    ranked = (
        select(
            _stays.c.stage_id,
            spent.label("spent"),
            func.row_number().over(order_by=(spent, _stays.c.id), **own).label("place"),
            func.count().over(**own).label("of"),
        )
        .join(_i, _i.c.id == _stays.c.interest_id)
        .where(_stays.c.left_at > 0, ~_stays.c.passed, *chosen)
        .subquery()
    )
    # Both middle ones where there are two.
    middle = (ranked.c.place * 2 >= ranked.c.of) & (ranked.c.place * 2 <= ranked.c.of + 2)
    rows = reader.conn.execute(
        select(ranked.c.stage_id, func.min(ranked.c.spent), func.max(ranked.c.spent))
        .where(middle)
        .group_by(ranked.c.stage_id)
    )
    return {row[0]: (int(row[1]) + int(row[2])) // 2 for row in rows}


def _won_sums(reader: Reader, chosen: list[ColumnElement[bool]]) -> tuple[Money, ...]:
    rows = reader.conn.execute(
        select(_i.c.currency, func.sum(_i.c.amount))
        .where(*chosen, _i.c.status == "won", _i.c.amount != 0)
        .group_by(_i.c.currency)
        .order_by(_i.c.currency)
    )
    return tuple(Money(currency=row[0], amount=int(row[1])) for row in rows)


def _reasons(reader: Reader, chosen: list[ColumnElement[bool]]) -> tuple[tuple[int, int], ...]:
    """Give why they were lost: reason and how many, the commonest first."""
    rows = reader.conn.execute(
        select(_i.c.loss_reason_id, func.count())
        .where(*chosen, _i.c.status == "lost")
        .group_by(_i.c.loss_reason_id)
        .order_by(func.count().desc(), _i.c.loss_reason_id)
    )
    return tuple((int(row[0]), int(row[1])) for row in rows)

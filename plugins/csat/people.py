"""What segments can ask of people: their last mark, its day, the mean of their marks of 90 days."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, func, select

from hub import Asking, FieldType, SegmentField
from plugins.csat.commands import DAY_US
from plugins.csat.tables import asks

MEAN_DAYS = 90
NEEDS = "dialogs.view"
"""Marks stand beside dialogs: whoever may see none of these learns of no mark."""


def _given(asking: Asking) -> tuple[ColumnElement[bool], ...]:
    """Say which marks count: those of the person, of dialogs that the reader sees."""
    return (
        asks.c.contact_id == asking.person,
        asks.c.mark > 0,
        asking.sees_dialog(asks.c.dialog_id),
    )


def _last_mark(asking: Asking) -> Any:
    # By when it was given, not when it was asked for: a late answer to an old question is the newest.
    newest = (asks.c.rated_at.desc(), asks.c.id.desc())
    return select(asks.c.mark).where(*_given(asking)).order_by(*newest).limit(1).scalar_subquery()


def _last_at(asking: Asking) -> Any:
    return select(func.max(asks.c.rated_at)).where(*_given(asking)).scalar_subquery()


def _mean(asking: Asking) -> Any:
    lately = asks.c.rated_at > asking.now - MEAN_DAYS * DAY_US
    return select(func.avg(asks.c.mark)).where(*_given(asking), lately).scalar_subquery()


SEGMENT_FIELDS = [
    SegmentField(
        name="csat.last_mark",
        label="Last mark, from 1 to 5",
        translations={"ru": "Последняя оценка, от 1 до 5"},
        type=FieldType.NUMBER,
        sql=_last_mark,
        permission=NEEDS,
    ),
    SegmentField(
        name="csat.last_mark_at",
        label="Day of the last mark",
        translations={"ru": "День последней оценки"},
        type=FieldType.INSTANT,
        sql=_last_at,
        permission=NEEDS,
    ),
    SegmentField(
        name="csat.mean_mark",
        label="Mean mark of the last 90 days",
        translations={"ru": "Средняя оценка за последние 90 дней"},
        type=FieldType.NUMBER,
        sql=_mean,
        permission=NEEDS,
    ),
]

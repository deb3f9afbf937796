"""Counts of a funnel: what became of some interests. Those of several days add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    bindparam,
    func,
    select,
)

from crm_store.nouns import NOUNS
from crm_store.rows import gathered, numbered, numbers, read_json, row_by_row
from crm_store.sight import visible
from crm_store.sums import sum_of
from crm_store.tables.interests import interest_stays, interests
from crm_store.viewer import Viewer

Span = tuple[int, int]
"""From an instant on until before another one."""
_stays, _i = interest_stays, interests


@dataclass(slots=True)
class Counts:
    """How some interests ended, and which stages they reached, with their worth.

    `ends` are count and amount by status, currency and reason of losing, `reached` by stage and
    currency.
    """

    ends: dict[tuple[str, str, int], tuple[int, int]] = field(default_factory=dict)
    reached: dict[tuple[int, str], tuple[int, int]] = field(default_factory=dict)

    @property
    def began(self) -> int:
        """How many there are."""
        return sum(count for count, _ in self.ends.values())

    def end(self, key: tuple[str, str, int], count: int, amount: int) -> None:
        """Add some that ended alike."""
        had = self.ends.get(key, (0, 0))
        self.ends[key] = (had[0] + count, had[1] + amount)

    def reach(self, key: tuple[int, str], count: int, amount: int) -> None:
        """Add some that reached a stage."""
        had = self.reached.get(key, (0, 0))
        self.reached[key] = (had[0] + count, had[1] + amount)

    def add(self, data: Any) -> None:
        """Add what `to_data` gave."""
        for status, currency, reason, count, amount in data["ends"]:
            self.end((status, currency, reason), count, amount)
        for stage_id, currency, count, amount in data["reached"]:
            self.reach((stage_id, currency), count, amount)

    def to_data(self) -> dict[str, list[list[Any]]]:
        """Give it as it is stored."""
        return {
            "ends": [[*key, *found] for key, found in sorted(self.ends.items())],
            "reached": [[*key, *found] for key, found in sorted(self.reached.items())],
        }


@dataclass(frozen=True, slots=True)
class Which:
    """Which interests of a pipeline are counted; the same value makes the same questions.

    Their parameters are `pipeline`, and `owner` and `source` where it is cut by them.
    """

    viewer: Viewer
    by_owner: bool = False
    by_source: bool = False

    def conditions(self) -> list[ColumnElement[bool]]:
        """Give it as conditions over interests."""
        parts = [
            _i.c.pipeline_id == bindparam("pipeline"),
            _i.c.deleted_at == 0,
            visible(self.viewer, NOUNS["interest"]),
        ]
        if self.by_owner:
            parts.append(_i.c.owner_id == bindparam("owner"))
        if self.by_source:
            parts.append(_i.c.source_folded == bindparam("source"))
        return parts


def counted(
    conn: Connection,
    which: Which,
    values: Mapping[str, Any],
    spans: Sequence[Span],
    stages: tuple[int, ...],
) -> Counts:
    """Count the interests that began in one of some spans; `values` are those of `which`."""
    found = Counts()
    if not spans:
        return found
    dialect = conn.dialect.name
    given = {**values, **numbered(dialect, ("since", "until"), spans)}
    for status, currency, reason, count, amount in conn.execute(_ends(dialect, which), given):
        if count:
            found.end((status, currency, reason), count, int(amount))
    currencies = {currency for _, currency, _ in found.ends}
    if not (stages and currencies):
        return found
    reached = _reached(dialect, which, stages, len(currencies) > 1)
    for currency, *columns in conn.execute(reached, given):
        for stage_id, count, amount in zip(stages, columns[::2], columns[1::2], strict=True):
            if count:
                found.reach((stage_id, currency), count, int(amount))
    return found


@lru_cache(128)
def _ends(dialect: str, which: Which) -> Select[Any]:
    of = (_i.c.status, _i.c.currency, _i.c.loss_reason_id)
    counts = (func.count(_i.c.id), sum_of(_i.c.amount))
    return select(*of, *counts).select_from(_begun(dialect, which)).group_by(*of)


@lru_cache(128)
def _reached(dialect: str, which: Which, stages: tuple[int, ...], several: bool) -> Select[Any]:
    # Who came to a stage twice reached it once: the second time is marked in its row.
    first = and_(_stays.c.interest_id == _i.c.id, ~_stays.c.again)
    stage = _stays.c.stage_id
    joined, own = row_by_row(dialect, _begun(dialect, which), _stays, (stage,), first)
    # A column for each stage: to group by stages, SQLite would sort all the stays first.
    columns: list[ColumnElement[Any]] = []
    for stage_id in stages:
        there = own.c.stage_id == stage_id
        columns += [func.count().filter(there), sum_of(_i.c.amount, there)]
    statement = select(func.max(_i.c.currency), *columns).select_from(joined)
    return statement.group_by(_i.c.currency) if several else statement


def _begun(dialect: str, which: Which) -> Any:
    """Give the interests of some spans, which are gone through: an outer join is not turned round."""
    given: FromClause = numbers(dialect, ("since", "until"))
    within = and_(_i.c.created_at >= given.c.since, _i.c.created_at < given.c.until)
    return given.outerjoin(_i, and_(*which.conditions(), within))


def times(
    conn: Connection, which: Which, values: Mapping[str, Any], span: Span, most: int
) -> tuple[int, dict[str, list[int]]]:
    """Give how many of the newest that began in a span there are, and how long they stayed, by stage.

    At most `most` of them; who is still in a stage says nothing of it.
    """
    since, until = span
    statement = _times(conn.dialect.name, which)
    given = {**values, "since": since, "until": until, "most": most}
    row = conn.execute(statement, given).one()
    spent: dict[str, list[int]] = {}
    for stage_id, one in zip(read_json(row.stages) or (), read_json(row.times) or (), strict=True):
        spent.setdefault(str(stage_id), []).append(one)
    return int(row[0]), spent


@lru_cache(128)
def _times(dialect: str, which: Which) -> Select[Any]:
    since, until = bindparam("since", type_=BigInteger), bindparam("until", type_=BigInteger)
    newest = (
        select(_i.c.id)
        .where(*which.conditions(), _i.c.created_at >= since, _i.c.created_at < until)
        .order_by(_i.c.created_at.desc(), _i.c.id.desc())
        .limit(bindparam("most"))
        .subquery()
    )
    left = and_(_stays.c.interest_id == newest.c.id, _stays.c.left_at > 0, ~_stays.c.passed)
    # As two lists in one row: thousands of rows cost more than finding them.
    return (
        select(
            select(func.count()).select_from(newest).scalar_subquery().label("found"),
            gathered(dialect, _stays.c.stage_id).label("stages"),
            gathered(dialect, _stays.c.left_at - _stays.c.entered_at).label("times"),
        )
        .select_from(newest)
        .join(_stays, left)
    )

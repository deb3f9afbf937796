"""Sums of the funnel that are kept by day, and how days that were written to are counted again.

Whatever writes an interest or a stay marks the day on which the interest began, in the same
transaction (triggers, step 0044). Who asks takes the sums of days without a mark and asks of the
marked ones itself, so that what he gets is true at any moment. The background counts marked days.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, delete, func, select

from crm_store.funnel_counts import Counts, Span
from crm_store.rows import insert_rows, numbered, numbers, row_by_row
from crm_store.sql import lock_names
from crm_store.sums import sum_of
from crm_store.tables.funnels import funnel_marks, funnel_sums
from crm_store.tables.interests import interest_stays, interests
from crm_store.unit_of_work import UnitOfWork
from hub.commands import CountFunnels
from hub.properties import DAY

TOGETHER = 32
"""How many days are summed once more, so that years are a few dozen rows."""
MOST_MEASURED = 2000
"""Of how many of the newest interests, of a cut or of a day of it, times are measured."""
EVERYBODY = ("", "")
Cut = tuple[str, str]
"""Of whom: EVERYBODY, ("owner", id) or ("source", folded)."""
_ROOM = 43
_i, _stays, _s, _marks = interests, interest_stays, funnel_sums, funnel_marks


@dataclass(frozen=True, slots=True)
class Parts:
    """A period in parts: spans that are to be asked of, the oldest first, and days that are kept.

    `kept` are stretches of days (how many days a row stands for, from, until before).
    """

    live: list[Span]
    kept: list[tuple[int, int, int]]
    first: int
    last: int
    marked: frozenset[int]


def parts(conn: Connection, pipeline_id: int, span: Span) -> Parts:
    """Cut a period where its sums are kept."""
    since, until = span
    first, last = -(-since // DAY), until // DAY
    rows = conn.execute(_MARKED, {"pipeline": pipeline_id}).scalars()
    marked = frozenset(day for day in rows if first <= day < last)
    if first >= last:
        return Parts([span], [], first, first, marked)
    asked = [(since, first * DAY), *((day * DAY, (day + 1) * DAY) for day in sorted(marked))]
    live: list[Span] = []
    for begin, end in (*asked, (last * DAY, until)):
        if live and live[-1][1] == begin:
            live[-1] = (live[-1][0], end)
        elif begin < end:
            live.append((begin, end))
    return Parts(
        [one for one in live if one[0] < one[1]], _kept(first, last, marked), first, last, marked
    )


def _kept(first: int, last: int, marked: frozenset[int]) -> list[tuple[int, int, int]]:
    begin, end = -(-first // TOGETHER) * TOGETHER, last // TOGETHER * TOGETHER
    if begin >= end:
        return [(1, first, last)]
    found = [(1, first, begin)]
    for day in sorted({one // TOGETHER * TOGETHER for one in marked if begin <= one < end}):
        found += [(TOGETHER, begin, day), (1, day, day + TOGETHER)]
        begin = day + TOGETHER
    found += [(TOGETHER, begin, end), (1, end, last)]
    return [one for one in found if one[1] < one[2]]


_MARKED = select(_marks.c.day).where(_marks.c.pipeline_id == bindparam("pipeline")).distinct()
_OF = (
    _s.c.pipeline_id == bindparam("pipeline"),
    _s.c.cut == bindparam("cut"),
    _s.c.value == bindparam("value"),
)


def add_kept(conn: Connection, pipeline_id: int, cut: Cut, given: Parts, found: Counts) -> None:
    """Add what is kept of a period's days that have no mark."""
    if not given.kept:
        return
    dialect = conn.dialect.name
    values = {**_values(pipeline_id, cut), **numbered(dialect, _STRETCH, given.kept)}
    for days, day, sums in conn.execute(_stretches(dialect), values):
        if days is not None and (days > 1 or day not in given.marked):
            found.add(sums)


_STRETCH = ("days", "since", "until")


@cache
def _stretches(dialect: str) -> Select[Any]:
    asked = numbers(dialect, _STRETCH)
    here = and_(
        *_OF, _s.c.days == asked.c.days, _s.c.day >= asked.c.since, _s.c.day < asked.c.until
    )
    columns = (_s.c.days, _s.c.day, _s.c.sums)
    joined, own = row_by_row(dialect, asked, _s, columns, here)
    return select(*(own.c[one.name] for one in columns)).select_from(joined)


def _values(pipeline_id: int, cut: Cut) -> dict[str, Any]:
    return {"pipeline": pipeline_id, "cut": cut[0], "value": cut[1]}


_TIMES = (
    select(_s.c.day, _s.c.began, _s.c.times)
    .where(*_OF, _s.c.days == 1, _s.c.day >= bindparam("first"), _s.c.day < bindparam("last"))
    .order_by(_s.c.day.desc())
    .limit(bindparam("most"))
)


def kept_times(
    conn: Connection, pipeline_id: int, cut: Cut, given: Parts
) -> Iterator[tuple[int, int, Mapping[str, list[int]]]]:
    """Give days without a mark, the newest first: the day, how many began, their times by stage."""
    last, most = given.last, TOGETHER
    while last > given.first:
        values = {"first": given.first, "last": last, "most": most}
        rows = conn.execute(_TIMES, {**_values(pipeline_id, cut), **values}).all()
        for day, began, times in rows:
            if day not in given.marked:
                yield day, began, times
        if len(rows) < most:
            return
        last, most = rows[-1].day, most * 8


# -- counting ------------------------------------------------------------------------------


@dataclass(slots=True)
class _Counted:
    """What is kept of a cut of a day."""

    counts: Counts = field(default_factory=Counts)
    times: dict[str, list[int]] = field(default_factory=dict)

    def to_data(self) -> tuple[Any, Any]:
        """Give sums and times as they are stored."""
        return self.counts.to_data(), {stage: sorted(some) for stage, some in self.times.items()}


_ANY_MARKED = select(_marks.c.pipeline_id, _marks.c.day).distinct()
_NEWEST_MARKED = _ANY_MARKED.order_by(_marks.c.day.desc(), _marks.c.pipeline_id)
_UNMARK = delete(_marks).where(
    _marks.c.pipeline_id == bindparam("pipeline"), _marks.c.day == bindparam("when")
)


def count_funnels(uow: UnitOfWork, command: CountFunnels) -> int:
    """Count some marked days again and take their marks away; gives how many there were."""
    conn = uow.conn
    if conn.execute(_ANY_MARKED.limit(1)).first() is None:
        return 0
    lock_names(conn, _ROOM, ["funnels"])
    days = [(row[0], row[1]) for row in conn.execute(_NEWEST_MARKED.limit(command.limit))]
    changed: dict[tuple[int, int], set[Cut]] = {}
    for pipeline_id, day in days:
        # The mark first: who writes after this is counted, leaves a mark of his own, or both.
        conn.execute(_UNMARK, {"pipeline": pipeline_id, "when": day})
        cuts = _keep_day(conn, pipeline_id, day)
        if cuts:
            changed.setdefault((pipeline_id, day // TOGETHER * TOGETHER), set()).update(cuts)
    for (pipeline_id, day), cuts in changed.items():
        _keep_together(conn, pipeline_id, day, cuts)
    return len(days)


_KEPT = and_(
    _s.c.pipeline_id == bindparam("pipeline"),
    _s.c.days == bindparam("long"),
    _s.c.day >= bindparam("first"),
    _s.c.day < bindparam("last"),
)
_KEPT_ROWS = select(_s.c.cut, _s.c.value, _s.c.sums, _s.c.times).where(_KEPT)
_FORGET_DAY = delete(_s).where(_KEPT)
_FORGET_CUTS = delete(_s).where(
    *_OF, _s.c.days == bindparam("long"), _s.c.day == bindparam("first")
)


def _keep_day(conn: Connection, pipeline_id: int, day: int) -> set[Cut]:
    """Write what a day's interests became; gives the cuts in which something changed."""
    here = {"pipeline": pipeline_id, "long": 1, "first": day, "last": day + 1}
    rows = conn.execute(_KEPT_ROWS, here)
    before = {(row.cut, row.value): (row.sums, row.times) for row in rows}
    now = {cut: one.to_data() for cut, one in _counted(conn, pipeline_id, day).items()}
    changed = {cut for cut in before.keys() | now.keys() if before.get(cut) != now.get(cut)}
    if changed:
        conn.execute(_FORGET_DAY, here)
        _write(conn, pipeline_id, 1, day, now)
    return changed


def _write(
    conn: Connection, pipeline_id: int, days: int, day: int, found: Mapping[Cut, tuple[Any, Any]]
) -> None:
    of = {"pipeline_id": pipeline_id, "days": days, "day": day}
    rows = [
        {
            **of,
            "cut": cut,
            "value": value,
            "began": sum(one[3] for one in sums["ends"]),
            "sums": sums,
            "times": times,
        }
        for (cut, value), (sums, times) in found.items()
    ]
    insert_rows(conn, _s, rows)


_BEGUN = and_(
    _i.c.pipeline_id == bindparam("pipeline"),
    _i.c.deleted_at == 0,
    _i.c.created_at >= bindparam("since"),
    _i.c.created_at < bindparam("until"),
)
_WHOSE = (_i.c.owner_id, _i.c.source_folded)
_HOW = (_i.c.status, _i.c.currency, _i.c.loss_reason_id)
_WHERE = (_stays.c.stage_id, _i.c.currency)
_ENDS = (
    select(*_WHOSE, *_HOW, func.count(), sum_of(_i.c.amount)).where(_BEGUN).group_by(*_WHOSE, *_HOW)
)
_REACHED = (
    select(*_WHOSE, *_WHERE, func.count(), sum_of(_i.c.amount))
    .join_from(_i, _stays, _stays.c.interest_id == _i.c.id)
    .where(_BEGUN, ~_stays.c.again)
    .group_by(*_WHOSE, *_WHERE)
)
_NEWEST = (
    select(_i.c.id, *_WHOSE)
    .where(_BEGUN)
    .order_by(_i.c.created_at.desc(), _i.c.id.desc())
    .limit(MOST_MEASURED)
    .subquery()
)
_STAYED = (
    select(
        _NEWEST.c.owner_id,
        _NEWEST.c.source_folded,
        _stays.c.stage_id,
        _stays.c.left_at - _stays.c.entered_at,
    )
    .join_from(_NEWEST, _stays, _stays.c.interest_id == _NEWEST.c.id)
    .where(_stays.c.left_at > 0, ~_stays.c.passed)
)


def _counted(conn: Connection, pipeline_id: int, day: int) -> dict[Cut, _Counted]:
    """Count a day in every cut: each person's and each source's part, and the whole."""
    given = {"pipeline": pipeline_id, "since": day * DAY, "until": (day + 1) * DAY}
    found: dict[Cut, _Counted] = {}

    def of(owner_id: int, source: str) -> list[_Counted]:
        cuts = (EVERYBODY, ("owner", str(owner_id)), ("source", source))
        return [found.setdefault(cut, _Counted()) for cut in cuts]

    for owner_id, source, status, currency, reason, count, amount in conn.execute(_ENDS, given):
        for one in of(owner_id, source):
            one.counts.end((status, currency, reason), count, int(amount))
    for owner_id, source, stage_id, currency, count, amount in conn.execute(_REACHED, given):
        for one in of(owner_id, source):
            one.counts.reach((stage_id, currency), count, int(amount))
    for owner_id, source, stage_id, time in conn.execute(_STAYED, given):
        for one in of(owner_id, source):
            one.times.setdefault(str(stage_id), []).append(time)
    return found


def _keep_together(conn: Connection, pipeline_id: int, day: int, cuts: set[Cut]) -> None:
    """Sum some cuts of a stretch of days once more."""
    here = {"pipeline": pipeline_id, "long": 1, "first": day, "last": day + TOGETHER}
    mine = _s.c.value.in_({value for _, value in cuts})
    found: dict[Cut, Counts] = {}
    for cut, value, sums in conn.execute(_TOGETHER.where(mine), here):
        if (cut, value) in cuts:
            found.setdefault((cut, value), Counts()).add(sums)
    gone = [{**_values(pipeline_id, cut), "long": TOGETHER, "first": day} for cut in cuts]
    conn.execute(_FORGET_CUTS, gone)
    together: dict[Cut, tuple[Any, Any]] = {cut: (one.to_data(), {}) for cut, one in found.items()}
    _write(conn, pipeline_id, TOGETHER, day, together)


_TOGETHER = select(_s.c.cut, _s.c.value, _s.c.sums).where(_KEPT)

"""How long an interest stayed in which stage, and what past interests say about a new one."""

from __future__ import annotations

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from crm_store.tables.interests import interest_stays, interests
from crm_store.unit_of_work import UnitOfWork
from hub.objects import ActorKind
from hub.records.interests import Pipeline, Stage

ENOUGH = 10
"""How many closed interests must speak before their share counts."""

MOST_ASKED = 2000
"""How many past interests of a stage are asked at most."""


def enter(uow: UnitOfWork, interest_id: int, stage_id: int) -> None:
    """Begin a stay; the one before it ends."""
    leave(uow, interest_id)
    again = stage_id in _known(uow, interest_id)
    _write(uow, interest_id, stage_id, passed=False, again=again)


def _known(uow: UnitOfWork, interest_id: int) -> set[int]:
    """Give the stages that an interest has come to."""
    return set(
        uow.conn.execute(
            select(interest_stays.c.stage_id).where(interest_stays.c.interest_id == interest_id)
        ).scalars()
    )


def leave(uow: UnitOfWork, interest_id: int) -> None:
    """End the stay of an interest."""
    uow.conn.execute(
        update(interest_stays)
        .where(interest_stays.c.interest_id == interest_id, interest_stays.c.left_at == 0)
        .values(left_at=uow.now)
    )


def pass_over(
    uow: UnitOfWork, interest_id: int, pipeline: Pipeline, before: int, after: int
) -> None:
    """Note the stages between two positions as reached, though nobody stayed in them.

    Who moves an interest notes it before the stay that it leads to (see `unpass`).
    """
    known = _known(uow, interest_id)
    for stage in pipeline.stages:
        if before < stage.position < after and stage.id not in known:
            _write(uow, interest_id, stage.id, passed=True, again=False)


def unpass(uow: UnitOfWork, interest_id: int, since: int) -> None:
    """Take back what was noted as passed over since an instant: it was not reached after all.

    What led to where the interest stands stays, though it be of that same instant.
    """
    columns = interest_stays.c
    wrong = [columns.interest_id == interest_id, columns.passed, columns.entered_at >= since]
    stands = uow.conn.execute(
        select(columns.id, columns.entered_at)
        .where(columns.interest_id == interest_id, ~columns.passed)
        .order_by(columns.id.desc())
        .limit(1)
    ).first()
    if stands is not None:
        # One transaction has one instant, and makes its ids in order.
        wrong.append(or_(columns.entered_at != stands.entered_at, columns.id > stands.id))
    uow.conn.execute(delete(interest_stays).where(*wrong))


def last_stage(conn: Connection, interest_id: int, pipeline: Pipeline) -> Stage | None:
    """Give where an interest stood last in a pipeline, None where it never was."""
    found = conn.execute(
        select(interest_stays.c.stage_id)
        .where(
            interest_stays.c.interest_id == interest_id,
            interest_stays.c.stage_id.in_([one.id for one in pipeline.stages]),
            ~interest_stays.c.passed,
        )
        .order_by(interest_stays.c.id.desc())
        .limit(1)
    ).scalar()
    return pipeline.stage(found) if found else None


def join_stages(uow: UnitOfWork, gone: int, into: int) -> None:
    """Give the stays of a stage that goes to another; who was in both came to it once."""
    been = select(interest_stays.c.interest_id).where(interest_stays.c.stage_id == into)
    uow.conn.execute(
        update(interest_stays)
        .where(interest_stays.c.stage_id == gone, interest_stays.c.interest_id.in_(been))
        .values(again=True)
    )
    uow.conn.execute(
        update(interest_stays).where(interest_stays.c.stage_id == gone).values(stage_id=into)
    )


def _write(uow: UnitOfWork, interest_id: int, stage_id: int, *, passed: bool, again: bool) -> None:
    people = (ActorKind.USER, ActorKind.TOKEN)
    uow.conn.execute(
        insert(interest_stays).values(
            id=uow.new_id(),
            interest_id=interest_id,
            stage_id=stage_id,
            entered_at=uow.now,
            left_at=uow.now if passed else 0,
            passed=passed,
            again=again,
            moved_by=uow.actor.id if uow.actor.kind in people else 0,
        )
    )


def likelihood(uow: UnitOfWork, stage: Stage, owner_id: int) -> int:
    """Give the share of won ones among closed interests that were in a stage, in percent.

    Of the same person where there are enough, else of all, else what the stage says. Only the
    newest MOST_ASKED that were there speak.
    """
    been = (
        select(interest_stays.c.interest_id)
        .where(interest_stays.c.stage_id == stage.id)
        .order_by(interest_stays.c.interest_id.desc())
        .limit(MOST_ASKED)
    )
    for mine in (True, False):
        if mine and not owner_id:
            continue
        statement = (
            select(interests.c.status, func.count())
            .where(
                interests.c.id.in_(been),
                interests.c.status.in_(("won", "lost")),
                interests.c.deleted_at == 0,
            )
            .group_by(interests.c.status)
        )
        if mine:
            statement = statement.where(interests.c.owner_id == owner_id)
        counts: dict[str, int] = {row[0]: int(row[1]) for row in uow.conn.execute(statement)}
        closed = sum(counts.values())
        if closed >= ENOUGH:
            return round(100 * counts.get("won", 0) / closed)
    return stage.probability


def last_mover(uow: UnitOfWork, interest_id: int) -> int:
    """Give who moved an interest to where it stands."""
    found = uow.conn.execute(
        select(interest_stays.c.moved_by)
        .where(interest_stays.c.interest_id == interest_id, ~interest_stays.c.passed)
        .order_by(interest_stays.c.id.desc())
        .limit(1)
    ).scalar()
    return int(found or 0)

"""The numbers beside the standing views of the inbox, each by an index that holds all it asks."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Connection, ScalarSelect, Select, and_, case, func, select

from crm_store.dialogs import ME, ZERO, alike, of_view
from crm_store.sql import keep_plans
from crm_store.tables.dialogs import dialogs, read_marks
from crm_store.viewer import Reader, Viewer
from hub.records.system import Counters

EVERYBODYS_COUNTS = ("unassigned", "all", "waiting", "snoozed", "failed")
OWN_COUNTS = ("mine", "mentions", "unread")


def counters(reader: Reader) -> Counters:
    """Count the standing views of the viewer, each to a thousand at most."""
    keep_plans(reader.conn)
    return Counters(**_counted(reader.conn, reader.viewer, EVERYBODYS_COUNTS + OWN_COUNTS))


def counters_of(conn: Connection, viewers: Iterable[Viewer]) -> dict[Viewer, Counters]:
    """Count for many people: what is the same for all who see the same is counted once."""
    keep_plans(conn)
    common: dict[Viewer, dict[str, int]] = {}
    found: dict[Viewer, Counters] = {}
    for viewer in viewers:
        shared = alike(viewer)
        if shared not in common:
            common[shared] = _counted(conn, viewer, EVERYBODYS_COUNTS)
        found[viewer] = Counters(**common[shared], **_counted(conn, viewer, OWN_COUNTS))
    return found


def _counted(conn: Connection, viewer: Viewer, names: tuple[str, ...]) -> dict[str, int]:
    row = conn.execute(_counting(alike(viewer), names), {"me": viewer.user_id}).one()
    return dict(row._mapping)


@lru_cache(512)
def _counting(viewer: Viewer, names: tuple[str, ...]) -> Select[Any]:
    """Make the question once: every open browser asks it every other second."""
    seen = (
        select(read_marks.c.inbound_seen)
        .where(read_marks.c.user_id == ME, read_marks.c.dialog_id == dialogs.c.id)
        .scalar_subquery()
    )
    # A view is found by its index, and each dialog there asked whether it is seen. Asked openly,
    # SQLite would begin with all that was ever assigned to somebody, closed ones too.
    seen_by = viewer.dialogs_clause()
    sight = [case((seen_by, True), else_=False)] if viewer.is_limited else []

    def count(name: str) -> ScalarSelect[int]:
        view, more = (
            ("mine", [dialogs.c.inbound_count > func.coalesce(seen, 0)])
            if name == "unread"
            else (name, [])
        )
        clauses = [*of_view(view), dialogs.c.merged_into == ZERO, *sight, *more]
        found = select(dialogs.c.id).where(and_(*clauses))
        return select(func.count()).select_from(found.limit(1000).subquery()).scalar_subquery()

    # mypy counts the columns of a list up to ten.
    return cast("Select[Any]", select(*[count(name).label(name) for name in names]))

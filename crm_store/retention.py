"""Retention: what a rule would remove, and removing it batch by batch.

Each batch finds by itself what is left to do, so a killed hub goes on where it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    delete,
    func,
    insert,
    select,
    true,
    tuple_,
    update,
)

from crm_store import object_writes
from crm_store.audit import NOISE
from crm_store.blob_counts import drop_blobs
from crm_store.erasure import erase_messages, forget_merges
from crm_store.objects import NOUNS
from crm_store.search_index import remove_dialogs
from crm_store.sql import locked
from crm_store.survivors import with_merged
from crm_store.tables.dialogs import attachments, dialogs, messages
from crm_store.tables.journal import cursors, journal
from crm_store.tables.objects import leads
from crm_store.tables.requests import notices
from crm_store.tables.retention import retention_rules
from crm_store.tables.rules import rule_effects, rule_hours, rule_marks, rule_runs
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from crm_store.work import run_job
from hub.commands import RemoveRetention, RunJob, RunRetention, SaveRetention, SweepRetention
from hub.errors import Conflict, Invalid, NotFound
from hub.events import RetentionChanged, RetentionFinished
from hub.ids import AccountId, Micros, RetentionId
from hub.records.retention import OF_ACCOUNTS, SUBJECTS, RetentionRule

if TYPE_CHECKING:
    from hub.extensions import Ageing

JOB = "hub.retention"
DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000
SHORTEST, LONGEST = 7, 36_500


def all_rules(reader: Reader) -> list[RetentionRule]:
    """Give the rules."""
    reader.viewer.need("system.manage")
    rows = reader.conn.execute(
        select(retention_rules).order_by(retention_rules.c.subject, retention_rules.c.account_id)
    )
    return [_record(row) for row in rows]


def one_rule(reader: Reader, rule_id: RetentionId) -> RetentionRule:
    """Give one rule; raises NotFound."""
    found = next((one for one in all_rules(reader) if one.id == rule_id), None)
    if found is None:
        raise NotFound("there is no such rule")
    return found


def _record(row: Row[Any]) -> RetentionRule:
    return RetentionRule(
        id=RetentionId(row.id),
        subject=row.subject,
        account_id=AccountId(row.account_id),
        days=row.days,
        active=row.active,
        running_since=Micros(row.running_since),
        last_run_at=Micros(row.last_run_at),
        last_counts=row.last_counts,
        version=row.version,
    )


def preview(reader: Reader, subject: str, account_id: int, days: int) -> int:
    """Count what a rule would remove now."""
    reader.viewer.need("system.manage")
    found = _due(subject, account_id, reader.now - days * DAY_US, reader.ageing)
    if found is None:
        return 0
    return int(reader.conn.execute(select(func.count()).select_from(found.subquery())).scalar_one())


def _due(
    subject: str, account_id: int, before: int, ageing: Mapping[str, Ageing]
) -> Select[Any] | None:
    """Give the keys of what is older than an instant and still there; None where its plugin is away."""
    if subject in ageing:
        found: Select[Any] = ageing[subject].due(Micros(before))
        return found
    if "." in subject:
        return None
    read_by_all = select(func.coalesce(func.min(cursors.c.event_id), 0)).scalar_subquery()

    def of(column: ColumnElement[int]) -> ColumnElement[bool]:
        return column == account_id if account_id else true()

    match subject:
        case "messages":
            return select(messages.c.id).where(
                messages.c.at < before,
                messages.c.deleted_at == 0,
                of(messages.c.account_id),
            )
        case "files":
            return select(attachments.c.id).where(
                attachments.c.created_at < before,
                attachments.c.message_id > 0,
                attachments.c.blob_id != "",
                of(attachments.c.account_id),
            )
        case "dialogs":
            said = select(messages.c.id).where(
                messages.c.dialog_id == dialogs.c.id, messages.c.deleted_at == 0
            )
            return select(dialogs.c.id).where(
                ~dialogs.c.is_open,
                dialogs.c.closed_at > 0,
                dialogs.c.closed_at < before,
                dialogs.c.last_at < before,
                of(dialogs.c.account_id),
                said.correlate(dialogs).exists(),
            )
        case "leads":
            return select(leads.c.id).where(
                leads.c.status == "rejected",
                leads.c.closed_at > 0,
                leads.c.closed_at < before,
                leads.c.title != "",
            )
        case "journal":
            return select(journal.c.id).where(
                journal.c.at < before,
                journal.c.type.in_(sorted(NOISE)),
                ~journal.c.shown,
                journal.c.id <= read_by_all,
            )
        # A run and a notice keep a fact from being answered twice: they stay until all have read it.
        case "rule_runs":
            return select(rule_runs.c.id).where(
                rule_runs.c.at < before, rule_runs.c.event_id <= read_by_all
            )
        case "notices":
            return select(notices.c.id).where(
                notices.c.created_at < before, notices.c.event_id <= read_by_all
            )
        case "rule_marks":
            return select(rule_marks.c.rule_id, rule_marks.c.mark).where(rule_marks.c.at < before)
        case "rule_hours":
            return select(rule_hours.c.rule_id, rule_hours.c.hour).where(
                rule_hours.c.hour < before // HOUR_US
            )
    raise Invalid(f"what is removed is one of: {', '.join(SUBJECTS)}", field="subject")


# -- commands ------------------------------------------------------------------------------


def save_retention(uow: UnitOfWork, command: SaveRetention) -> RetentionId:
    """Add a rule or change one."""
    if not SHORTEST <= command.days <= LONGEST:
        raise Invalid(f"a rule keeps things for {SHORTEST} days at least", field="days")
    if command.rule_id:
        row = _lock(uow, command.rule_id)
        uow.conn.execute(
            update(retention_rules)
            .where(retention_rules.c.id == row.id)
            .values(days=command.days, active=command.active, version=row.version + 1)
        )
        _say(uow, command.rule_id, "changed", row.subject, command.days, command.active)
        return command.rule_id
    if command.subject not in (*SUBJECTS, *uow.tx.ageing):
        raise Invalid(f"what is removed is one of: {', '.join(SUBJECTS)}", field="subject")
    account_id = command.account_id if command.subject in OF_ACCOUNTS else 0
    same = (retention_rules.c.subject == command.subject) & (
        retention_rules.c.account_id == account_id
    )
    if uow.conn.execute(select(retention_rules.c.id).where(same)).first() is not None:
        raise Invalid("there is such a rule already: change it", field="subject")
    rule_id = RetentionId(uow.new_id())
    uow.conn.execute(
        insert(retention_rules).values(
            id=rule_id,
            subject=command.subject,
            account_id=account_id,
            days=command.days,
            active=command.active,
            last_counts={},
        )
    )
    _say(uow, rule_id, "added", command.subject, command.days, command.active)
    return rule_id


def _say(
    uow: UnitOfWork, rule_id: RetentionId, what: str, subject: str, days: int, active: bool
) -> None:
    uow.record(
        RetentionChanged(rule_id=rule_id, what=what, subject_name=subject, days=days, active=active)
    )


def _lock(uow: UnitOfWork, rule_id: RetentionId) -> Row[Any]:
    row = uow.conn.execute(
        locked(uow.dialect, select(retention_rules).where(retention_rules.c.id == rule_id))
    ).first()
    if row is None:
        raise NotFound("there is no such rule")
    return row


def remove_retention(uow: UnitOfWork, command: RemoveRetention) -> None:
    """Forget a rule."""
    row = _lock(uow, command.rule_id)
    uow.conn.execute(delete(retention_rules).where(retention_rules.c.id == row.id))
    _say(uow, command.rule_id, "removed", row.subject, row.days, False)


def run_retention(uow: UnitOfWork, command: RunRetention) -> None:
    """Queue the job that carries a rule out."""
    row = _lock(uow, command.rule_id)
    if not row.active:
        raise Conflict("switch the rule on first", what="inactive")
    payload = {"rule_id": str(row.id)}
    run_job(uow, RunJob(name=JOB, payload=payload, key=str(row.id)))


def sweep_retention(uow: UnitOfWork, command: SweepRetention) -> int:
    """Remove the next batch; 0 says that the rule is through."""
    row = _lock(uow, command.rule_id)
    if not row.active:
        return 0
    before = uow.now - row.days * DAY_US
    due = _due(row.subject, row.account_id, before, uow.tx.ageing)
    if due is None:
        return 0
    limit = 20 if row.subject == "dialogs" else command.limit
    rows = uow.conn.execute(due.order_by(*due.selected_columns).limit(limit)).all()
    ids = [row[0] if len(row) == 1 else tuple(row) for row in rows]
    begun = row.running_since or uow.now
    counts = dict(row.last_counts) if row.running_since else {}
    counts["removed"] = int(counts.get("removed", 0)) + len(ids)
    _remove(uow, row.subject, ids)
    uow.conn.execute(
        update(retention_rules)
        .where(retention_rules.c.id == row.id)
        .values(
            running_since=begun if ids else 0,
            last_run_at=uow.now,
            last_counts=counts,
        )
    )
    if not ids and counts["removed"]:
        uow.record(
            RetentionFinished(
                rule_id=command.rule_id, subject_name=row.subject, removed=counts["removed"]
            )
        )
    return len(ids)


def _remove(uow: UnitOfWork, subject: str, ids: list[Any]) -> None:
    if not ids:
        return
    if subject in uow.tx.ageing:
        uow.tx.ageing[subject].remove(uow, ids)
    elif subject == "messages":
        erase_messages(uow, ids)
    elif subject == "files":
        names = set(
            uow.conn.execute(
                select(attachments.c.blob_id).where(attachments.c.id.in_(ids))
            ).scalars()
        )
        uow.conn.execute(
            update(attachments)
            .where(attachments.c.id.in_(ids))
            .values(blob_id="", state="failed", error="removed by its age")
        )
        drop_blobs(uow, names)
    elif subject == "dialogs":
        said = select(messages.c.id).where(
            messages.c.dialog_id.in_(ids), messages.c.deleted_at == 0
        )
        erase_messages(uow, list(uow.conn.execute(said).scalars()))
        remove_dialogs(uow.conn, ids)
        uow.conn.execute(
            update(dialogs)
            .where(dialogs.c.id.in_(ids))
            .values(subject="", subject_folded="", preview="", version=dialogs.c.version + 1)
        )
    elif subject == "leads":
        # What was merged into them is of the same person, and nothing brings it back.
        whole = with_merged(uow.conn, "lead", ids)
        object_writes.blank(uow, NOUNS["lead"], whole)
        forget_merges(uow, "lead", whole)
    elif subject == "rule_runs":
        uow.conn.execute(delete(rule_effects).where(rule_effects.c.run_id.in_(ids)))
        uow.conn.execute(delete(rule_runs).where(rule_runs.c.id.in_(ids)))
    elif subject == "rule_marks":
        marked = tuple_(rule_marks.c.rule_id, rule_marks.c.mark)
        uow.conn.execute(delete(rule_marks).where(marked.in_(ids)))
    elif subject == "rule_hours":
        counted = tuple_(rule_hours.c.rule_id, rule_hours.c.hour)
        uow.conn.execute(delete(rule_hours).where(counted.in_(ids)))
    else:
        table = notices if subject == "notices" else journal
        uow.conn.execute(delete(table).where(table.c.id.in_(ids)))

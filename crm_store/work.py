"""Background work: jobs, leases, worker numbers, outgoing webhooks."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from crm_store import delivery_leases
from crm_store.sql import locked, upsert
from crm_store.tables.journal import journal, leases, workers
from crm_store.tables.outbox import jobs, webhook_deliveries, webhooks
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.commands import (
    ClaimJobs,
    RemoveWebhook,
    RepeatWebhook,
    ReportPluginFailure,
    RunJob,
    SaveWebhook,
    SettleJob,
)
from hub.errors import Conflict, Invalid, NotFound
from hub.events import JobDied, PluginFailed, WebhookChanged
from hub.ids import MAX_WORKERS, EventId, JobId, Micros, WebhookId, bounded_key
from hub.records.system import Job, Webhook, WebhookDelivery

WORKER_LEASE_US = 120_000_000


# -- jobs ----------------------------------------------------------------------------------


def run_job(uow: UnitOfWork, command: RunJob) -> JobId:
    """Queue a job; one with the same key that still waits is not doubled."""
    job_id = JobId(uow.new_id())
    statement = upsert(uow.dialect, jobs).values(
        id=job_id,
        name=command.name,
        payload=dict(command.payload),
        key=bounded_key(command.key, 200),
        due_at=command.due_at or uow.now,
        created_at=uow.now,
    )
    uow.conn.execute(statement.on_conflict_do_nothing())
    return job_id


def claim_jobs(uow: UnitOfWork, command: ClaimJobs) -> list[Job]:
    """Lease due jobs; an expired lease of another worker counts as free."""
    free = (jobs.c.state == "queued") & ~jobs.c.held & (jobs.c.due_at <= uow.now)
    uow.conn.execute(
        update(jobs)
        .where(jobs.c.state == "running", jobs.c.leased_until < uow.now)
        # The key is given up: a twin with it may wait already, and both may not.
        .values(state="queued", key="")
    )
    statement = select(jobs).where(free).order_by(jobs.c.due_at, jobs.c.id).limit(command.limit)
    rows = uow.conn.execute(locked(uow.dialect, statement, skip=True)).all()
    if not rows:
        return []
    uow.conn.execute(
        update(jobs)
        .where(jobs.c.id == bindparam("b_id"))
        .values(
            state="running",
            attempts=jobs.c.attempts + 1,
            fence=jobs.c.fence + 1,
            leased_until=uow.now + command.lease_us,
            worker=command.worker,
        ),
        [{"b_id": row.id} for row in rows],
    )
    return [_job(row, attempts=row.attempts + 1, fence=row.fence + 1) for row in rows]


def _job(row: Row[Any], *, attempts: int, fence: int) -> Job:
    return Job(
        id=JobId(row.id),
        name=row.name,
        payload=row.payload,
        key=row.key,
        due_at=Micros(row.due_at),
        attempts=attempts,
        fence=fence,
        state=row.state,
        error=row.error,
    )


def settle_job(uow: UnitOfWork, command: SettleJob) -> None:
    """Write what became of a job; only the newest lease counts."""
    row = uow.conn.execute(
        locked(uow.dialect, select(jobs).where(jobs.c.id == command.job_id))
    ).first()
    if row is None or row.fence != command.fence:
        return
    if command.done:
        uow.conn.execute(delete(jobs).where(jobs.c.id == row.id))
        return
    retried = bool(command.retry_at)
    values: dict[str, Any] = {
        "state": "queued" if retried else "dead",
        "error": command.error[:2000],
        "leased_until": 0,
        "key": row.key if not retried else "",
    }
    if retried:
        values["due_at"] = command.retry_at
    uow.conn.execute(update(jobs).where(jobs.c.id == row.id).values(**values))
    if not retried:
        uow.record(JobDied(job_id=JobId(row.id), name=row.name))


def dead_jobs(reader: Reader) -> list[Job]:
    """Give the jobs that failed for the last time."""
    rows = reader.conn.execute(
        select(jobs).where(jobs.c.state == "dead").order_by(jobs.c.id.desc()).limit(200)
    )
    return [_job(row, attempts=row.attempts, fence=row.fence) for row in rows]


# -- leases --------------------------------------------------------------------------------


def take_lease(conn: Connection, dialect: str, name: str, owner: str, now: int, us: int) -> bool:
    """Take or keep a lease; False while another owner holds it."""
    statement = upsert(dialect, leases).values(name=name, owner=owner, until=now + us, fence=1)
    row = conn.execute(
        statement.on_conflict_do_update(
            index_elements=["name"],
            set_={"owner": owner, "until": now + us, "fence": leases.c.fence + 1},
            where=(leases.c.owner == owner) | (leases.c.until < now),
        ).returning(leases.c.owner)
    ).first()
    return row is not None


def free_leases(conn: Connection, now: int) -> None:
    """End every lease: whoever held one is known to be dead."""
    delivery_leases.end_all(conn, now)
    for table in (jobs, webhook_deliveries):
        conn.execute(update(table).where(table.c.leased_until > now).values(leased_until=now))
    conn.execute(delete(leases))


def drop_lease(conn: Connection, name: str, owner: str) -> None:
    """Give a lease back."""
    conn.execute(delete(leases).where(leases.c.name == name, leases.c.owner == owner))


def take_worker_number(conn: Connection, dialect: str, owner: str, now: int) -> int:
    """Lease a worker number that no living process has."""
    for _ in range(20):
        conn.execute(delete(workers).where(workers.c.until < now))
        taken = set(conn.execute(select(workers.c.number)).scalars())
        free = next((n for n in range(MAX_WORKERS) if n not in taken), None)
        if free is None:
            raise Conflict("every worker number is taken", what="workers")
        row = conn.execute(
            upsert(dialect, workers)
            .values(number=free, owner=owner, until=now + WORKER_LEASE_US)
            .on_conflict_do_nothing()
            .returning(workers.c.number)
        ).first()
        if row is not None:
            return free
    raise Conflict("no worker number could be taken", what="workers")


def keep_worker_number(conn: Connection, number: int, owner: str, now: int) -> bool:
    """Prolong the lease of a worker number; False when it was lost."""
    done = conn.execute(
        update(workers)
        .where(workers.c.number == number, workers.c.owner == owner)
        .values(until=now + WORKER_LEASE_US)
    )
    return bool(done.rowcount)


def drop_worker_number(conn: Connection, number: int, owner: str) -> None:
    """Give a worker number back."""
    conn.execute(delete(workers).where(workers.c.number == number, workers.c.owner == owner))


def living_workers(conn: Connection, now: int, but: str = "") -> list[str]:
    """Give the processes whose lease of a number runs, this one (`but`) left out."""
    statement = select(workers.c.owner).where(workers.c.until > now, workers.c.owner != but)
    return list(conn.execute(statement.order_by(workers.c.number)).scalars())


# -- webhooks ------------------------------------------------------------------------------


def save_webhook(uow: UnitOfWork, command: SaveWebhook) -> WebhookId:
    """Create or change an outgoing webhook; the secret comes sealed."""
    if not command.url.startswith(("https://", "http://")):
        raise Invalid("the address starts with https:// or http://", field="url")
    webhook_id = command.webhook_id or WebhookId(uow.new_id())
    values: dict[str, Any] = {
        "url": command.url,
        "events": list(command.events),
        "active": command.active,
    }
    if command.secret:
        values["secret"] = command.secret
    if command.webhook_id:
        done = uow.conn.execute(
            update(webhooks).where(webhooks.c.id == webhook_id).values(**values)
        )
        if not done.rowcount:
            raise NotFound("there is no such webhook")
    else:
        uow.conn.execute(
            insert(webhooks).values(
                id=webhook_id, user_id=uow.actor.id, created_at=uow.now, **values
            )
        )
    uow.record(WebhookChanged(webhook_id=webhook_id))
    return webhook_id


def remove_webhook(uow: UnitOfWork, command: RemoveWebhook) -> None:
    """Delete a webhook with its queue."""
    done = uow.conn.execute(delete(webhooks).where(webhooks.c.id == command.webhook_id))
    if not done.rowcount:
        raise NotFound("there is no such webhook")
    uow.conn.execute(
        delete(webhook_deliveries).where(webhook_deliveries.c.webhook_id == command.webhook_id)
    )
    uow.record(WebhookChanged(webhook_id=command.webhook_id))


def repeat_webhook(uow: UnitOfWork, command: RepeatWebhook) -> None:
    """Queue one fact for one webhook again."""
    for table, number, what in (
        (webhooks, command.webhook_id, "webhook"),
        (journal, command.event_id, "event"),
    ):
        if uow.conn.execute(select(table.c.id).where(table.c.id == number)).first() is None:
            raise NotFound(f"there is no such {what}")
    statement = upsert(uow.dialect, webhook_deliveries).values(
        webhook_id=command.webhook_id,
        event_id=command.event_id,
        due_at=uow.now,
        created_at=uow.now,
    )
    uow.conn.execute(
        statement.on_conflict_do_update(
            index_elements=["webhook_id", "event_id"],
            set_={
                "state": "queued",
                "due_at": uow.now,
                "attempts": 0,
                "held": False,
                # Whoever posts it at this moment has nothing to say about the repetition.
                "fence": webhook_deliveries.c.fence + 1,
                "leased_until": 0,
                "error": "",
            },
        )
    )


def all_webhooks(reader: Reader) -> list[Webhook]:
    """Give every outgoing webhook with its failures."""
    counts: dict[int, dict[str, int]] = {}
    for row in reader.conn.execute(
        select(
            webhook_deliveries.c.webhook_id,
            webhook_deliveries.c.state,
            func.count().label("number"),
        ).group_by(webhook_deliveries.c.webhook_id, webhook_deliveries.c.state)
    ):
        counts.setdefault(row.webhook_id, {})[row.state] = row.number
    return [
        Webhook(
            id=WebhookId(row.id),
            url=row.url,
            events=tuple(row.events),
            active=row.active,
            created_at=Micros(row.created_at),
            failures=counts.get(row.id, {}).get("queued", 0),
            dead=counts.get(row.id, {}).get("dead", 0),
        )
        for row in reader.conn.execute(select(webhooks).order_by(webhooks.c.id))
    ]


def webhook_log(
    reader: Reader,
    webhook_id: WebhookId,
    state: str = "",
    limit: int = 100,
    before: EventId = EventId(0),
) -> list[WebhookDelivery]:
    """Give the deliveries of a webhook, the newest first."""
    where = [webhook_deliveries.c.webhook_id == webhook_id]
    if state:
        where.append(webhook_deliveries.c.state == state)
    if before:
        where.append(webhook_deliveries.c.event_id < before)
    rows = reader.conn.execute(
        select(webhook_deliveries)
        .where(*where)
        .order_by(webhook_deliveries.c.event_id.desc())
        .limit(limit)
    )
    return [
        WebhookDelivery(
            webhook_id=WebhookId(row.webhook_id),
            event_id=EventId(row.event_id),
            state=row.state,
            attempts=row.attempts,
            due_at=Micros(row.due_at),
            code=row.code,
            error=row.error,
        )
        for row in rows
    ]


def report_plugin_failure(uow: UnitOfWork, command: ReportPluginFailure) -> None:
    """Put a plugin's failure on record."""
    uow.record(PluginFailed(plugin=command.plugin, hook=command.hook))

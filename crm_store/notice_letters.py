"""Letters to colleagues: what they have not seen on the screen goes out by e-mail, gathered.

A letter is a narrow row of the outbox that names its colleague; what it tells are the notices that
name it. Nobody writes its words before it is carried (hub/notice_letters.py): who has seen them
meanwhile, or may not see them any more, gets nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    delete,
    insert,
    literal_column,
    select,
    update,
)

from crm_store.mailboxes import first_mailbox, is_mailbox, need_mailbox
from crm_store.sql import locked
from crm_store.tables.outbox import TO_COLLEAGUES, attempts, deliveries, parts
from crm_store.tables.requests import notices
from crm_store.tables.users import accounts, brands, users
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.capabilities import Capabilities
from hub.commands import ChooseNoticeMailbox, MailNotices
from hub.events import BrandChanged, NoticesMailed
from hub.ids import AccountId, BrandId, DeliveryId, Micros, UserId
from hub.messages import DeliveryStatus as Status
from hub.messages import Lane
from hub.records.requests import LetterState

US = 1_000_000
WAIT_US = 10 * 60 * US
"""So long a colleague has to see a notice before a letter tells it."""
BETWEEN_US = 5 * 60 * US
"""Two letters to one colleague are at least so far apart: what comes between is gathered."""
PROMPT = frozenset(
    {"task.reminder", "request.deadline_near", "request.deadline_missed", "rule.digest"}
)
"""What is of use only at its time: its letter does not wait."""
CHOSEN = "notice_mailbox"
WAITING: ColumnElement[bool] = notices.c.letter_at > literal_column("0")
KEPT_US = 90 * 86_400 * US
OPEN = (Status.QUEUED.value, Status.CLAIMED.value, Status.SENDING.value)


def letter_due(preferences: Mapping[str, object], kind: str, now: int) -> int:
    """Give when a letter tells a new notice of a kind, 0 where its reader wants none."""
    chosen = preferences.get("letters", {})
    if not isinstance(chosen, Mapping) or chosen.get(kind) is not True:
        return 0
    return now if kind in PROMPT else now + WAIT_US


def mailbox_of(conn: Connection, channels: Mapping[str, Capabilities]) -> tuple[int, int]:
    """Give the account that the administrator chose and the one that letters leave by; 0 for none."""
    settings = conn.execute(select(brands.c.settings).order_by(brands.c.id)).scalar() or {}
    chosen = int(settings.get(CHOSEN) or 0)
    if chosen:
        channel = conn.execute(
            select(accounts.c.channel).where(accounts.c.id == chosen, ~accounts.c.removed)
        ).scalar()
        if is_mailbox(channels.get(channel or "")):
            return chosen, chosen
    return 0, first_mailbox(conn, channels)


def choose_mailbox(uow: UnitOfWork, command: ChooseNoticeMailbox) -> None:
    """Say which account letters to colleagues leave by."""
    if command.account_id:
        need_mailbox(uow, command.account_id)
    row = uow.conn.execute(select(brands).order_by(brands.c.id).limit(1)).one()
    settings = {**row.settings, CHOSEN: str(command.account_id)}
    uow.conn.execute(
        update(brands)
        .where(brands.c.id == row.id)
        .values(settings=settings, version=brands.c.version + 1)
    )
    uow.record(BrandChanged(brand_id=BrandId(row.id), fields=("settings",)))


def mail_notices(uow: UnitOfWork, command: MailNotices) -> int:
    """Put a letter into the outbox for every colleague who has not seen what is due; gives how many."""
    due = uow.conn.execute(
        select(notices.c.user_id, users.c.active)
        .outerjoin(users, users.c.id == notices.c.user_id)
        .where(WAITING, notices.c.letter_at <= uow.now)
        .group_by(notices.c.user_id, users.c.active)
        .order_by(notices.c.user_id)
        .limit(command.limit)
    ).all()
    if not due:
        return 0
    _, account_id = mailbox_of(uow.conn, uow.channels)
    written = 0
    for row in due:
        if not account_id or not row.active:
            _put_off(uow, row.user_id, 0)
        else:
            written += _write(uow, row.user_id, account_id)
    return written


def _write(uow: UnitOfWork, user_id: int, account_id: int) -> int:
    last = uow.conn.execute(
        locked(
            uow.dialect,
            select(deliveries)
            .where(deliveries.c.user_id == user_id, TO_COLLEAGUES)
            .order_by(deliveries.c.id.desc())
            .limit(1),
        )
    ).first()
    if last is not None and _still_waits(last, account_id):
        # It tells this too.
        _hand_over(uow, user_id, last.id)
        return 0
    if last is not None and last.created_at + BETWEEN_US > uow.now:
        _put_off(uow, user_id, last.created_at + BETWEEN_US)
        return 0
    number = uow.new_id()
    count = _hand_over(uow, user_id, number)
    if not count:
        _put_off(uow, user_id, 0)
        return 0
    uow.conn.execute(
        insert(deliveries).values(
            id=number,
            account_id=account_id,
            user_id=user_id,
            lane=Lane.TRIGGER.order,
            status=Status.QUEUED.value,
            due_at=uow.now,
            created_at=uow.now,
            idempotency_key=f"{number:x}",
        )
    )
    uow.record(
        NoticesMailed(
            user_id=UserId(user_id),
            delivery_id=DeliveryId(number),
            account_id=AccountId(account_id),
            count=count,
        )
    )
    return 1


def _still_waits(last: Row[Any], account_id: int) -> bool:
    """Say whether a letter has not left yet, and will by the account that is chosen now."""
    waits = last.status == Status.QUEUED.value and not last.held
    return waits and bool(last.account_id == account_id)


def _hand_over(uow: UnitOfWork, user_id: int, letter_id: int) -> int:
    """Let a letter tell everything that waits, also what is not due yet; gives how many."""
    return int(
        uow.conn.execute(
            update(notices)
            .where(notices.c.user_id == user_id, WAITING, notices.c.read_at == 0)
            .values(letter_at=0, letter_id=letter_id)
        ).rowcount
    )


def _put_off(uow: UnitOfWork, user_id: int, until: int) -> None:
    """Let what is due wait until then; 0: no letter tells it."""
    uow.conn.execute(
        update(notices)
        .where(notices.c.user_id == user_id, WAITING, notices.c.letter_at <= uow.now)
        .values(letter_at=until)
    )


def told_by(conn: Connection, letter_ids: Sequence[int]) -> list[Row[Any]]:
    """Give what letters tell and nobody has seen yet, the oldest first."""
    return list(
        conn.execute(
            select(notices)
            .where(
                notices.c.letter_id.in_(letter_ids),
                notices.c.letter_id > literal_column("0"),
                notices.c.read_at == 0,
            )
            .order_by(notices.c.id)
        )
    )


def letter_state(reader: Reader, channels: Mapping[str, Capabilities]) -> LetterState:
    """Say by which account letters leave, and what became of the reader's last one."""
    chosen, leaves_by = mailbox_of(reader.conn, channels)
    last = reader.conn.execute(
        select(deliveries.c.status, deliveries.c.reason_text, deliveries.c.created_at)
        .where(
            deliveries.c.user_id == reader.viewer.user_id,
            TO_COLLEAGUES,
            deliveries.c.status != Status.SUPPRESSED.value,
        )
        .order_by(deliveries.c.id.desc())
        .limit(1)
    ).first()
    return LetterState(
        chosen=AccountId(chosen),
        account_id=AccountId(leaves_by),
        last_at=Micros(last.created_at if last else 0),
        last_status=last.status if last else "",
        last_reason=last.reason_text if last else "",
    )


def forget_letters(conn: Connection, now: int) -> int:
    """Forget letters that ended long ago; gives how many."""
    old = (
        select(deliveries.c.id)
        .where(
            TO_COLLEAGUES,
            deliveries.c.created_at < now - KEPT_US,
            deliveries.c.status.not_in(OPEN),
        )
        .limit(1_000)
    )
    ids = list(conn.execute(old).scalars())
    if ids:
        conn.execute(delete(parts).where(parts.c.delivery_id.in_(ids)))
        conn.execute(delete(attempts).where(attempts.c.delivery_id.in_(ids)))
        conn.execute(delete(deliveries).where(deliveries.c.id.in_(ids)))
    return len(ids)

"""Who may be sent advertising: the person's newest word, and addresses that take none.

A person's word is kept per channel and topic; the newest one that covers both counts, whoever of
his addresses is meant. An address is suppressed for reasons kept apart. Service messages and an
agent's own answers ask nobody here.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Connection,
    bindparam,
    delete,
    exists,
    insert,
    or_,
    select,
    update,
)

from crm_store import objects
from crm_store.objects import NOUNS
from crm_store.sql import locked, upsert
from crm_store.tables.consents import (
    confirmations,
    consent_log,
    consents,
    frequency_limits,
    suppressions,
)
from crm_store.tables.many import many_sends
from crm_store.tables.outbox import TO_MANY, deliveries
from crm_store.tables.people import addresses, contacts
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.commands import (
    GiveConsent,
    LimitAdvertising,
    TakeBackWithdrawal,
    WithdrawConsent,
)
from hub.errors import Invalid, NotFound
from hub.events import ConsentGiven, ConsentWithdrawn
from hub.ids import AddressId, ContactId, Micros, UserId
from hub.messages import DeliveryStatus
from hub.objects import ActorKind
from hub.records.consents import ConsentEntry, Standing, Suppression

GIVEN, WITHDRAWN, ASKED, UNDONE = "given", "withdrawn", "asked", "undone"
LIMITED = "limited"
WAYS = ("form", "message", "hand", "import", "api", "link", "double_opt_in", "one_click")
SOFT_LIMIT = 5
"""So many soft bounces in a row, without a delivery between, end the sending."""
UNSENT = (DeliveryStatus.QUEUED.value, DeliveryStatus.CLAIMED.value, "paused")
NO_CONSENT, UNSUBSCRIBED, QUIET = "no_consent", "unsubscribed", "do_not_disturb"


def give_consent(uow: UnitOfWork, command: GiveConsent) -> bool:
    """Note a consent; an import does not lift a refusal."""
    known(uow, command.contact_id)
    channel, topic = _scope(command)
    if command.how == "import" and _refused(uow.conn, command.contact_id, channel, topic):
        return False
    _note(uow, command, channel, topic, GIVEN)
    uow.record(
        ConsentGiven(contact_id=command.contact_id, channel=channel, topic=topic, how=command.how)
    )
    return True


def withdraw_consent(uow: UnitOfWork, command: WithdrawConsent) -> int:
    """Note a refusal and end what waits, in this same transaction; gives how many were ended.

    An old paper is noted, and ends nothing about which a newer word was given since.
    """
    known(uow, command.contact_id)
    channel, topic = _scope(command)
    at = command.at or uow.now
    stands = not _newer(uow.conn, command.contact_id, channel, topic, at)
    _note(uow, command, channel, topic, WITHDRAWN)
    if not stands:
        return 0
    ended = end_waiting(uow, command.contact_id, channel, topic, at=at)
    # A question that still waits for its button is answered too.
    asked = [
        confirmations.c.contact_id == command.contact_id,
        confirmations.c.state == "waiting",
        confirmations.c.expires_at > uow.now,
    ]
    if topic:
        asked.append(confirmations.c.topic == topic)
    uow.conn.execute(update(confirmations).where(*asked).values(expires_at=uow.now))
    uow.record(
        ConsentWithdrawn(
            contact_id=command.contact_id,
            channel=channel,
            topic=topic,
            how=command.how,
            ended=ended,
        )
    )
    return ended


def take_back_withdrawal(uow: UnitOfWork, command: TakeBackWithdrawal) -> None:
    """Let the newest refusal over a letter count no more: every other word is as it was."""
    known(uow, command.contact_id)
    row = uow.conn.execute(
        select(consent_log)
        .where(
            consent_log.c.contact_id == command.contact_id,
            consent_log.c.state == WITHDRAWN,
            or_(
                consent_log.c.evidence == command.evidence,
                consent_log.c.evidence.startswith(f"{command.evidence}: ", autoescape=True),
            ),
        )
        .order_by(consent_log.c.id.desc())
        .limit(1)
    ).first()
    if row is None:
        raise NotFound("there is no such refusal")
    uow.conn.execute(update(consent_log).where(consent_log.c.id == row.id).values(state=UNDONE))
    rebuild(uow, command.contact_id)
    uow.record(
        ConsentGiven(
            contact_id=command.contact_id, channel=row.channel, topic=row.topic, how=row.how
        )
    )


def known(uow: UnitOfWork, contact_id: ContactId) -> None:
    """Lock a person whose word is noted; raises NotFound for one that the actor does not see."""
    seen = objects.visible(uow.viewer, NOUNS["contact"])
    row = uow.conn.execute(
        locked(uow.dialect, select(contacts.c.id).where(contacts.c.id == contact_id, seen))
    ).first()
    if row is None:
        raise NotFound("there is no such contact")


def _scope(command: GiveConsent | WithdrawConsent) -> tuple[str, str]:
    if command.how not in WAYS:
        raise Invalid("this is no way to give or take back a consent", field="how")
    return command.channel.strip()[:100], command.topic.strip()[:100]


def _note(
    uow: UnitOfWork, command: GiveConsent | WithdrawConsent, channel: str, topic: str, state: str
) -> None:
    at = command.at or uow.now
    log_id = write_log(uow, command, channel, topic, state)
    statement = upsert(uow.dialect, consents)
    uow.conn.execute(
        statement.on_conflict_do_update(
            index_elements=["contact_id", "channel", "topic"],
            set_={"state": state, "at": at, "log_id": log_id},
            # An old paper that is brought in later does not undo a newer word.
            where=consents.c.at <= at,
        ),
        [
            {
                "contact_id": command.contact_id,
                "channel": channel,
                "topic": topic,
                "state": state,
                "at": at,
                "log_id": log_id,
            }
        ],
    )


def write_log(
    uow: UnitOfWork,
    command: GiveConsent | WithdrawConsent | LimitAdvertising,
    channel: str,
    topic: str,
    state: str,
    *,
    days: int = 0,
) -> int:
    """Write a line of the proof, which is never changed; gives its number."""
    by_person = uow.actor.kind in (ActorKind.USER, ActorKind.TOKEN)
    log_id = uow.new_id()
    uow.conn.execute(
        insert(consent_log).values(
            id=log_id,
            contact_id=command.contact_id,
            channel=channel,
            topic=topic,
            state=state,
            at=command.at or uow.now,
            how=command.how,
            evidence=command.evidence[:4000],
            ip=command.ip[:100],
            user_id=uow.actor.id if by_person else 0,
            noted_at=uow.now,
            days=days,
        )
    )
    return log_id


def _newer(conn: Connection, contact_id: int, channel: str, topic: str, at: int) -> bool:
    """Say whether a newer word covers all of a channel and topic."""
    words = select(consents.c.state).where(
        consents.c.contact_id == contact_id,
        consents.c.channel.in_({channel, ""}),
        consents.c.topic.in_({topic, ""}),
        consents.c.at > at,
    )
    return conn.execute(words.limit(1)).first() is not None


def _refused(conn: Connection, contact_id: int, channel: str, topic: str) -> bool:
    words = conn.execute(
        select(consents.c.state).where(
            consents.c.contact_id == contact_id,
            consents.c.channel.in_({channel, ""}),
            consents.c.topic.in_({topic, ""}),
        )
    ).scalars()
    return WITHDRAWN in set(words)


def end_waiting(
    uow: UnitOfWork, contact_id: int, channel: str = "", topic: str = "", *, at: int = 0
) -> int:
    """End a person's waiting advertising of a channel and topic; gives how many.

    With `at`, when he said so, without what he agreed to since.
    What a worker has claimed is not on the wire yet: its lease is taken away, so that the worker
    finds it lost when it is about to call (`StartSending`). Only what is being sent goes on.
    """
    about = select(many_sends.c.id).where(many_sends.c.advertising)
    if topic:
        about = about.where(many_sends.c.topic == topic)
    where = [
        deliveries.c.contact_id == contact_id,
        TO_MANY,
        deliveries.c.status.in_(UNSENT),
        deliveries.c.send_id.in_(about.scalar_subquery()),
    ]
    if channel:
        mine = select(addresses.c.id).where(
            addresses.c.contact_id == contact_id, addresses.c.kind == channel
        )
        where.append(deliveries.c.address_id.in_(mine.scalar_subquery()))
    if at and at < uow.now:
        kind = select(addresses.c.kind).where(addresses.c.id == deliveries.c.address_id)
        kind = kind.correlate(deliveries)
        its_topic = select(many_sends.c.topic).where(many_sends.c.id == deliveries.c.send_id)
        its_topic = its_topic.correlate(deliveries)
        since = exists().where(
            consents.c.contact_id == contact_id,
            consents.c.state == GIVEN,
            consents.c.at > at,
            or_(consents.c.channel == "", consents.c.channel == kind.scalar_subquery()),
            or_(consents.c.topic == "", consents.c.topic == its_topic.scalar_subquery()),
        )
        where.append(~since)
    return int(
        uow.conn.execute(
            update(deliveries)
            .where(*where)
            .values(
                status=DeliveryStatus.SUPPRESSED.value,
                reason=UNSUBSCRIBED,
                fence=deliveries.c.fence + 1,
                leased_until=0,
            )
        ).rowcount
    )


# -- asking ------------------------------------------------------------------------------------


_LOG = (
    select(consent_log)
    .where(consent_log.c.contact_id == bindparam("contact"))
    .order_by(consent_log.c.id.desc())
    .limit(bindparam("most"))
)
_NEWEST = select(consents.c.log_id).where(consents.c.contact_id == bindparam("contact"))
_WISH = select(frequency_limits).where(frequency_limits.c.contact_id == bindparam("contact"))
_REASONS = (
    select(suppressions, addresses.c.kind, addresses.c.value)
    .join(addresses, addresses.c.id == suppressions.c.address_id)
    .where(addresses.c.contact_id == bindparam("contact"))
    .order_by(suppressions.c.at.desc())
)


def standing(reader: Reader, contact_id: ContactId, limit: int = 100) -> Standing:
    """Give where a person stands, with the log, newest first."""
    reader.viewer.need("contacts.view")
    given = {"contact": contact_id}
    rows = reader.conn.execute(_LOG, {**given, "most": limit}).all()
    newest = {row.log_id for row in reader.conn.execute(_NEWEST, given)}
    wish = reader.conn.execute(_WISH, given).first()
    if wish is not None:
        newest.add(wish.log_id)
    entries = [_entry(row) for row in rows]
    reasons = reader.conn.execute(_REASONS, given).all()
    return Standing(
        contact_id=contact_id,
        days=wish.days if wish is not None else 0,
        current=tuple(one for one in entries if one.id in newest),
        log=tuple(entries),
        suppressions=tuple(
            Suppression(
                address_id=AddressId(row.address_id),
                kind=row.kind,
                value=row.value,
                reason=row.reason,
                count=row._mapping["count"],
                at=Micros(row.at),
                text=row.text,
                counts=row.reason != "bounced_soft" or row._mapping["count"] >= SOFT_LIMIT,
            )
            for row in reasons
        ),
    )


def _entry(row: Any) -> ConsentEntry:
    return ConsentEntry(
        id=row.id,
        channel=row.channel,
        topic=row.topic,
        state=row.state,
        at=Micros(row.at),
        how=row.how,
        evidence=row.evidence,
        ip=row.ip,
        user_id=UserId(row.user_id),
        days=row.days,
    )


def rebuild(uow: UnitOfWork, contact_id: int) -> None:
    """Read a person's newest words out of the log again: after two cards became one, or two again."""
    newest: dict[tuple[str, str], Any] = {}
    for row in uow.conn.execute(
        select(consent_log)
        # To be asked is no word yet, and what an import brought may have been taken back.
        .where(
            consent_log.c.contact_id == contact_id,
            consent_log.c.state.in_((GIVEN, WITHDRAWN)),
        )
        .order_by(consent_log.c.id)
    ):
        before = newest.get((row.channel, row.topic))
        if before is None or row.at >= before.at:
            newest[row.channel, row.topic] = row
    uow.conn.execute(delete(consents).where(consents.c.contact_id == contact_id))
    if newest:
        uow.conn.execute(
            insert(consents),
            [
                {
                    "contact_id": contact_id,
                    "channel": channel,
                    "topic": topic,
                    "state": row.state,
                    "at": row.at,
                    "log_id": row.id,
                }
                for (channel, topic), row in newest.items()
            ],
        )


def erase(uow: UnitOfWork, contact_id: int) -> int:
    """Forget a person's words and suppressions; the tombstones of the addresses stay."""
    mine = select(addresses.c.id).where(addresses.c.contact_id == contact_id).scalar_subquery()
    gone = uow.conn.execute(
        delete(suppressions).where(suppressions.c.address_id.in_(mine))
    ).rowcount
    for table in (consent_log, consents, confirmations, frequency_limits):
        gone += uow.conn.execute(delete(table).where(table.c.contact_id == contact_id)).rowcount
    return int(gone)

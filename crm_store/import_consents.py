"""Consents of an import: each word with its proof, and taking them back.

An import lifts no refusal and says nothing that is known already. Taken back, a word counts no
more, but its line of the proof stays: letters may have been sent on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, select, update

from crm_store.consents import (
    GIVEN,
    UNDONE,
    WITHDRAWN,
    give_consent,
    rebuild,
    withdraw_consent,
)
from crm_store.tables.consents import confirmations, consent_log, consents
from crm_store.unit_of_work import UnitOfWork
from hub.commands import GiveConsent, WithdrawConsent
from hub.ids import ContactId, Micros
from hub.records.imports import ImportRow

if TYPE_CHECKING:
    from crm_store.import_rows import Outcome

COLUMNS = (
    "consent",
    "consent_channel",
    "consent_topic",
    "consent_at",
    "consent_source",
    "consent_text",
)
"""What the columns of subscribers fill, beside those of a contact."""
ASK = "ask"
MARK, ASKED = "+consent", "+asked"


def note(uow: UnitOfWork, rows: Sequence[tuple[ImportRow, Outcome]]) -> int:
    """Note the words of a batch's people; gives how many count."""
    noted = 0
    for row, one in rows:
        word = row.values.get("consent")
        if not word or not one.object_id:
            continue
        if word == ASK:
            # The question itself is put by who sends letters; here it is remembered for undoing.
            one.before = {**one.before, ASKED: str(row.values.get("consent_topic") or "")}
            continue
        log_id = _one(uow, one.object_id, str(word), row.values)
        if log_id:
            noted += 1
            one.note(MARK, str(log_id))
    return noted


def _one(uow: UnitOfWork, contact_id: int, word: str, values: Mapping[str, object]) -> int:
    channel = str(values.get("consent_channel") or "")
    topic = str(values.get("consent_topic") or "")
    at = Micros(int(str(values.get("consent_at") or 0)))
    where = (
        (consents.c.contact_id == contact_id)
        & (consents.c.channel == channel)
        & (consents.c.topic == topic)
    )
    known = uow.conn.execute(select(consents.c.state, consents.c.at).where(where)).first()
    if known is not None and known.state == word and (not at or known.at >= at):
        return 0
    proof = (values.get("consent_source"), values.get("consent_text"))
    given: dict[str, Any] = {
        "contact_id": ContactId(contact_id),
        "channel": channel,
        "topic": topic,
        "how": "import",
        "evidence": "\n".join(str(one) for one in proof if one),
        "at": at,
    }
    if word == WITHDRAWN:
        withdraw_consent(uow, WithdrawConsent(**given))
    elif not give_consent(uow, GiveConsent(**given)):
        return 0
    newest = select(consent_log.c.id).where(consent_log.c.contact_id == contact_id)
    return int(uow.conn.execute(newest.order_by(consent_log.c.id.desc()).limit(1)).scalar() or 0)


def take_back(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> None:
    """Let the words of these rows count no more, and the questions they asked."""
    marked = {int(row.before[MARK]): int(row.object_id) for row in rows if MARK in row.before}
    if marked:
        uow.conn.execute(
            update(consent_log)
            .where(consent_log.c.id.in_(marked), consent_log.c.state.in_((GIVEN, WITHDRAWN)))
            .values(state=UNDONE)
        )
        owners = uow.conn.execute(
            select(consent_log.c.contact_id).where(consent_log.c.id.in_(marked)).distinct()
        ).scalars()
        for contact_id in sorted(owners):
            rebuild(uow, contact_id)
    for row in rows:
        if ASKED in row.before:
            uow.conn.execute(
                update(confirmations)
                .where(
                    confirmations.c.contact_id == row.object_id,
                    confirmations.c.topic == row.before[ASKED],
                    confirmations.c.how == "import",
                    confirmations.c.state == "waiting",
                )
                .values(expires_at=uow.now)
            )

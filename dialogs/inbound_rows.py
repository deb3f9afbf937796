"""The rows of a group of messages that come in: collected, and each table written once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Update, bindparam, select, update

from crm_store.reachability import ALLOWED, BLOCKED, set_state, state_of
from crm_store.rows import among, insert_missing, insert_rows, listed, update_rows
from crm_store.search_index import index_dialogs, index_messages
from crm_store.tables.dialogs import (
    attachments,
    blobs,
    bodies,
    dialogs,
    messages,
    participants,
    thread_references,
)
from crm_store.tables.people import contacts
from crm_store.tables.users import accounts
from crm_store.unit_of_work import UnitOfWork
from dialogs.arrived import blob_row, file_rows
from dialogs.identity import Peer
from dialogs.matching import Matcher, Open, references_of, slot_of
from dialogs.repeated import LATE_US
from dialogs.stop_words import LONGEST, heed
from dialogs.waiting import ask_for_routing
from hub.commands import Receive
from hub.events import DialogOpened, DialogStatusChanged, MessageReceived
from hub.ids import AccountId, ContactId, DialogId, MessageId, Micros, bounded_key
from hub.messages import Address, InboundMessage
from hub.records.dialogs import Received
from hub.terms import fold

PREVIEW = 160
FRESH_US = 1_000_000
FUTURE_US = 300_000_000
MAX_TEXT = 1_000_000
INLINE_RAW = 65_536
"""Raw payloads up to this size stand beside their message, for a file costs two flushes of the
disk and most letters are smaller; larger ones are blobs."""


class Writer:
    """Collects the rows of a group and writes each table once."""

    def __init__(self, uow: UnitOfWork, matcher: Matcher, rules: dict[int, Any]) -> None:
        self._uow = uow
        self._matcher = matcher
        self._rules = rules
        self._touched: dict[int, Open] = {}
        self._rows: dict[str, list[dict[str, Any]]] = {
            name: []
            for name in ("messages", "bodies", "attachments", "references", "people", "blobs")
        }
        self._terms: list[tuple[int, str]] = []
        self._contacts: dict[int, str] = {}

    @property
    def known(self) -> set[int]:
        """The dialogs of this batch that were there before it."""
        return {one.id for one in self._touched.values() if not one.new}

    def take(
        self, message_id: MessageId, command: Receive, peer: Peer, partner: Address
    ) -> Received:
        """Place one message and queue its rows."""
        uow, message = self._uow, command.message
        place = self._matcher.place(command, peer, partner)
        dialog = place.dialog or self._open(command, peer, partner)
        people = (message.sender, *message.to, *message.cc)
        self._matcher.learn(command, dialog, people)
        at = message.sent_at if 0 < message.sent_at <= uow.now + FUTURE_US else uow.now
        late = not dialog.new and at < dialog.last_at - LATE_US
        self._state(dialog, message_id, command, at)
        if (
            partner is message.sender
            and _had_blocked(peer, command.account_id)
            and self._writing_allows(command)
        ):
            set_state(uow, peer.address_id, command.account_id, ALLOWED, at)
        text = message.text[:MAX_TEXT].replace("\x00", "")
        has_quote = bool(message.full_text) and message.full_text.strip() != text.strip()
        extra: dict[str, Any] = {}
        if place.related:
            extra["related"] = str(place.related)
        if command.label:
            extra["label"] = dict(command.label)
        if message.profile:
            extra["profile"] = dict(message.profile)
        if message.html and not self._writes_letters(command):
            extra["rich"] = True
        self._rows["messages"].append(
            {
                "id": message_id,
                "dialog_id": dialog.id,
                "account_id": command.account_id,
                "contact_id": dialog.contact_id,
                "direction": "in",
                "author_kind": "contact",
                "author_id": peer.contact_id,
                "author_name": _author(message, peer, partner)[:400],
                "text": text,
                "subject": message.subject[:400],
                "external_id": bounded_key(message.external_id),
                "reply_to": 0,
                "at": at,
                "received_at": uow.now,
                "status": "",
                "automated": message.automated,
                "late": late,
                "has_html": bool(message.html),
                "has_quote": has_quote,
                "unsupported": message.unsupported[:400],
                "people": _people(command),
                "cause": {},
                "extra": extra,
            }
        )
        self._body(message_id, command, has_quote)
        self._files(message_id, dialog, command)
        self._threads(dialog, command, people)
        self._terms.append((message_id, f"{message.subject}\n{text}"))
        self._contacts[peer.contact_id] = message.language
        if len(text) <= LONGEST:
            heed(uow, message, message_id, peer.contact_id)
        uow.record(
            MessageReceived(
                message_id=message_id,
                dialog_id=dialog.id,
                account_id=command.account_id,
                contact_id=ContactId(dialog.contact_id),
                first=dialog.new and dialog.added == 1,
                automated=message.automated,
            )
        )
        return Received(
            message_id=message_id,
            dialog_id=dialog.id,
            contact_id=ContactId(dialog.contact_id),
            new=True,
        )

    def _writes_letters(self, command: Receive) -> bool:
        """Whether HTML of this account is a letter's; else it is only how the words look."""
        capabilities = self._uow.channels.get(self._rules[command.account_id].channel)
        return capabilities is None or capabilities.subject

    def _writing_allows(self, command: Receive) -> bool:
        capabilities = self._uow.channels.get(self._rules[command.account_id].channel)
        return capabilities is None or capabilities.writing_allows

    def _open(self, command: Receive, peer: Peer, partner: Address) -> Open:
        uow, message = self._uow, command.message
        rule = self._rules[command.account_id]
        dialog_id = DialogId(uow.new_id())
        threads = uow.channels[rule.channel].threads if rule.channel in uow.channels else False
        slot = f"d{dialog_id}" if threads else slot_of(command)
        one = Open(
            id=dialog_id,
            account_id=command.account_id,
            contact_id=peer.contact_id,
            address_id=peer.address_id,
            slot=slot,
            status="new",
            is_open=True,
            last_at=0,
            assignee_id=0,
            new=True,
            values={
                "channel": rule.channel,
                "thread_key": bounded_key(message.thread_key),
                "subject": message.subject[:400],
                "subject_folded": fold(message.subject)[:400],
                "team_id": rule.team_id,
                "is_group": message.group,
                "language": message.language,
            },
        )
        self._matcher.add(one)
        uow.record(
            DialogOpened(
                dialog_id=dialog_id,
                account_id=command.account_id,
                contact_id=peer.contact_id,
            )
        )
        return one

    def _state(self, dialog: Open, message_id: MessageId, command: Receive, at: int) -> None:
        self._touched[dialog.id] = dialog
        message = command.message
        dialog.added += 1
        dialog.inbound += 1
        line = " ".join((message.text or message.subject).split())[:PREVIEW]
        if not line and message.attachments:
            line = f"📎 {message.attachments[0].name}"[:PREVIEW]
        if not line and message.unsupported:
            line = f"⚠ {message.unsupported}"[:PREVIEW]
        dialog.values |= {
            "preview": line.replace("\x00", ""),
            "last_message_id": message_id,
            "last_inbound_id": message_id,
        }
        dialog.last_at = max(dialog.last_at, at)
        capabilities = self._uow.channels.get(self._rules[command.account_id].channel)
        if capabilities is not None and capabilities.reply_window is not None:
            until = at + int(capabilities.reply_window.total_seconds() * 1_000_000)
            dialog.values["window_until"] = max(dialog.values.get("window_until", 0), until)
        # An automatic message neither wakes nor reopens: nobody waits for an answer to it.
        if message.automated:
            return
        dialog.values["waiting"] = True
        if dialog.status in ("waiting", "snoozed", "closed"):
            self._uow.record(
                DialogStatusChanged(dialog_id=dialog.id, before=dialog.status, after="open")
            )
            dialog.status, dialog.is_open = "open", True
            dialog.values["woke"] = True

    def _body(self, message_id: MessageId, command: Receive, has_quote: bool) -> None:
        message = command.message
        raw = message.raw if len(message.raw) <= INLINE_RAW and not command.raw_blob else b""
        if not (message.html or has_quote or message.headers or raw or command.raw_blob):
            return
        self._rows["bodies"].append(
            {
                "message_id": message_id,
                "full_text": message.full_text[:MAX_TEXT].replace("\x00", "") if has_quote else "",
                "html": message.html.replace("\x00", ""),
                "headers": dict(message.headers),
                "raw": raw,
                "raw_blob": command.raw_blob,
            }
        )
        if command.raw_blob:
            self._rows["blobs"].append(blob_row(self._uow, command.raw_blob, "", len(message.raw)))

    def _files(self, message_id: MessageId, dialog: Open, command: Receive) -> None:
        files, bytes_of = file_rows(self._uow, message_id, dialog.id, command)
        self._rows["attachments"] += files
        self._rows["blobs"] += bytes_of

    def _threads(self, dialog: Open, command: Receive, people: Sequence[Address]) -> None:
        capabilities = self._uow.channels.get(self._rules[command.account_id].channel)
        if capabilities is None or not capabilities.threads:
            return
        seen = [bounded_key(command.message.external_id), *references_of(command)]
        self._rows["references"] += [
            {
                "account_id": command.account_id,
                "reference": one,
                "dialog_id": dialog.id,
                "at": self._uow.now,
            }
            for one in seen
            if one
        ]
        self._rows["people"] += [
            {"dialog_id": dialog.id, "kind": one.kind[:100], "value": one.value} for one in people
        ]

    def flush(self) -> None:
        """Write everything that was collected."""
        conn, now = self._uow.conn, self._uow.now
        opened = [one for one in self._touched.values() if one.new]
        known = [one for one in self._touched.values() if not one.new]
        if opened:
            insert_rows(conn, dialogs, [_opened_row(one, now) for one in opened])
            named = [(one.id, one.values["subject"]) for one in opened if one.values["subject"]]
            index_dialogs(conn, named)
        # The matcher has locked these, in the order of their ids.
        update_rows(
            conn,
            dialogs,
            [_known_row(one, now) for one in known],
            added=("inbound_count", "message_count", "version"),
        )
        asking = [one.id for one in opened if one.values.get("waiting")]
        asking += [one.id for one in known if one.values.get("woke")]
        ask_for_routing(self._uow, asking)
        insert_rows(conn, messages, self._rows["messages"])
        for name, table in (("bodies", bodies), ("attachments", attachments), ("blobs", blobs)):
            insert_rows(conn, table, self._rows[name])
        insert_missing(conn, thread_references, self._rows["references"])
        insert_missing(conn, participants, self._rows["people"])
        index_messages(conn, self._terms)
        seen = listed(self._uow.dialect, sorted(self._contacts))
        conn.execute(_seen_contacts(self._uow.dialect), {"b_ids": seen, "b_at": now})
        # Every message of an account would write and lock this one row; nobody reads it to the second.
        stale = {row["account_id"] for row in self._rows["messages"]}
        stale = {one for one in stale if self._rules[one].last_in_at < now - FRESH_US}
        if stale:
            conn.execute(update(accounts).where(accounts.c.id.in_(stale)).values(last_in_at=now))


@cache
def _seen_contacts(dialect: str) -> Update:
    """Move the contacts up; PostgreSQL locks them in the order of their ids, as everybody does."""
    wanted: Any = select(contacts.c.id).where(among(dialect, contacts.c.id, "b_ids"))
    if dialect == "postgresql":
        wanted = wanted.order_by(contacts.c.id).with_for_update(key_share=True)
    return update(contacts).where(contacts.c.id.in_(wanted)).values(last_at=bindparam("b_at"))


def _opened_row(one: Open, now: Micros) -> dict[str, Any]:
    values = dict(one.values)
    waiting = values.pop("waiting", False)
    return {
        "id": one.id,
        "account_id": one.account_id,
        "contact_id": one.contact_id,
        "address_id": one.address_id,
        "slot": one.slot,
        "status": one.status,
        "is_open": True,
        "created_at": now,
        "last_at": now,
        "last_direction": "in",
        "waiting_since": now if waiting else 0,
        "last_inbound_at": now,
        "inbound_count": one.inbound,
        "message_count": one.added,
        "window_until": 0,
        **values,
    }


def _known_row(one: Open, now: Micros) -> dict[str, Any]:
    snoozed = one.values.get("snoozed_until", 0) if one.status == "snoozed" else 0
    return {
        "id": one.id,
        "status": one.status,
        "is_open": one.is_open,
        "snoozed_until": snoozed,
        "window_until": one.values.get("window_until", 0),
        "closed_at": 0 if one.is_open else one.values.get("closed_at", 0),
        "last_at": now,
        "last_message_id": one.values["last_message_id"],
        "last_inbound_id": one.values["last_message_id"],
        "last_inbound_at": now,
        "last_direction": "in",
        "preview": one.values["preview"],
        "waiting_since": one.values.get("waiting_since", 0)
        or (now if one.values.get("waiting") else 0),
        "inbound_count": one.inbound,
        "message_count": one.inbound,
        "version": 1,
    }


def _had_blocked(peer: Peer, account_id: AccountId) -> bool:
    return bool(peer.profile) and state_of(peer.profile, account_id)[0] == BLOCKED


def _author(message: InboundMessage, peer: Peer, partner: Address) -> str:
    """Give the name to sign with: the message's own, else what the address is known by."""
    known = peer.name if partner is message.sender else ""
    return message.sender.name or known or message.sender.value


def _people(command: Receive) -> dict[str, Any]:
    message = command.message
    found: dict[str, Any] = {"from": [message.sender.value, message.sender.name]}
    if message.to:
        found["to"] = [[one.value, one.name] for one in message.to]
    if message.cc:
        found["cc"] = [[one.value, one.name] for one in message.cc]
    return found

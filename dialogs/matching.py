"""To which dialog a message belongs: the hint, our token, the thread's references, the number of a
request, then the rule.

A reference, a token or a number lets only a participant of the dialog in; a stranger who carries
one gets a dialog of his own, which names the other as related (R14).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, select

from crm_store.rows import among, listed
from crm_store.sql import locked
from crm_store.tables.dialogs import dialogs, participants, thread_references
from crm_store.tables.people import addresses
from crm_store.tables.users import accounts
from crm_store.unit_of_work import UnitOfWork
from dialogs.identity import Peer
from dialogs.named_requests import NamedRequests
from hub.capabilities import Capabilities
from hub.commands import Receive
from hub.ids import DialogId, bounded_key
from hub.messages import Address

DAY_US = 86_400_000_000
MAX_REFERENCES = 50
LATEST = 20
"""How many earlier dialogs of a person in one place are looked through for the same chat."""


@dataclass(slots=True)
class Open:
    """A dialog while a batch is worked on: what the store had, plus what the batch adds."""

    id: DialogId
    account_id: int
    contact_id: int
    address_id: int
    slot: str
    status: str
    is_open: bool
    last_at: int
    assignee_id: int
    new: bool = False
    added: int = 0
    inbound: int = 0
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message goes; `related` names a dialog it only seems to belong to."""

    dialog: Open | None
    related: DialogId = DialogId(0)


_COLUMNS = (
    dialogs.c.id,
    dialogs.c.account_id,
    dialogs.c.contact_id,
    dialogs.c.address_id,
    dialogs.c.slot,
    dialogs.c.status,
    dialogs.c.is_open,
    dialogs.c.last_at,
    dialogs.c.assignee_id,
    dialogs.c.closed_at,
    dialogs.c.merged_into,
    dialogs.c.waiting_since,
    dialogs.c.snoozed_until,
    dialogs.c.window_until,
)


@cache
def _by_id(dialect: str) -> Select[Any]:
    statement = select(*_COLUMNS).where(among(dialect, dialogs.c.id, "ids"))
    return locked(dialect, statement.order_by(dialogs.c.id))


@cache
def _open_of(dialect: str) -> Select[Any]:
    statement = select(*_COLUMNS).where(
        among(dialect, dialogs.c.contact_id, "ids"), dialogs.c.is_open
    )
    return locked(dialect, statement.order_by(dialogs.c.id))


@cache
def _referring(dialect: str) -> Select[Any]:
    return select(thread_references).where(
        among(dialect, thread_references.c.account_id, "accounts"),
        among(dialect, thread_references.c.reference, "references"),
    )


@cache
def _people_of(dialect: str) -> Select[Any]:
    return select(participants).where(among(dialect, participants.c.dialog_id, "ids"))


class Matcher:
    """Finds the dialogs of one batch with a handful of statements, and locks them in id order."""

    def __init__(
        self,
        uow: UnitOfWork,
        batch: Sequence[tuple[Receive, Peer, Address]],
        rules: dict[int, Any],
        named: NamedRequests,
    ) -> None:
        self._uow = uow
        self._rules = rules
        self._named = named
        self._known: dict[int, Open] = {}
        self._closed_at: dict[int, int] = {}
        self._by_slot: dict[tuple[int, int, str], list[Open]] = {}
        self._origins: dict[int, int] = {}
        self._by_reference: dict[tuple[int, str], list[DialogId]] = {}
        self._participants: set[tuple[int, str, str]] = set()
        self._load(batch)

    def _load(self, batch: Sequence[tuple[Receive, Peer, Address]]) -> None:
        wanted: set[int] = set()
        plain = set()
        references: set[tuple[int, str]] = set()
        for command, peer, _ in batch:
            wanted.update(one for one in (command.hint, command.proof) if one)
            if self._threads(command):
                references.update((command.account_id, one) for one in references_of(command))
                wanted.update(one for request in self._named.of(command) for one in request.dialogs)
            elif not peer.new:
                plain.add(peer.contact_id)
        dialect = self._uow.dialect
        if references:
            rows = self._uow.conn.execute(
                _referring(dialect),
                {
                    "accounts": listed(dialect, {one[0] for one in references}),
                    "references": listed(dialect, {one[1] for one in references}),
                },
            )
            for row in rows:
                self._by_reference.setdefault((row.account_id, row.reference), []).append(
                    DialogId(row.dialog_id)
                )
                wanted.add(row.dialog_id)
        self._fetch(_by_id, wanted)
        # A merged dialog's answers land in the survivor, over however many merges.
        survivors: set[int] = set()
        while further := self._merged_into() - set(self._known):
            self._fetch(_by_id, further)
            survivors |= further
        self._fetch(_open_of, plain)
        if wanted | survivors:
            people = self._uow.conn.execute(
                _people_of(dialect), {"ids": listed(dialect, wanted | survivors)}
            )
            self._participants = {(one.dialog_id, one.kind, one.value) for one in people}

    def _fetch(self, statement: Callable[[str], Select[Any]], wanted: Iterable[int]) -> None:
        if not wanted:
            return
        dialect = self._uow.dialect
        for row in self._uow.conn.execute(statement(dialect), {"ids": listed(dialect, wanted)}):
            self._remember(row)

    def _merged_into(self) -> set[int]:
        return {int(one.values.get("merged_into", 0)) for one in self._known.values()} - {0}

    def _remember(self, row: Row[Any]) -> Open:
        known = self._known.get(row.id)
        if known is not None:
            return known
        one = Open(
            id=DialogId(row.id),
            account_id=row.account_id,
            contact_id=row.contact_id,
            address_id=row.address_id,
            slot=row.slot,
            status=row.status,
            is_open=row.is_open,
            last_at=row.last_at,
            assignee_id=row.assignee_id,
            values={
                "merged_into": row.merged_into,
                "waiting_since": row.waiting_since,
                "snoozed_until": row.snoozed_until,
                "window_until": row.window_until,
                "closed_at": row.closed_at,
            },
        )
        self._known[row.id] = one
        self._closed_at[row.id] = row.closed_at
        if row.is_open:
            self._by_slot.setdefault(_slot_key(one), []).append(one)
        return one

    def _threads(self, command: Receive) -> bool:
        capabilities = self._capabilities(command)
        return capabilities is not None and capabilities.threads

    def _capabilities(self, command: Receive) -> Capabilities | None:
        rule = self._rules.get(command.account_id)
        return self._uow.channels.get(rule.channel) if rule is not None else None

    def add(self, one: Open) -> None:
        """Remember a dialog that the batch has just opened."""
        self._known[one.id] = one
        self._by_slot.setdefault(_slot_key(one), []).append(one)

    def learn(self, command: Receive, dialog: Open, people: Iterable[Address]) -> None:
        """Remember a message's references and people for the later ones of the same batch."""
        own = (command.message.external_id,) if command.message.external_id else ()
        for reference in (*own, *references_of(command)):
            known = self._by_reference.setdefault((command.account_id, reference), [])
            if dialog.id not in known:
                known.append(dialog.id)
        for one in people:
            self._participants.add((dialog.id, one.kind, one.value))

    def place(self, command: Receive, peer: Peer, partner: Address) -> Place:
        """Say where a message goes; a place without a dialog asks for a new one."""
        hinted = self._survivor(command.hint)
        if hinted and hinted.contact_id == peer.contact_id and hinted.is_open:
            return Place(hinted)
        if self._threads(command):
            return self._thread(command, peer)
        slot = slot_of(command)
        found = self._same_chat(
            self._by_slot.get((command.account_id, peer.contact_id, slot), ()), peer
        )
        if found is None and not peer.new:
            found = self._reopened(command, peer, slot)
        return Place(found, self._named.related(command, peer, found.id if found else 0))

    def _same_chat(self, known: Sequence[Any], peer: Peer) -> Any:
        """Give the dialog over this very address, else over another name of the same chat.

        A person of two cards may write from two places of one network: those are two chats.
        """
        for one in known:
            if one.address_id == peer.address_id:
                return one
        for one in known:
            if self._origin(one.address_id) in (0, peer.origin_id):
                return one
        return None

    def _origin(self, address_id: int) -> int:
        if address_id not in self._origins:
            found = self._uow.conn.execute(
                select(addresses.c.origin_id).where(addresses.c.id == address_id)
            ).scalar()
            self._origins[address_id] = int(found or 0)
        return self._origins[address_id]

    def _thread(self, command: Receive, peer: Peer) -> Place:
        related = DialogId(0)
        candidates = [command.proof] if command.proof else []
        for reference in references_of(command):
            candidates += self._by_reference.get((command.account_id, reference), ())
        for request in self._named.of(command):
            # What is open before what would have to be reopened.
            candidates += sorted(request.dialogs, key=self._is_over)
        for dialog_id in candidates:
            dialog = self._survivor(dialog_id)
            if dialog is None or dialog.account_id != command.account_id:
                continue
            if not self._takes_part(dialog, peer, command.message.sender):
                related = related or dialog.id
                continue
            if dialog.is_open or self._may_reopen(command, dialog):
                return Place(dialog)
            related = related or dialog.id
        return Place(None, related or self._named.related(command, peer))

    def _is_over(self, dialog_id: DialogId) -> bool:
        dialog = self._survivor(dialog_id)
        return dialog is None or not dialog.is_open

    def _survivor(self, dialog_id: DialogId) -> Open | None:
        one = self._known.get(dialog_id) if dialog_id else None
        while one is not None and one.values.get("merged_into"):
            one = self._known.get(one.values["merged_into"])
        return one

    def _takes_part(self, dialog: Open, peer: Peer, sender: Address) -> bool:
        return (
            dialog.contact_id == peer.contact_id
            or (dialog.id, sender.kind, sender.value) in self._participants
        )

    def _may_reopen(self, command: Receive, dialog: Open) -> bool:
        rule = self._rules[command.account_id]
        if rule.thread_rule == "always_one":
            return True
        if rule.thread_rule == "always_new":
            return False
        closed_at = self._closed_at.get(dialog.id, 0)
        return bool(self._uow.now - closed_at <= rule.reopen_days * DAY_US)

    def _reopened(self, command: Receive, peer: Peer, slot: str) -> Open | None:
        if self._rules[command.account_id].thread_rule == "always_new":
            return None
        statement = (
            select(*_COLUMNS)
            .where(
                dialogs.c.contact_id == peer.contact_id,
                dialogs.c.account_id == command.account_id,
                dialogs.c.slot == slot,
            )
            .order_by(dialogs.c.last_at.desc(), dialogs.c.id.desc())
            .limit(LATEST)
        )
        found = self._same_chat(self._uow.conn.execute(statement).all(), peer)
        if found is None:
            return None
        # A merged dialog's answers land in the survivor.
        dialog = self._living(found.id)
        if dialog is None:
            return None
        if dialog.is_open:
            return dialog
        return (self._holder(dialog) or dialog) if self._may_reopen(command, dialog) else None

    def _living(self, dialog_id: int) -> Open | None:
        """Lock a dialog, or the one that it was merged into over however many merges."""
        while dialog_id:
            newest = select(*_COLUMNS).where(dialogs.c.id == dialog_id)
            row = self._uow.conn.execute(locked(self._uow.dialect, newest)).first()
            if row is None:
                return None
            if not row.merged_into:
                return self._remember(row)
            dialog_id = row.merged_into
        return None

    def _holder(self, closed: Open) -> Open | None:
        """Give the open dialog that has taken a closed one's place in its chat, if any.

        The survivor of a merge may have been closed and followed by a newer dialog of its own chat.
        """
        for one in self._known.values():
            if one.is_open and _place_key(one) == _place_key(closed):
                return one
        statement = select(*_COLUMNS).where(
            dialogs.c.account_id == closed.account_id,
            dialogs.c.address_id == closed.address_id,
            dialogs.c.slot == closed.slot,
            dialogs.c.is_open,
        )
        row = self._uow.conn.execute(locked(self._uow.dialect, statement)).first()
        return None if row is None else self._remember(row)


def _slot_key(one: Open) -> tuple[int, int, str]:
    return one.account_id, one.contact_id, one.slot


def _place_key(one: Open) -> tuple[int, int, str]:
    """Give what one open dialog is unique over (the index uq_dialogs_open_slot)."""
    return one.account_id, one.address_id, one.slot


def slot_of(command: Receive) -> str:
    """Give what "one open dialog" is unique over on a channel without threads."""
    return bounded_key(command.message.thread_key)


def references_of(command: Receive) -> list[str]:
    """Give the external ids a message answers, the nearest first, bounded."""
    message = command.message
    found = [message.in_reply_to, *reversed(message.references)]
    return list(dict.fromkeys(bounded_key(one) for one in found if one))[:MAX_REFERENCES]


def load_rules(uow: UnitOfWork, account_ids: Iterable[int]) -> dict[int, Any]:
    """Read what the accounts of a batch say about their dialogs."""
    ids = listed(uow.dialect, set(account_ids))
    return {row.id: row for row in uow.conn.execute(_rules(uow.dialect), {"ids": ids})}


@cache
def _rules(dialect: str) -> Select[Any]:
    return select(
        accounts.c.id,
        accounts.c.channel,
        accounts.c.thread_rule,
        accounts.c.reopen_days,
        accounts.c.team_id,
        accounts.c.removed,
        accounts.c.last_in_at,
    ).where(among(dialect, accounts.c.id, "ids"))

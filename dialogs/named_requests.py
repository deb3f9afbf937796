"""Requests that a message names by the number we told its writer: "#1042", "заявка № 1042".

A number is no secret: it ties a dialog to its request only for the request's own people, and opens
no dialog to who takes no part in it (R14). A stranger's is only marked as related.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Select, literal_column, select

from crm_store import object_writes
from crm_store.rows import among, listed
from crm_store.tables.objects import dialog_links
from crm_store.tables.people import contacts
from crm_store.tables.requests import requests
from crm_store.unit_of_work import UnitOfWork
from dialogs.identity import Peer
from hub.commands import Receive
from hub.ids import DialogId
from hub.messages import Address, InboundMessage
from hub.objects import Ref
from hub.records.dialogs import Received

Located = Sequence[tuple[Receive, Peer, Address]]
LOOKED_AT = 1000
"""How much of a text is looked at, in characters."""
MOST = 5
NEWEST = 20
"""How many dialogs of a request are looked through for the writer's."""
# A bare "№ 1042" amid words is somebody's invoice as often as our request.
_FORM = re.compile(
    r"(?:^\s{0,9}(?:(?:re(?:\[\d{1,3}\])?|fwd?|aw|wg|отв|на)\s?:\s{0,9}){0,9}|\[|"
    r"\b(?:request|ticket|заявк[аеиу]|заявкой|обращени[еюя]|обращением)\s{0,3})"
    r"(?:\[\s?)?[#№]\s?([1-9][0-9]{3,9})(?!\w)",
    re.IGNORECASE,
)


def numbers_in(message: InboundMessage) -> list[int]:
    """Give the numbers of requests that a message names: in its subject, without one in its text.

    At the beginning, in square brackets, or after the word for a request.
    """
    text = (message.subject or message.text)[:LOOKED_AT]
    if "#" not in text and "№" not in text:
        return []
    return list(dict.fromkeys(int(one) for one in _FORM.findall(text)))[:MOST]


@dataclass(frozen=True, slots=True)
class NamedRequest:
    """A request that was named, with its people and its dialogs, the newest first."""

    id: int
    contacts: frozenset[int]
    clients: frozenset[int]
    dialogs: tuple[DialogId, ...]


_COLUMNS = (
    requests.c.id,
    requests.c.number,
    requests.c.contact_id,
    requests.c.client_id,
    requests.c.merged_into,
)


@cache
def _by_number(dialect: str) -> Select[Any]:
    return select(*_COLUMNS).where(
        among(dialect, requests.c.number, "numbers"), requests.c.deleted_at == 0
    )


@cache
def _dialogs_of(dialect: str) -> Select[Any]:
    return (
        select(dialog_links.c.object_id, dialog_links.c.dialog_id)
        .where(
            dialog_links.c.kind == literal_column("'request'"),
            among(dialect, dialog_links.c.object_id, "ids"),
        )
        .order_by(dialog_links.c.dialog_id.desc())
    )


class NamedRequests:
    """The requests that the messages of a batch name; the store is asked only where one does."""

    def __init__(self, uow: UnitOfWork, batch: Located) -> None:
        self._uow = uow
        self._requests: dict[int, NamedRequest] = {}
        self._clients: dict[int, int] = {}
        numbers: set[int] = set()
        people: set[int] = set()
        for command, peer, _ in batch:
            found = numbers_in(command.message)
            if found:
                numbers.update(found)
                people.add(peer.contact_id)
        if numbers:
            self._load(numbers, people)

    def _load(self, numbers: Iterable[int], people: Iterable[int]) -> None:
        conn, dialect = self._uow.conn, self._uow.dialect
        named = conn.execute(
            _by_number(dialect), {"numbers": listed(dialect, sorted(numbers))}
        ).all()
        if not named:
            return
        living = {row.number: self._living(row) for row in named}
        ids = sorted({row.id for row in living.values()})
        dialogs_of: dict[int, list[DialogId]] = {}
        for row in conn.execute(_dialogs_of(dialect), {"ids": listed(dialect, ids)}):
            dialogs_of.setdefault(row.object_id, []).append(DialogId(row.dialog_id))
        for row in named:
            other = living[row.number]
            self._requests[row.number] = NamedRequest(
                id=other.id,
                contacts=frozenset({row.contact_id, other.contact_id} - {0}),
                clients=frozenset({row.client_id, other.client_id} - {0}),
                dialogs=tuple(dialogs_of.get(other.id, ())[:NEWEST]),
            )
        asked = select(contacts.c.id, contacts.c.client_id).where(contacts.c.id.in_(sorted(people)))
        self._clients = {row.id: row.client_id for row in conn.execute(asked)}

    def _living(self, row: Any) -> Any:
        """Give the request that one was put into, else itself."""
        while row.merged_into:
            into = select(*_COLUMNS).where(requests.c.id == row.merged_into)
            found = self._uow.conn.execute(into).first()
            if found is None:
                break
            row = found
        return row

    def of(self, command: Receive) -> list[NamedRequest]:
        """Give the requests that a message names."""
        if not self._requests:
            return []
        numbers = numbers_in(command.message)
        return [self._requests[one] for one in numbers if one in self._requests]

    def is_theirs(self, request: NamedRequest, peer: Peer) -> bool:
        """Say whether somebody is the request's person, or of its client."""
        return (
            peer.contact_id in request.contacts
            or self._clients.get(peer.contact_id, 0) in request.clients
        )

    def related(self, command: Receive, peer: Peer, own: int = 0) -> DialogId:
        """Give a dialog of the request that somebody names who is none of its people, else 0.

        None where his `own` dialog is about that request already.
        """
        for one in self.of(command):
            if one.dialogs and own not in one.dialogs and not self.is_theirs(one, peer):
                return one.dialogs[0]
        return DialogId(0)

    def bind(self, batch: Located, places: Sequence[Received]) -> set[int]:
        """Say that dialogs are about what their own people name; gives those that were not yet."""
        found = {
            (request.id, place.dialog_id)
            for (command, peer, _), place in zip(batch, places, strict=True)
            for request in self.of(command)
            if place.dialog_id not in request.dialogs and self.is_theirs(request, peer)
        }
        for request_id, dialog_id in sorted(found):
            object_writes.link(self._uow, dialog_id, Ref(kind="request", id=request_id))
        return {int(dialog_id) for _, dialog_id in found}

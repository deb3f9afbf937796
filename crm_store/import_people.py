"""The people of an import: whoever comes with a phone or an e-mail becomes a contact with these
addresses, so that his later messages find him."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select, update

from crm_store.bulk import chunks
from crm_store.objects import FOLDED, Noun
from crm_store.sameness import normal_form
from crm_store.search_index import index_contacts
from crm_store.sql import upsert
from crm_store.tables.people import addresses, contacts
from crm_store.unit_of_work import UnitOfWork
from hub.records.imports import ImportRow
from hub.terms import fold

if TYPE_CHECKING:
    from crm_store.import_rows import Outcome

Rows = Sequence[tuple[ImportRow, "Outcome"]]


class People:
    """Makes and finds the contact persons of a batch; blocked and verified marks stay as they are."""

    def __init__(self, uow: UnitOfWork, noun: Noun) -> None:
        self._uow, self._noun = uow, noun

    def attach(self, rows: Rows) -> None:
        """Give each row's object its person."""
        if self._noun.kind.name == "contact":
            self._own(rows)
            return
        wanted = [
            (row, one, name, self._addresses(row))
            for row, one in rows
            if one.object_id and (name := self._name(row))
        ]
        wanted = [one for one in wanted if one[3] or one[0].values.get("contact_name")]
        if not wanted:
            return
        owners = self._owners([pair for one in wanted for pair in one[3]])
        made: dict[int, str] = {}
        new_rows, new_addresses = [], []
        for row, one, name, pairs in wanted:
            contact_id = next((owners[pair] for pair in pairs if owners.get(pair)), 0)
            if not contact_id:
                if one.outcome != "created" and not pairs:
                    continue
                contact_id = self._uow.new_id()
                made[contact_id] = name
                new_rows.append(self._contact(contact_id, row, one, name))
            elif self._noun.kind.name == "client":
                self._link(contact_id, one)
            one.contact_id = contact_id
            for pair in pairs:
                if pair not in owners:
                    owners[pair] = contact_id
                    new_addresses.append(self._address(contact_id, pair, name))
        self._write(made, new_rows, new_addresses)
        if self._noun.kind.name == "lead":
            self._point_leads([one for _, one, _, _ in wanted if one.contact_id])

    def _own(self, rows: Rows) -> None:
        """Give imported contacts their addresses; one that is somebody else's stays his."""
        pairs = {one.number: self._addresses(row) for row, one in rows}
        owners = self._owners([pair for found in pairs.values() for pair in found])
        points, names = [], {}
        for row, one in rows:
            if not one.object_id:
                continue
            name = str(row.values.get("name") or "")
            if one.outcome == "created":
                names[one.object_id] = name
            one.contact_id = one.object_id
            for pair in pairs[one.number]:
                if pair not in owners:
                    owners[pair] = one.object_id
                    points.append(self._address(one.object_id, pair, name))
        self._write(names, [], points)

    def _name(self, row: ImportRow) -> str:
        given = str(row.values.get("contact_name") or "")
        if given or self._noun.kind.name != "client":
            return given or str(row.values.get("name") or "")
        return "" if row.values.get("organisation") else str(row.values.get("name") or "")

    def _addresses(self, row: ImportRow) -> list[tuple[str, str]]:
        email = str(row.values.get("email") or "").lower()
        phone = str(row.values.get("phone") or "")
        found = [("email", email)] if "@" in email else []
        # Only a whole number is one that a message can come from.
        return found + ([("phone", phone)] if phone.startswith("+") else [])

    def _owners(self, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        owners: dict[tuple[str, str], int] = {}
        for chunk in chunks(sorted({value for _, value in pairs})):
            for row in self._uow.conn.execute(
                select(addresses.c.kind, addresses.c.value, addresses.c.contact_id).where(
                    addresses.c.kind.in_(("email", "phone")),
                    addresses.c.value.in_(chunk),
                    # One that a letter was only tried out on is nobody's (dialogs/many_tests.py).
                    addresses.c.contact_id != 0,
                )
            ):
                owners[row.kind, row.value] = int(row.contact_id)
        return owners

    def _contact(self, contact_id: int, row: ImportRow, one: Outcome, name: str) -> dict[str, Any]:
        one.before = {**one.before, "+contact": "made"}
        return {
            "id": contact_id,
            "client_id": one.object_id if self._noun.kind.name == "client" else 0,
            "name": name[:400],
            "name_folded": fold(name)[:FOLDED],
            "position": str(row.values.get("contact_position") or "")[:400],
            "created_at": self._uow.now,
            "last_at": self._uow.now,
        }

    def _address(self, contact_id: int, pair: tuple[str, str], name: str) -> dict[str, Any]:
        return {
            "id": self._uow.new_id(),
            "contact_id": contact_id,
            "kind": pair[0],
            "value": pair[1][:400],
            "name": name[:400],
            "origin_id": contact_id,
            "normal": normal_form(pair[0], pair[1][:400]),
            "profile": {},
            "created_at": self._uow.now,
        }

    def _link(self, contact_id: int, one: Outcome) -> None:
        """A person of nobody's belongs to the client whose row names his address."""
        done = self._uow.conn.execute(
            update(contacts)
            .where(contacts.c.id == contact_id, contacts.c.client_id == 0)
            .values(client_id=one.object_id, version=contacts.c.version + 1)
        )
        if done.rowcount:
            one.before = {**one.before, "+contact": "linked"}

    def _write(
        self, made: dict[int, str], people: list[dict[str, Any]], points: list[dict[str, Any]]
    ) -> None:
        if people:
            self._uow.conn.execute(insert(contacts), people)
        if points:
            statement = upsert(self._uow.dialect, addresses)
            own = {name: statement.excluded[name] for name in ("contact_id", "origin_id", "name")}
            self._uow.conn.execute(
                statement.on_conflict_do_update(
                    index_elements=["kind", "value"], set_=own, where=addresses.c.contact_id == 0
                ),
                points,
            )
        texts: dict[int, list[str]] = {number: [name] for number, name in made.items()}
        for one in points:
            if one["contact_id"] in texts:
                texts[one["contact_id"]].append(one["value"])
        if texts:
            index_contacts(self._uow.conn, list(texts.items()))

    def _point_leads(self, outcomes: Sequence[Outcome]) -> None:
        table = self._noun.table
        if outcomes:
            self._uow.conn.execute(
                update(table)
                .where(table.c.id == bindparam("b_id"), table.c.contact_id == 0)
                .values(contact_id=bindparam("b_contact")),
                [{"b_id": one.object_id, "b_contact": one.contact_id} for one in outcomes],
            )

"""The people of an import: whoever comes with a phone or an e-mail becomes a contact with these
addresses, so that his later messages find him."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select, update

from crm_store.import_matching import said_in
from crm_store.objects import FOLDED, Noun
from crm_store.rows import among, insert_rows, listed, update_rows, write_rows
from crm_store.sameness import normal_form
from crm_store.search_index import index_contacts
from crm_store.sql import locked
from crm_store.tables.people import addresses, contacts
from crm_store.unit_of_work import UnitOfWork
from hub.ids import bounded_key
from hub.records.imports import ImportRow
from hub.terms import fold

if TYPE_CHECKING:
    from crm_store.import_rows import Outcome

CONTACT, ADDRESSES = "+contact", "+addresses"
"""What is noted of a row: whether its person was made or linked, and which addresses he got."""
Rows = Sequence[tuple[ImportRow, "Outcome"]]
_TAKEN = (
    "ON CONFLICT (kind, value) DO UPDATE SET contact_id = excluded.contact_id,"
    " origin_id = excluded.origin_id, name = excluded.name WHERE addresses.contact_id = 0"
)
"""An address that is there already becomes this person's where it is nobody's."""


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
        met: list[tuple[int, Outcome]] = []
        for row, one, name, pairs in wanted:
            contact_id = next((owners[pair] for pair in pairs if owners.get(pair)), 0)
            if not contact_id:
                if one.outcome != "created" and not pairs:
                    continue
                contact_id = self._uow.new_id()
                made[contact_id] = name
                new_rows.append(self._contact(contact_id, row, one, name))
            elif self._noun.kind.name == "client":
                met.append((contact_id, one))
            one.contact_id = contact_id
            for pair in pairs:
                if pair not in owners:
                    owners[pair] = contact_id
                    new_addresses.append(self._address(contact_id, pair, name))
        self._link(met)
        self._write(made, new_rows, new_addresses)
        if self._noun.kind.name == "lead":
            self._point_leads([one for _, one, _, _ in wanted if one.contact_id])

    def _own(self, rows: Rows) -> None:
        """Give imported contacts their addresses; one that is somebody else's stays his."""
        pairs = {one.number: self._addresses(row) for row, one in rows}
        owners = self._owners([pair for found in pairs.values() for pair in found])
        points, names = [], {}
        given: dict[tuple[str, str], Outcome] = {}
        for row, one in rows:
            if not one.object_id:
                continue
            name = str(row.values.get("name") or "")
            made = one.outcome == "created"
            if made:
                names[one.object_id] = name
            one.contact_id = one.object_id
            for pair in pairs[one.number]:
                if pair not in owners:
                    owners[pair] = one.object_id
                    points.append(self._address(one.object_id, pair, name))
                    if not made:
                        given[pair] = one
        self._write(names, [], points)
        self._note(given)

    def _note(self, given: Mapping[tuple[str, str], Outcome]) -> None:
        """Note which addresses people who were there got, so that it can be taken back."""
        if not given:
            return
        whose = select(addresses.c.id, addresses.c.kind, addresses.c.value).where(
            addresses.c.kind.in_(("email", "phone")),
            among(self._uow.conn.dialect.name, addresses.c.value, "wanted"),
        )
        wanted = listed(self._uow.conn.dialect.name, sorted({value for _, value in given}))
        for row in self._uow.conn.execute(whose, {"wanted": wanted}).all():
            if one := given.get((row.kind, row.value)):
                one.note(ADDRESSES, [*one.before.get(ADDRESSES, ()), int(row.id)])

    def _name(self, row: ImportRow) -> str:
        given = str(row.values.get("contact_name") or "")
        if given or self._noun.kind.name != "client":
            return given or str(row.values.get("name") or "")
        return "" if row.values.get("organisation") else str(row.values.get("name") or "")

    def _addresses(self, row: ImportRow) -> list[tuple[str, str]]:
        given = [(kind, said) for kind in ("email", "phone") for said in said_in(row.values, kind)]
        found = [
            (kind, bounded_key(said.lower() if kind == "email" else said)) for kind, said in given
        ]
        # Only a whole number is one that a message can come from.
        return [one for one in found if ("@" in one[1] if one[0] == "email" else one[1][:1] == "+")]

    def _owners(self, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        owners: dict[tuple[str, str], int] = {}
        dialect = self._uow.conn.dialect.name
        statement = select(addresses.c.kind, addresses.c.value, addresses.c.contact_id).where(
            addresses.c.kind.in_(("email", "phone")),
            among(dialect, addresses.c.value, "wanted"),
            # One that a letter was only tried out on is nobody's (dialogs/many_tests.py).
            addresses.c.contact_id != 0,
        )
        wanted = listed(dialect, sorted({value for _, value in pairs}))
        for row in self._uow.conn.execute(statement, {"wanted": wanted}):
            owners[row.kind, row.value] = int(row.contact_id)
        return owners

    def _contact(self, contact_id: int, row: ImportRow, one: Outcome, name: str) -> dict[str, Any]:
        one.note(CONTACT, "made")
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
            "value": pair[1],
            "name": name[:400],
            "origin_id": contact_id,
            "normal": normal_form(*pair),
            "profile": {},
            "created_at": self._uow.now,
        }

    def _link(self, pairs: Sequence[tuple[int, Outcome]]) -> None:
        """People of nobody's belong to the client whose row names their address first."""
        if not pairs:
            return
        conn = self._uow.conn
        dialect = conn.dialect.name
        free = select(contacts.c.id).where(
            among(dialect, contacts.c.id, "wanted"), contacts.c.client_id == 0
        )
        wanted = {"wanted": listed(dialect, {contact_id for contact_id, _ in pairs})}
        nobodys = set(conn.execute(locked(dialect, free.order_by(contacts.c.id)), wanted).scalars())
        linked = []
        for contact_id, one in pairs:
            if contact_id in nobodys:
                nobodys.discard(contact_id)
                one.note(CONTACT, "linked")
                linked.append({"id": contact_id, "client_id": one.object_id, "version": 1})
        update_rows(conn, contacts, linked, added=("version",))

    def _write(
        self, made: dict[int, str], people: list[dict[str, Any]], points: list[dict[str, Any]]
    ) -> None:
        insert_rows(self._uow.conn, contacts, people)
        write_rows(self._uow.conn, addresses, points, _TAKEN)
        texts: dict[int, list[str]] = {number: [name] for number, name in made.items()}
        for one in points:
            if one["contact_id"] in texts:
                texts[one["contact_id"]].append(one["value"])
        if texts:
            index_contacts(self._uow.conn, list(texts.items()), fresh=True)

    def _point_leads(self, outcomes: Sequence[Outcome]) -> None:
        table = self._noun.table
        if outcomes:
            self._uow.conn.execute(
                update(table)
                .where(table.c.id == bindparam("b_id"), table.c.contact_id == 0)
                .values(contact_id=bindparam("b_contact")),
                [{"b_id": one.object_id, "b_contact": one.contact_id} for one in outcomes],
            )

"""Taking an import back: what it made goes to the bin, what it changed is changed back, where
nobody has worked on it since. Each row is taken back once, so a killed hub goes on where it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, delete, func, select, union, update

from crm_store import card_files
from crm_store.bulk import change_many, lock_many
from crm_store.import_consents import take_back
from crm_store.import_fields import whole_noun
from crm_store.import_people import ADDRESSES, CONTACT
from crm_store.import_rows import NUMBER
from crm_store.imports import lock_import, write
from crm_store.in_use import in_use
from crm_store.objects import Noun
from crm_store.search_index import index_contact, remove_contacts
from crm_store.sql import unindexed
from crm_store.tables.consents import consent_log, suppressions
from crm_store.tables.dialogs import dialogs
from crm_store.tables.imports import external_ids, import_rows
from crm_store.tables.objects import dialog_links
from crm_store.tables.people import addresses, contacts
from crm_store.unit_of_work import UnitOfWork
from hub.card_addresses import CardAddress
from hub.commands import UndoImportRows
from hub.errors import Conflict
from hub.events import ImportBatchWritten
from hub.ids import ContactId
from hub.objects import Change
from hub.properties import CardFile, PropertyType, value_of

COUNTS = ("removed", "restored", "kept", "contacts")


def undo_import_rows(uow: UnitOfWork, command: UndoImportRows) -> int:
    """Take back the next rows, the last first; gives how many rows it looked at."""
    about = lock_import(uow, command.import_id)
    if about.state != "undoing":
        raise Conflict("this import is not being undone", what="state")
    noun = whole_noun(uow, about.kind)
    uow.viewer.need(noun.kind.write)
    rows = uow.conn.execute(
        select(import_rows)
        .where(
            import_rows.c.import_id == about.id,
            import_rows.c.outcome.in_(("created", "updated")),
            ~import_rows.c.undone,
        )
        .order_by(import_rows.c.row_number.desc())
        .limit(command.limit)
    ).all()
    if not rows:
        return 0
    counts = {name: int(about.undone.get(name, 0)) for name in COUNTS}
    records = lock_many(uow, noun, [row.object_id for row in rows if row.object_id])
    take_back(uow, rows)
    changes = _change_back(uow, noun, [one for one in rows if one.outcome == "updated"], counts)
    made = [one for one in rows if one.outcome == "created"]
    removed = _remove(uow, noun, made, records, counts)
    _let_go_of_people(uow, noun, rows, removed, counts)
    _let_go_of_addresses(uow, rows)
    _let_go_of_numbers(uow, noun, rows)
    uow.conn.execute(
        update(import_rows)
        .where(
            import_rows.c.import_id == about.id,
            import_rows.c.row_number.in_([row.row_number for row in rows]),
        )
        .values(undone=True)
    )
    write(uow, command.import_id, undone=counts)
    uow.record(
        ImportBatchWritten(
            import_id=command.import_id,
            object_kind=about.kind,
            created=len(removed),
            updated=len({one.id for one in changes}),
            undone=True,
            changes=changes,
        )
    )
    return len(rows)


def _change_back(
    uow: UnitOfWork, noun: Noun, rows: Sequence[Row[Any]], counts: dict[str, int]
) -> tuple[Change, ...]:
    changes: list[Change] = []
    files = card_files.described(uow.conn, _files_in(noun, rows))
    for wave in _waves(rows):
        records = lock_many(uow, noun, [row.object_id for row in wave])
        pairs: list[tuple[Any, dict[str, object]]] = []
        for row in wave:
            record = records.get(row.object_id)
            fields = {name: pair for name, pair in row.before.items() if not name.startswith("+")}
            values = {} if record is None else _own_values(noun, record, fields, files)
            if values:
                pairs.append((record, values))
            noted = any(name.startswith("+") for name in row.before)
            restored = len(values) == len(fields) and bool(values or noted)
            counts["restored" if restored else "kept"] += 1
        changes += change_many(uow, noun, pairs, files)
    return tuple(changes)


def _files_in(noun: Noun, rows: Sequence[Row[Any]]) -> set[int]:
    """Give the files that rows brought, and those that were there before."""
    names = [one.name for one in noun.kind.properties if one.type is PropertyType.FILE]
    return {int(one) for row in rows for name in names for one in row.before.get(name, ()) if one}


def _waves(rows: Sequence[Row[Any]]) -> list[list[Row[Any]]]:
    """Cut rows so that no two of a part are the same object: each sees what the one before left."""
    waves: list[list[Row[Any]]] = []
    seen: Counter[int] = Counter()
    for row in rows:
        number = seen[row.object_id]
        seen[row.object_id] += 1
        while len(waves) <= number:
            waves.append([])
        waves[number].append(row)
    return waves


def _own_values(
    noun: Noun, record: Any, fields: Mapping[str, Any], files: Mapping[int, CardFile]
) -> dict[str, object]:
    """Give what the fields of a row held before, of those that nobody has changed since."""
    known = {one.name: one for one in noun.kind.properties}
    values: dict[str, object] = {}
    for name, (before, after) in fields.items():
        prop = known.get(name)
        if prop is None:
            # An archived field keeps what it has.
            continue
        if prop.type is PropertyType.ADDRESSES:
            before, after = _addresses(before), _addresses(after)
        if prop.type is PropertyType.FILE and before not in files:
            # It is gone: somebody else let it go.
            before = 0
        is_tags = prop.type is PropertyType.TAGS
        old, new = (tuple(before), tuple(after)) if is_tags else (before, after)
        now: Any = value_of(record, name)
        if set(now or ()) == set(new) if is_tags else now == new:
            values[name] = old
    return values


def _addresses(kept: Any) -> tuple[CardAddress, ...]:
    return tuple(CardAddress(kind=kind, value=value, label=label) for kind, value, label in kept)


def _remove(
    uow: UnitOfWork,
    noun: Noun,
    rows: Sequence[Row[Any]],
    records: dict[int, Any],
    counts: dict[str, int],
) -> set[int]:
    table = noun.table
    made = [int(row.object_id) for row in rows]
    # The people whom a row made go with its card; whether they are busy is asked of them.
    own = {"contact": [int(row.contact_id) for row in rows if row.contact_id]}
    touched = in_use(uow, noun.kind.name, made, own) | set(
        uow.conn.execute(
            select(dialog_links.c.object_id).where(
                dialog_links.c.kind == noun.kind.name,
                dialog_links.c.object_id.in_([row.object_id for row in rows]),
            )
        ).scalars()
    )
    if noun.kind.name == "contact":
        talked = select(dialogs.c.contact_id).where(
            dialogs.c.contact_id.in_([row.object_id for row in rows])
        )
        touched |= set(uow.conn.execute(talked).scalars())
        touched |= _said(uow, [int(row.object_id) for row in rows])
    gone = set()
    later = _later_rows(uow, rows) if rows else {}
    for row in rows:
        record = records.get(row.object_id)
        # Later rows of the same file may have changed it; they were taken back just before.
        expected = 1 + 2 * later.get(row.object_id, 0)
        worked_on = row.object_id in touched or (record and record.version > expected)
        if record is None or record.deleted_at or worked_on:
            counts["kept"] += 1
        else:
            gone.add(int(row.object_id))
    counts["removed"] += len(gone)
    uow.conn.execute(
        update(table)
        .where(table.c.id.in_(gone))
        .values(deleted_at=uow.now, version=table.c.version + 1)
    )
    card_files.let_go(uow, noun.kind.name, gone)
    if noun.kind.name == "contact":
        # Their addresses are free again: who writes from one is not in the bin.
        uow.conn.execute(delete(addresses).where(addresses.c.contact_id.in_(gone)))
        remove_contacts(uow.conn, sorted(gone))
    uow.conn.execute(
        delete(external_ids).where(
            external_ids.c.kind == noun.kind.name, external_ids.c.object_id.in_(gone)
        )
    )
    return gone


def _said(uow: UnitOfWork, people: Sequence[int]) -> set[int]:
    """Give who said a word about advertising himself, or whose address was suppressed, since.

    They stay: with their addresses gone, the next file would let a refusal be forgotten.
    """
    own = select(consent_log.c.contact_id).where(
        consent_log.c.contact_id.in_(people), consent_log.c.how != "import"
    )
    shut = (
        select(addresses.c.contact_id)
        .join(suppressions, suppressions.c.address_id == addresses.c.id)
        .where(addresses.c.contact_id.in_(people))
    )
    return {int(one) for one in uow.conn.execute(union(own, shut)).scalars()}


def _later_rows(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> dict[int, int]:
    """Give how many rows of this import changed each of the objects that these rows made."""
    found = uow.conn.execute(
        select(import_rows.c.object_id, func.count())
        .where(
            # Found by the objects: an import has many rows, and few of them name one.
            unindexed(import_rows.c.import_id) == rows[0].import_id,
            import_rows.c.object_id.in_([row.object_id for row in rows]),
            import_rows.c.outcome == "updated",
        )
        .group_by(import_rows.c.object_id)
    )
    return {int(number): int(many) for number, many in found}


def _let_go_of_people(
    uow: UnitOfWork,
    noun: Noun,
    rows: Sequence[Row[Any]],
    removed: set[int],
    counts: dict[str, int],
) -> None:
    """Contacts that the import made go with their object; those with a history stay."""
    found = [row for row in rows if row.contact_id and row.contact_id != row.object_id]
    # Of a card that was there before, what its row brought is noted.
    gone = [row for row in found if row.object_id in removed or row.outcome == "updated"]
    gone = [row for row in gone if row.before.get(CONTACT)]
    cards = [row.object_id for row in gone]
    made = [row.contact_id for row in gone if row.before[CONTACT] == "made"]
    busy = set(
        uow.conn.execute(
            select(dialogs.c.contact_id).where(dialogs.c.contact_id.in_(made))
        ).scalars()
    )
    busy |= in_use(uow, "contact", made, {noun.kind.name: cards}) | _said(uow, made)
    free = [one for one in made if one not in busy]
    alone = list(
        uow.conn.execute(
            select(contacts.c.id).where(contacts.c.id.in_(free), contacts.c.version == 1)
        ).scalars()
    )
    uow.conn.execute(delete(addresses).where(addresses.c.contact_id.in_(alone)))
    uow.conn.execute(delete(contacts).where(contacts.c.id.in_(alone)))
    # Who stays is nobody's again: whose card is in the bin would be neither there nor unlinked.
    uow.conn.execute(
        update(contacts)
        .where(contacts.c.id.in_([row.contact_id for row in gone]), contacts.c.client_id.in_(cards))
        .values(client_id=0, version=contacts.c.version + 1)
    )
    remove_contacts(uow.conn, alone)
    counts["contacts"] += len(alone)


def _let_go_of_addresses(uow: UnitOfWork, rows: Sequence[Row[Any]]) -> None:
    """People who were there before lose what the file gave them, unless it was used since."""
    given = {int(one): row.object_id for row in rows for one in row.before.get(ADDRESSES, ())}
    if not given:
        return
    written = select(dialogs.c.address_id).where(dialogs.c.address_id.in_(given))
    shut = select(suppressions.c.address_id).where(suppressions.c.address_id.in_(given))
    used = set(uow.conn.execute(union(written, shut)).scalars())
    theirs = select(addresses.c.id, addresses.c.contact_id).where(
        addresses.c.id.in_(given.keys() - used), ~addresses.c.verified, addresses.c.blocked == ""
    )
    gone = {
        row.id: row.contact_id
        for row in uow.conn.execute(theirs)
        if row.contact_id == given[row.id]
    }
    uow.conn.execute(delete(addresses).where(addresses.c.id.in_(gone)))
    for contact_id in sorted(set(gone.values())):
        index_contact(uow, ContactId(contact_id))


def _let_go_of_numbers(uow: UnitOfWork, noun: Noun, rows: Sequence[Row[Any]]) -> None:
    """A card that was there before is called by the file's own number no more."""
    for row in rows:
        if NUMBER in row.before:
            uow.conn.execute(
                delete(external_ids).where(
                    external_ids.c.kind == noun.kind.name,
                    external_ids.c.external_id == row.before[NUMBER],
                    external_ids.c.object_id == row.object_id,
                )
            )

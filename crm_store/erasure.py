"""Erasing: words, files and index entries of messages, and a whole person.

Personal data stand only in the tables named here (a plugin names its own). What stays is a
tombstone: the arrival's key and a hash of the address, so that nothing is imported again: what
the address wrote before it was erased stays out (dialogs/intake.py), what it writes later is new.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Select, case, delete, insert, select, tuple_, update

from crm_store import card_files, consents, object_writes, of_person
from crm_store.blob_counts import drop_blobs
from crm_store.dialog_merges import forget_merges as forget_dialog_merges
from crm_store.duplicates import forget_duplicates
from crm_store.exports import forget_exports
from crm_store.interest_particulars import forget_particulars
from crm_store.objects import NOUNS, visible_people
from crm_store.request_checklists import forget_checklists
from crm_store.rows import among, listed
from crm_store.rule_words import forget_person
from crm_store.search_index import remove_contact, remove_dialogs, remove_messages
from crm_store.sql import upsert
from crm_store.survivors import living
from crm_store.tables.dialogs import (
    attachments,
    bodies,
    dialogs,
    drafts,
    message_versions,
    messages,
    participants,
    reactions,
    thread_references,
)
from crm_store.tables.duplicates import asked_details, said_addresses
from crm_store.tables.people import (
    addresses,
    contacts,
    erased_addresses,
    erasures,
    merges,
)
from crm_store.tables.segments import segment_members
from crm_store.traces import forget_traces
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.commands import EraseContact
from hub.errors import NotFound
from hub.events import ContactErased
from hub.ids import ContactId
from hub.messages import Address


def address_hash(kind: str, value: str) -> str:
    """Give what is kept of an erased address."""
    return hashlib.sha256(f"{kind}\x00{value}".encode()).hexdigest()


def erased_at(uow: UnitOfWork, people: Iterable[Address]) -> dict[tuple[str, str], int]:
    """Give when each of these addresses was erased last, by (kind, value); others are left out."""
    hashes = {address_hash(one.kind, one.value): (one.kind, one.value) for one in people}
    rows = uow.conn.execute(_erased(uow.dialect), {"hashes": listed(uow.dialect, hashes)})
    return {hashes[row.hash]: int(row.at) for row in rows}


@cache
def _erased(dialect: str) -> Select[Any]:
    return select(erased_addresses).where(among(dialect, erased_addresses.c.hash, "hashes"))


def _keep_hashes(uow: UnitOfWork, hashes: Sequence[str], at: int) -> None:
    if not hashes:
        return
    statement = upsert(uow.dialect, erased_addresses)
    newest = case(
        (statement.excluded.at > erased_addresses.c.at, statement.excluded.at),
        else_=erased_addresses.c.at,
    )
    uow.conn.execute(
        statement.on_conflict_do_update(index_elements=["hash"], set_={"at": newest}),
        [{"hash": one, "at": at} for one in sorted(set(hashes))],
    )


def all_erasures(reader: Reader, after: int = 0) -> list[dict[str, object]]:
    """Give what was erased after an instant, as hashes: the list that a restore replays."""
    rows = reader.conn.execute(
        select(erasures).where(erasures.c.at > after).order_by(erasures.c.at, erasures.c.id)
    )
    return [
        {"contact_id": str(row.contact_id), "at": row.at, "address_hashes": row.address_hashes}
        for row in rows
    ]


def erase_messages(uow: UnitOfWork, ids: Sequence[int]) -> dict[str, int]:
    """Remove the words and files of messages; their rows stay as empty marks."""
    report = {"messages": 0, "files": 0}
    for start in range(0, len(ids), 500):
        chunk = list(ids[start : start + 500])
        names = set(
            uow.conn.execute(
                select(attachments.c.blob_id).where(
                    attachments.c.message_id.in_(chunk), attachments.c.blob_id != ""
                )
            ).scalars()
        )
        names |= set(
            uow.conn.execute(
                select(bodies.c.raw_blob).where(
                    bodies.c.message_id.in_(chunk), bodies.c.raw_blob != ""
                )
            ).scalars()
        )
        report["files"] += drop_blobs(uow, names)
        for table in (attachments, bodies, message_versions, reactions):
            uow.conn.execute(delete(table).where(table.c.message_id.in_(chunk)))
        remove_messages(uow.conn, chunk)
        report["messages"] += uow.conn.execute(
            update(messages)
            .where(messages.c.id.in_(chunk))
            .values(
                text="",
                subject="",
                author_name="",
                people={},
                extra={},
                has_html=False,
                has_quote=False,
                reason_text="",
                external_id="",
                deleted_at=uow.now,
            )
        ).rowcount
    return report


def erase_contact(uow: UnitOfWork, command: EraseContact) -> dict[str, Any]:
    """Erase a person; gives a report of what was erased."""
    contact_id = living(uow.conn, command.contact_id)
    found = select(contacts.c.id).where(contacts.c.id == contact_id, visible_people(uow.viewer))
    if uow.conn.execute(found).first() is None:
        if command.address_hashes and not uow.viewer.is_limited:
            return _remember(uow, command, list(command.address_hashes), {})
        raise NotFound("there is no such contact")
    # What was taken from his card and stayed as nobody's, being suppressed, was his too.
    uow.conn.execute(
        update(addresses)
        .where(addresses.c.contact_id == 0, addresses.c.origin_id == contact_id)
        .values(contact_id=contact_id)
    )
    rows = uow.conn.execute(select(addresses).where(addresses.c.contact_id == contact_id)).all()
    dialog_ids = list(
        uow.conn.execute(select(dialogs.c.id).where(dialogs.c.contact_id == contact_id)).scalars()
    )
    cards = of_person.cards_of(uow.conn, contact_id)
    named = [(one.kind, one.value) for one in rows]
    message_ids = of_person.messages_of(uow.conn, cards, dialog_ids, named)
    _clear_lines(uow, message_ids)
    own = of_person.own_clients(uow.conn, cards)
    words = of_person.words_of(uow.conn, contact_id, own)
    report: dict[str, Any] = erase_messages(uow, message_ids)
    _unname(uow, named)
    for table in (drafts, participants, thread_references, said_addresses, asked_details):
        uow.conn.execute(delete(table).where(table.c.dialog_id.in_(dialog_ids)))
    remove_dialogs(uow.conn, dialog_ids)
    report["dialogs"] = uow.conn.execute(
        update(dialogs)
        .where(dialogs.c.id.in_(dialog_ids))
        .values(
            subject="",
            subject_folded="",
            preview="",
            thread_key="",
            status="closed",
            is_open=False,
            closed_at=uow.now,
            waiting_since=0,
            snoozed_until=0,
            address_id=0,
            slot="erased",
            version=dialogs.c.version + 1,
        )
    ).rowcount
    report["exports"] = forget_exports(uow)
    report["consents"] = consents.erase(uow, contact_id)
    report["addresses"] = uow.conn.execute(
        delete(addresses).where(addresses.c.contact_id == contact_id)
    ).rowcount
    hung = of_person.objects_of(uow.conn, uow.tx.nouns, cards, own, dialog_ids)
    objects = {"contact": cards, "client": own, **hung}
    uow.conn.execute(delete(segment_members).where(segment_members.c.contact_id.in_(cards)))
    for one in cards:
        remove_contact(uow.conn, one)
    object_writes.blank(uow, NOUNS["contact"], cards)
    uow.conn.execute(
        update(contacts)
        .where(contacts.c.id.in_(cards))
        .values(
            language="",
            language_folded="",
            time_zone="",
            time_zone_folded="",
            deleted_at=uow.now,
        )
    )
    forget_dialog_merges(uow, dialog_ids)
    report["rule_runs"] = forget_person(uow.conn, contact_id, dialog_ids, objects)
    report["clients"] = object_writes.blank(uow, NOUNS["client"], own)
    for kind, ids in (("contact", cards), ("client", own)):
        forget_duplicates(uow, kind, ids)
    forget_particulars(uow, hung["interest"], cards)
    forget_checklists(uow, hung["request"])
    for kind, ids in objects.items():
        forget_merges(uow, kind, ids)
    for kind, ids in hung.items():
        noun = uow.tx.nouns[kind]
        report[noun.kind.path] = object_writes.blank(uow, noun, ids)
    report |= forget_traces(uow, objects, dialog_ids, words, command.import_ids)
    hashes = [*(address_hash(one.kind, one.value) for one in rows), *command.address_hashes]
    return _remember(uow, command, sorted(set(hashes)), report, cards)


def _clear_lines(uow: UnitOfWork, message_ids: Sequence[int]) -> None:
    """Empty the lines of dialogs that say what these messages said; others' dialogs too."""
    for start in range(0, len(message_ids), of_person.CHUNK):
        some = message_ids[start : start + of_person.CHUNK]
        there = select(messages.c.dialog_id).where(messages.c.id.in_(some))
        uow.conn.execute(
            update(dialogs)
            .where(dialogs.c.id.in_(there), dialogs.c.last_message_id.in_(some))
            .values(preview="", version=dialogs.c.version + 1)
        )


def _unname(uow: UnitOfWork, named: Sequence[tuple[str, str]]) -> None:
    """Take a person out of those to whom others' letters went."""
    theirs = {value.lower() for _, value in named}
    there = of_person.dialogs_with(uow.conn, named)
    for start in range(0, len(there), of_person.CHUNK):
        some = there[start : start + of_person.CHUNK]
        rows = uow.conn.execute(
            select(messages.c.id, messages.c.people).where(messages.c.dialog_id.in_(some))
        ).all()
        for row in rows:
            kept = {
                part: [one for one in people if str(one[0]).lower() not in theirs]
                for part, people in row.people.items()
                if people and isinstance(people[0], list)
            }
            if any(len(people) < len(row.people[part]) for part, people in kept.items()):
                people = {**row.people, **kept}
                uow.conn.execute(
                    update(messages).where(messages.c.id == row.id).values(people=people)
                )
    takes_part = tuple_(participants.c.kind, participants.c.value).in_(list(named))
    uow.conn.execute(delete(participants).where(takes_part))


def forget_merges(uow: UnitOfWork, kind: str, ids: Sequence[int]) -> None:
    """Forget what merges into other cards remember of these; those cannot be undone then."""
    of_them = (merges.c.kind == kind) & merges.c.merged_id.in_(ids)
    kept = uow.conn.execute(select(merges.c.kept).where(of_them)).scalars().all()
    uow.conn.execute(update(merges).where(of_them).values(kept={}))
    card_files.release(uow, {one for each in kept for one in card_files.named_in(each)})


def _remember(
    uow: UnitOfWork,
    command: EraseContact,
    hashes: list[str],
    report: dict[str, Any],
    cards: Sequence[int] = (),
) -> dict[str, Any]:
    """Leave the tombstones, and tell of each card: what was merged may be known by any of them."""
    at = command.erased_at or uow.now
    _keep_hashes(uow, hashes, at)
    uow.conn.execute(
        insert(erasures).values(
            id=uow.new_id(),
            contact_id=command.contact_id,
            at=at,
            actor=str(uow.actor),
            address_hashes=hashes,
            report=report,
        )
    )
    for one in dict.fromkeys((int(command.contact_id), *cards)):
        uow.record(ContactErased(contact_id=ContactId(one)))
    return report

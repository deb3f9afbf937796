"""What becomes of the rows of an import: a batch in one transaction, and each row only once.

The import's cursor moves with the batch, so that a hub killed in between finds either both or
neither; the key of `import_rows` is the second bolt on the same door.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, select

from crm_store import card_files, client_addresses, objects
from crm_store import import_consents as words
from crm_store.blob_counts import forget_bytes
from crm_store.bulk import change_many, chunks, create_many, lock_many
from crm_store.duplicates import index_anew
from crm_store.import_fields import whole_noun
from crm_store.import_matching import key_of, living, matches
from crm_store.import_people import People
from crm_store.imports import lock_import, write
from crm_store.objects import Noun
from crm_store.rows import insert_missing, insert_rows
from crm_store.tables.imports import external_ids, import_rows
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.card_addresses import LINES, CardAddress
from hub.commands import WriteImportRows
from hub.errors import Conflict
from hub.events import ImportBatchWritten
from hub.ids import bounded_key
from hub.objects import Change
from hub.properties import CardFile, PropertyType, empty_value, value_of
from hub.records.imports import GivenFile, ImportFields, ImportRow
from hub.records.people import Client

NUMBER = "+number"
"""What is noted of a row that gave a card a number of its own."""
OUTCOMES = {
    "created": "created",
    "updated": "updated",
    "unchanged": "unchanged",
    "duplicate": "duplicates",
    "bad": "bad",
}
SEVERAL = "several records match this row"
NEEDED = "this is needed"


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of one row."""

    number: int
    outcome: str
    reason: str = ""
    object_id: int = 0
    contact_id: int = 0
    version: int = 0
    before: dict[str, Any] = field(default_factory=dict)

    def note(self, name: str, value: object) -> None:
        """Remember what else a row changed, so that it can be taken back."""
        self.before = {**self.before, name: value}
        if self.outcome == "unchanged":
            self.outcome = "updated"


def plan(
    reader: Reader, noun: Noun, fields: ImportFields, rows: Sequence[ImportRow]
) -> dict[int, tuple[str, str, int]]:
    """Say of each row what would become of it: an outcome, a reason, the object it is."""
    keys = () if fields.policy == "new" else fields.keys
    found = matches(reader, noun, keys, rows)
    planned: dict[int, tuple[str, str, int]] = {}
    for row in rows:
        ids = found.get(row.number, ())
        if row.error:
            planned[row.number] = ("bad", row.error, 0)
        elif len(ids) > 1 and fields.policy != "skip":
            planned[row.number] = ("bad", SEVERAL, 0)
        elif ids:
            skipped = fields.policy == "skip"
            planned[row.number] = ("duplicate" if skipped else "updated", "", ids[0])
        elif missing := _missing(noun, row.values):
            planned[row.number] = ("bad", f"{missing}|{NEEDED}", 0)
        else:
            planned[row.number] = ("created", "", 0)
    return planned


def would_change(
    reader: Reader,
    noun: Noun,
    fields: ImportFields,
    rows: Sequence[ImportRow],
    planned: Mapping[int, tuple[str, str, int]],
) -> set[int]:
    """Give the rows of a plan that would really change the object they are."""
    ids = {planned[row.number][2] for row in rows if planned[row.number][0] == "updated"}
    known: dict[int, Any] = {}
    for chunk in chunks(sorted(ids)):
        found = reader.conn.execute(select(noun.table).where(noun.table.c.id.in_(chunk))).all()
        known |= {one.id: one for one in objects.records(reader, noun, found)}
    return {
        row.number
        for row in rows
        if (record := known.get(planned[row.number][2])) is not None
        and differing(noun, record, row.values, fields.policy)
    }


def _missing(noun: Noun, values: Mapping[str, object]) -> str:
    for prop in noun.kind.properties:
        is_needed = prop.required and prop.editable and not prop.is_custom
        if is_needed and not values.get(prop.name):
            return prop.name
    return ""


def differing(
    noun: Noun, record: Any, values: Mapping[str, object], policy: str
) -> dict[str, object]:
    """Give the values that would change an object; an empty cell changes nothing."""
    found: dict[str, object] = {}
    overwrite = policy == "overwrite"
    # A line of the file that is one of the further addresses changes places with the main one.
    moves = overwrite and any(values.get(line) for line in LINES)
    if isinstance(record, Client) and (values.get("addresses") or moves):
        values = {**values, **client_addresses.imported(record, values, overwrite=overwrite)}
    for prop in noun.kind.properties:
        if prop.name not in values or not prop.editable:
            continue
        new, old = values[prop.name], value_of(record, prop.name)
        if prop.type is PropertyType.TAGS and not prop.is_custom:
            new = tuple(dict.fromkeys([*old, *new]))  # type: ignore[misc]
        elif prop.type is PropertyType.ADDRESSES:
            pass
        elif new == empty_value(prop.type) or (policy == "fill" and old != empty_value(prop.type)):
            continue
        if new != old:
            found[prop.name] = new
    return found


def write_import_rows(uow: UnitOfWork, command: WriteImportRows) -> dict[str, int]:
    """Carry out a batch; gives how many rows had which outcome."""
    row = lock_import(uow, command.import_id)
    if row.state != "running" or row.cursor != command.after:
        raise Conflict("this import is not where it was", what="state")
    noun = whole_noun(uow, row.kind)
    uow.viewer.need(noun.kind.write)
    fields = ImportFields(
        keys=tuple(row.options.get("keys", ())), policy=row.options.get("policy", "skip")
    )
    batch = _Batch(uow, noun, fields)
    for wave in _waves(fields, command.rows):
        batch.carry_out(wave)
    batch.drop_files(command.rows)
    if batch.outcomes:
        insert_rows(
            uow.conn,
            import_rows,
            [
                {
                    "import_id": row.id,
                    "row_number": one.number,
                    "outcome": one.outcome,
                    "reason": one.reason[:400],
                    "object_id": one.object_id,
                    "contact_id": one.contact_id,
                    "object_version": one.version,
                    "before": one.before,
                }
                for one in batch.outcomes
            ],
        )
    counts = {name: int(row.counts.get(name, 0)) for name in OUTCOMES.values()}
    for one in batch.outcomes:
        counts[OUTCOMES[one.outcome]] += 1
    write(uow, command.import_id, cursor=command.read_to, counts=counts)
    created = sum(one.outcome == "created" for one in batch.outcomes)
    updated = sum(one.outcome == "updated" for one in batch.outcomes)
    if created or updated:
        uow.record(
            ImportBatchWritten(
                import_id=command.import_id,
                object_kind=row.kind,
                created=created,
                updated=updated,
                changes=tuple(batch.changes),
            )
        )
    return counts


def _waves(fields: ImportFields, rows: Sequence[ImportRow]) -> list[list[ImportRow]]:
    """Cut a batch so that no two rows of a part are the same object."""
    if fields.policy == "new":
        return [list(rows)] if rows else []
    waves: list[list[ImportRow]] = []
    last: dict[tuple[str, str], int] = {}
    for row in rows:
        marks = key_of(fields.keys, row.values)
        number = max((last.get(one, -1) for one in marks), default=-1) + 1
        last |= dict.fromkeys(marks, number)
        while len(waves) <= number:
            waves.append([])
        waves[number].append(row)
    return waves


class _Batch:
    def __init__(self, uow: UnitOfWork, noun: Noun, fields: ImportFields) -> None:
        self._uow, self._noun, self._fields = uow, noun, fields
        self._reader = Reader(conn=uow.conn, viewer=uow.viewer, now=uow.now, nouns=uow.tx.nouns)
        self._people = People(uow, noun)
        self._fields_of_files = [
            one.name for one in noun.kind.properties if one.type is PropertyType.FILE
        ]
        self._taken: set[str] = set()
        self.outcomes: list[Outcome] = []
        self.changes: list[Change] = []

    def carry_out(self, rows: Sequence[ImportRow]) -> None:
        planned = plan(self._reader, self._noun, self._fields, rows)
        made: list[tuple[ImportRow, Outcome]] = []
        met: list[tuple[ImportRow, Outcome]] = []
        for row in rows:
            outcome, reason, object_id = planned[row.number]
            one = Outcome(number=row.number, outcome=outcome, reason=reason, object_id=object_id)
            self.outcomes.append(one)
            if outcome == "created":
                one.object_id, one.version = self._uow.new_id(), 1
                made.append((row, one))
            elif outcome == "updated":
                met.append((row, one))
        self._create(made)
        self._change(met)
        more = [one.object_id for row, one in (*made, *met) if row.values.get("addresses")]
        if more := [one for one in more if one]:
            index_anew(self._uow.conn, self._noun.kind.name, more)
        self._people.attach([*made, *met])
        if self._noun.kind.name == "contact":
            words.note(self._uow, [*made, *met])
        self._remember([*made, *met])

    def _create(self, rows: Sequence[tuple[ImportRow, Outcome]]) -> None:
        if self._noun.kind.name == "contact":
            # Lists of people begin with whom was heard from last.
            fresh = {"last_at": self._uow.now}
            people = [(one.object_id, {**fresh, **self._kept(row.values)[0]}) for row, one in rows]
            create_many(self._uow, self._noun, people)
            return
        pairs = [(one.object_id, self._kept(row.values)[0]) for row, one in rows]
        create_many(self._uow, self._noun, pairs)

    def _change(self, rows: Sequence[tuple[ImportRow, Outcome]]) -> None:
        records = lock_many(self._uow, self._noun, [one.object_id for _, one in rows])
        pairs = []
        files: dict[int, CardFile] = {}
        for row, one in rows:
            record = records.get(one.object_id)
            if record is None:
                one.outcome, one.object_id = "unchanged", 0
                continue
            values = differing(self._noun, record, row.values, self._fields.policy)
            one.version = record.version
            if not values:
                one.outcome = "unchanged"
                continue
            one.version += 1
            kept, new = self._kept(values)
            files |= new
            one.before = {
                name: [_plain(value_of(record, name)), _plain(value)]
                for name, value in kept.items()
            }
            pairs.append((record, kept))
        self.changes += change_many(self._uow, self._noun, pairs, files, undoable=True)

    def _kept(
        self, values: Mapping[str, object]
    ) -> tuple[Mapping[str, object], dict[int, CardFile]]:
        """Let a card have the files that a row brings; gives values with their ids, and them."""
        files: dict[int, CardFile] = {}
        if not self._fields_of_files:
            return values, files
        found = dict(values)
        for name in self._fields_of_files:
            given = values.get(name)
            if isinstance(given, GivenFile):
                file = card_files.keep(self._uow, given)
                self._taken.add(given.blob[0])
                found[name], files[file.id] = file.id, file
        return found, files

    def drop_files(self, rows: Sequence[ImportRow]) -> None:
        """Remove the bytes that no card took, once the batch is written."""
        given = {
            one.blob[0]
            for row in rows
            for name in self._fields_of_files
            if isinstance(one := row.values.get(name), GivenFile)
        }
        forget_bytes(self._uow, sorted(given - self._taken))

    def _remember(self, rows: Sequence[tuple[ImportRow, Outcome]]) -> None:
        known = [
            {
                "kind": self._noun.kind.name,
                "external_id": bounded_key(str(row.values["external_id"])),
                "object_id": one.object_id,
            }
            for row, one in rows
            if row.values.get("external_id") and one.object_id
        ]
        if not known:
            return
        names = [str(one["external_id"]) for one in known]
        self._forget_dead(names)
        there = set(
            self._uow.conn.execute(self._named(names, external_ids.c.external_id)).scalars()
        )
        insert_missing(self._uow.conn, external_ids, known)
        for row, one in rows:
            name = bounded_key(str(row.values.get("external_id") or ""))
            if name and one.object_id and one.outcome != "created" and name not in there:
                there.add(name)
                one.note(NUMBER, name)

    def _named(self, names: Sequence[str], column: ColumnElement[Any]) -> Select[Any]:
        kind = self._noun.kind.name
        return select(column).where(
            external_ids.c.kind == kind, external_ids.c.external_id.in_(names)
        )

    def _forget_dead(self, names: Sequence[str]) -> None:
        """Let names go that stand for cards in the bin: they are those of the new cards now."""
        conn, table = self._uow.conn, self._noun.table
        mine = (external_ids.c.kind == self._noun.kind.name, external_ids.c.external_id.in_(names))
        known = conn.execute(self._named(names, external_ids.c.object_id)).scalars().all()
        alive = living(conn, self._noun, known)
        gone = select(table.c.id).where(table.c.id.in_(alive), table.c.deleted_at > 0)
        dead = [each for one in conn.execute(gone).scalars() for each in alive[one]]
        if dead:
            conn.execute(delete(external_ids).where(*mine, external_ids.c.object_id.in_(dead)))


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [
            [one.kind, one.value, one.label] if isinstance(one, CardAddress) else one
            for one in value
        ]
    return value

"""The audit in words: who changed what and when, for the screen, the file and the API."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from crm_store import accounts as account_reads
from crm_store import audit as store
from crm_store import objects as reads
from crm_store import people
from crm_store import users as user_reads
from crm_store.audit import AuditQuery
from crm_store.custom import whole
from crm_store.objects import Noun
from crm_store.sight import hidden_among
from crm_store.viewer import Reader
from hub.events import Event, EventRegistry
from hub.figures import lasting, sum_said
from hub.ids import Micros
from hub.list_words import FOR_PROGRAMS, ListWords, harmless
from hub.objects import Actor, ActorKind, Change
from hub.properties import Property, PropertyType
from hub.web.i18n import translate
from hub.web.plugin_words import plugin_word
from hub.wire_json import rfc3339

if TYPE_CHECKING:
    from hub.handle import BoundHub

BATCH = 200
PEOPLE = (ActorKind.USER, ActorKind.TOKEN)


def _(text: str) -> str:
    return text


VERBS: Mapping[str, str] = {
    "created": _("created"),
    "changed": _("changed"),
    "removed": _("removed"),
    "binned": _("put into the bin"),
    "restored": _("taken out of the bin"),
    "linked": _("linked to a dialog"),
    "relinked": _("given to another contact"),
    "unlinked": _("unlinked from a dialog"),
    "assigned": _("given to somebody"),
    "status_changed": _("moved on"),
    "converted": _("converted to a client"),
    "unconverted": _("conversion taken back"),
    "tagged": _("labels changed"),
    "split": _("split"),
    "merged": _("merged"),
    "erased": _("erased"),
    "revoked": _("sessions ended"),
    "released": _("let go"),
    "finished": _("finished"),
    "settled": _("settled"),
    "connected": _("connected"),
    "suppressed": _("closed for advertising"),
    "given": _("consent given"),
    "withdrawn": _("consent withdrawn"),
    "limited": _("advertising limited"),
    "asked": _("asked"),
    "unmerged": _("merge undone"),
    "unsplit": _("split undone"),
    "stage_changed": _("moved to another stage"),
    "won": _("won"),
    "lost": _("lost"),
    "reopened": _("opened again"),
    "checklist_done": _("checklist done"),
    "handed_over": _("work handed over"),
    "steered": _("steered"),
    "letter": _("changed"),
    "networks_changed": _("networks of people changed"),
    "turned_away": _("turned away: not from this network"),
    "passkey_added": _("passkey added"),
    "passkey_renamed": _("passkey renamed"),
    "passkey_removed": _("passkey removed"),
    "passkey_used": _("signed in with a passkey"),
}
SUBJECTS: Mapping[str, str] = {
    "account": _("channel"),
    "brand": _("organisation"),
    "calendar": _("calendar"),
    "client": _("client"),
    "contact": _("contact person"),
    "address": _("address"),
    "dialog": _("dialog"),
    "import": _("import"),
    "lead": _("lead"),
    "message": _("message"),
    "quarantine": _("unread input"),
    "role": _("role"),
    "team": _("team"),
    "user": _("colleague"),
    "view": _("saved view"),
    "webhook": _("webhook"),
    "field": _("field"),
    "retention": _("retention"),
    "absence": _("absence"),
    "desk_status": _("status at work"),
    "export": _("export"),
    "handover": _("handover"),
    "letter": _("letter of a mailing"),
    "mailing": _("mailing"),
    "pipeline": _("pipeline"),
    "quick_reply": _("quick reply"),
    "route": _("giving out"),
    "rule": _("rule"),
    "segment": _("segment"),
    "sla_policy": _("deadline policy"),
    "system": _("system"),
    "topic": _("topic of subscriptions"),
}
STATES: Mapping[str, str] = {
    "new": _("new"),
    "open": _("open"),
    "waiting": _("waiting"),
    "snoozed": _("snoozed"),
    "closed": _("closed"),
    "in_work": _("in work"),
    "qualified": _("converted"),
    "rejected": _("rejected"),
    "on_hold": _("on hold"),
    "solved": _("solved"),
    "done": _("done"),
    "review": _("to check"),
    "won": _("won"),
    "lost": _("lost"),
    "uploaded": _("uploaded"),
    "checking": _("being checked"),
    "checked": _("checked"),
    "running": _("running"),
    "finished": _("finished"),
    "undoing": _("being taken back"),
    "undone": _("taken back"),
    "failed": _("failed"),
    "cancelled": _("cancelled"),
}
FIELDS: Mapping[str, str] = {
    "push": _("devices for notices"),
    "tags": _("Tags"),
    "name": _("Name"),
    "networks": _("Networks"),
    "notes": _("Notes"),
    "position": _("Position"),
    "language": _("Language"),
    "time_zone": _("Time zone"),
    "members": _("Members"),
    "parent_id": _("Stands under"),
}
REFS: Mapping[tuple[str, str], str] = {
    ("team", "members"): "user",
    ("team", "parent_id"): "team",
}
"""What the numbers in a field of something that is no kind of object stand for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """One act in words: `title` names the object, `details` say what changed on it."""

    event_id: int
    type: str
    at: Micros
    actor: Actor
    who: str
    kind: str
    subject: str
    object_id: int
    title: str
    verb: str
    details: tuple[str, ...]
    changes: tuple[Change, ...]
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    users: Mapping[int, str]
    teams: Mapping[int, str]
    titles: Mapping[tuple[str, int], str]
    nouns: Mapping[str, Noun]


def lines(
    reader: Reader, registry: EventRegistry, query: AuditQuery, language: str
) -> tuple[list[AuditLine], int]:
    """Give acts in words, the newest first, and where the next page begins."""
    events, following = store.audit(reader, registry, query)
    known = _known(reader, events)
    cut = [(event, *part) for event in events for part in _parts(event, query)]
    hidden = hidden_among(reader, {(kind, number) for _, kind, number, _ in cut})
    found = [
        _line(event, kind, number, changes, known, language)
        for event, kind, number, changes in cut
        if (kind, number) not in hidden
    ]
    return found, following


def _parts(event: Event, query: AuditQuery) -> list[tuple[str, int, tuple[Change, ...]]]:
    """Cut a fact into the objects that it changed."""
    changes: tuple[Change, ...] = getattr(event, "changes", ())
    if not changes:
        return [(_kind(event), event.subject.id, ())]
    by_object: dict[tuple[str, int], list[Change]] = {}
    for one in changes:
        by_object.setdefault((one.kind, one.id), []).append(one)
    wanted = query.kind, query.object_id
    return [
        (kind, number, tuple(found))
        for (kind, number), found in by_object.items()
        if not query.object_id or (kind, number) == wanted
    ]


def _kind(event: Event) -> str:
    return str(getattr(event, "object_kind", "")) if event.subject.kind == "object" else (
        event.subject.kind
    )  # fmt: skip


def _known(reader: Reader, events: Sequence[Event]) -> _Known:
    users = {int(one.id): one.name for one in user_reads.all_users(reader)}
    teams = {int(one.id): one.name for one in user_reads.all_teams(reader)}
    ids: dict[str, set[int]] = {}
    for event in events:
        ids.setdefault(_kind(event), set()).add(event.subject.id)
        for one in getattr(event, "changes", ()):
            ids.setdefault(one.kind, set()).add(one.id)
    titles: dict[tuple[str, int], str] = {("user", one): name for one, name in users.items()}
    titles |= {("team", one): name for one, name in teams.items()}
    if "account" in ids:
        for account in account_reads.all_accounts(reader):
            titles["account", account.id] = account.title
    for kind, numbers in ids.items():
        if kind in reader.nouns:
            for number, title in reads.titles(reader, reader.nouns[kind], sorted(numbers)).items():
                titles[kind, number] = title
    if ids.get("contact") and reader.viewer.may("contacts.view"):
        for person in people.contacts_of(reader, sorted(ids["contact"])):  # type: ignore[arg-type]
            titles["contact", person.id] = person.name
    nouns = {kind: whole(reader.conn, reader.nouns[kind]) for kind in ids if kind in reader.nouns}
    return _Known(users=users, teams=teams, titles=titles, nouns=nouns)


def _line(
    event: Event,
    kind: str,
    object_id: int,
    changes: tuple[Change, ...],
    known: _Known,
    language: str,
) -> AuditLine:
    verb = event.type.rpartition(".")[2]
    if getattr(event, "restored", False):
        verb = "restored"
    elif event.type == "dialog.linked":
        verb = "relinked"
    elif event.type == "object.removed":
        verb = "binned"
    elif getattr(event, "undone", False) and verb == "converted":
        verb = "unconverted"
    elif getattr(event, "unlinked", False):
        verb = "unlinked"
    noun = known.nouns.get(kind)
    subject = (
        str(noun.kind.translations.get(language, noun.kind.label))
        if noun
        else translate(language, SUBJECTS.get(kind, kind))
    )
    return AuditLine(
        event_id=event.id,
        type=event.type,
        at=event.at,
        actor=event.actor,
        who=_who(event.actor, known, language),
        kind=kind,
        subject=subject,
        object_id=object_id,
        title=known.titles.get((kind, object_id), ""),
        verb=translate(language, VERBS.get(verb, verb)),
        details=tuple(_detail(one, known, language) for one in changes) or _fields(event, language),
        changes=changes,
        cause=event.cause.text or event.cause.kind,
    )


def _who(actor: Actor, known: _Known, language: str) -> str:
    if actor.kind in PEOPLE:
        return known.users.get(actor.id, str(actor.id))
    if actor.kind is ActorKind.PLUGIN:
        return f"{translate(language, _('plugin'))} {plugin_word(language, actor.name)}"
    return translate(language, _("The hub"))


def _fields(event: Event, language: str) -> tuple[str, ...]:
    names = getattr(event, "fields", ())
    if event.type == "import.changed":
        return (_state(getattr(event, "state", ""), language),)
    if event.type == "user.turned_away":
        return (getattr(event, "seen_from", ""),)
    before, after = getattr(event, "before", ""), getattr(event, "after", "")
    if isinstance(before, str) and isinstance(after, str) and (before or after):
        return (f"{_state(before, language)} → {_state(after, language)}",)
    return tuple(translate(language, FIELDS.get(one, one)) for one in names)


def _state(state: object, language: str) -> str:
    return translate(language, STATES.get(str(state), str(state))) if state else "—"


def _detail(change: Change, known: _Known, language: str) -> str:
    noun = known.nouns.get(change.kind)
    prop = next((one for one in noun.kind.properties if one.name == change.field), None) if (
        noun
    ) else None  # fmt: skip
    if prop is None:
        label = translate(language, FIELDS.get(change.field, change.field))
    else:
        label = str(prop.translations.get(language, prop.label))
    ref = prop.ref if prop is not None else REFS.get((change.kind, change.field), "")
    before, after = (
        _said(prop, ref, one, known, language) for one in (change.before, change.after)
    )
    return f"{label}: {before or '—'} → {after or '—'}" if before or after else label


def _said(prop: Property | None, ref: str, value: object, known: _Known, language: str) -> str:
    if value in (None, "", 0, "0", []):
        return ""
    if prop is not None and prop.type is PropertyType.CHOICE:
        shown = {one.value: one.translations.get(language, one.label) for one in prop.choices}
        return str(shown.get(str(value), value))
    if prop is None and ref:
        each = value if isinstance(value, list | tuple) else (value,)
        return ", ".join(_named(ref, one, known) for one in each)
    if prop is not None and prop.type is PropertyType.REF:
        return _named(ref, value, known)
    if prop is not None and prop.type is PropertyType.MONEY and isinstance(value, int):
        return sum_said(value, language)
    if prop is not None and prop.lasts and isinstance(value, int):
        return lasting(value, language, prop.lasts)
    if prop is not None and prop.type in (PropertyType.DATE, PropertyType.INSTANT):
        text = str(rfc3339(Micros(int(str(value)))))
        return text[:10] if prop.type is PropertyType.DATE else text[:16].replace("T", " ")
    if isinstance(value, bool):
        return translate(language, _("yes") if value else _("no"))
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _named(ref: str, value: object, known: _Known) -> str:
    names = {"user": known.users, "team": known.teams}.get(ref, {})
    return names.get(int(str(value)), known.titles.get((ref, int(str(value))), ""))


async def as_csv(
    hub: BoundHub,
    registry: EventRegistry,
    query: AuditQuery,
    language: str,
    words: ListWords = FOR_PROGRAMS,
) -> AsyncIterator[bytes]:
    """Give every line that the page would show on all its pages, as a file."""
    heads = (_("When"), _("Who"), _("What"), _("Name"), _("Act"), _("Changes"), _("Why"))
    yield b"\xef\xbb\xbf" + _row(["event", *(translate(language, one) for one in heads)])
    query = replace(query, limit=BATCH)
    while True:
        found, following = await hub.read(lines, registry, query, language)
        yield b"".join(_row(_cells(one, words)) for one in found)
        if not following:
            return
        query = replace(query, before=following)


def _cells(line: AuditLine, words: ListWords) -> list[str]:
    texts = (line.who, line.subject, line.title, line.verb, "; ".join(line.details), line.cause)
    return [str(line.event_id), words.instant(line.at), *(harmless(one) for one in texts)]


def _row(cells: Sequence[Any]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue().encode()

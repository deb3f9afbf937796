"""Lists and cards of objects: drawn from what their kind says, the same for every kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from crm_store import custom
from crm_store import users as user_reads
from crm_store.belongings import belongings
from crm_store.history import changes_of
from crm_store.notices import has_unread
from crm_store.objects import NOUNS, Noun, ObjectQuery, count
from crm_store.viewer import Reader
from hub import csv_lists
from hub.commands import ReadNotices, StartExport
from hub.errors import Conflict, Invalid, NotAllowed
from hub.figures import lasting, sum_said
from hub.ids import UserId
from hub.kinds import Kind
from hub.list_words import ListWords
from hub.objects import ActorKind, Ref
from hub.properties import (
    DAY,
    CardFile,
    CustomValues,
    Property,
    PropertyType,
    empty_value,
    value_of,
)
from hub.web.i18n import translate
from hub.web.instants import day_only, moment
from hub.xlsx_lists import workbook

PER_PAGE = 50
_PEOPLE = (ActorKind.USER, ActorKind.TOKEN)


def _(text: str) -> str:
    return text


REFUSALS = (
    _("this is needed"),
    _("say why"),
    _("a day is needed, as 2026-01-31 or 31.01.2026"),
    _("a whole number is needed"),
    _("the file is gone, or something else has it: upload it again"),
    _("the text has a character that cannot be kept"),
    _("the new client has been worked on since"),
    _("this lead is closed"),
    _("only a rejected lead is reopened"),
    _("this lead is not converted"),
)
"""What the store may say about a form, for the catalogue."""


def page(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """Draw a page of objects."""
    language = request.state.language

    def word(one: Any) -> str:
        return str(one.translations.get(language, one.label))

    def plural(kind: Kind) -> str:
        return str(kind.plurals.get(language, kind.plural))

    response: Response = request.app.state.renderer.page(
        request, f"objects/{template}.html", status, word=word, plural=plural, **values
    )
    return response


async def seen(request: Request, kind: str, object_id: int) -> None:
    """Whoever opens a card knows by that what notices told him of it."""
    hub = request.state.hub
    if "profile.edit" in request.state.may and await hub.read(
        has_unread, Ref(kind=kind, id=object_id)
    ):
        await hub.do(ReadNotices(object_kind=kind, object_id=object_id))


async def whole_of(request: Request, noun: Noun) -> Noun:
    """Give a noun with the organisation's own fields."""
    found: Noun = await request.state.hub.read(lambda reader: custom.whole_of(reader, noun))
    return found


def colleagues(reader: Reader) -> dict[str, Any]:
    """Give who can be responsible: what every list and card shows by name."""
    return {
        "users": {one.id: one for one in user_reads.all_users(reader)},
        "teams": {one.id: one for one in user_reads.all_teams(reader)},
    }


async def as_file(
    request: Request, noun: Noun, query: ObjectQuery, columns: Sequence[str] = ()
) -> Response:
    """Give a whole list as a file, in the chosen columns, in the reader's words and zone."""
    words = ListWords(language=request.state.language, zone=request.state.zone)
    query = replace(query, before="")
    if request.query_params.get("as") == "xlsx":
        return await workbook(request.state.hub, noun, query, words, columns)
    lines = csv_lists.rows(request.state.hub, noun, query, words, columns)
    return StreamingResponse(
        lines,
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{noun.kind.path}.csv"'},
    )


async def is_long(request: Request, noun: Noun, query: ObjectQuery) -> bool:
    """Say whether a list is better written in the background."""
    longest: int = request.app.state.settings.export_at_once
    return bool(await request.state.hub.read(count, noun, query) > longest)


async def in_background(
    request: Request, noun: Noun, query: ObjectQuery, columns: Sequence[str]
) -> Response:
    """Begin to write a list, and show how far it is."""
    await request.state.hub.do(
        StartExport(
            kind=noun.kind.name,
            filter=query.filter or {},
            text=query.text,
            sort=query.sort,
            removed=query.removed,
            columns=tuple(columns),
            format=request.query_params.get("as", "csv"),
            language=request.state.language,
        )
    )
    return RedirectResponse("/exports", 303)


def wants_file(request: Request) -> bool:
    """Say whether the address asks for a file; raises NotAllowed without the right."""
    if request.query_params.get("as") not in ("csv", "xlsx"):
        return False
    if csv_lists.RIGHT not in request.state.may:
        raise NotAllowed(f"this needs the right {csv_lists.RIGHT!r}")
    return True


def open_tasks(reader: Reader, kind: str, object_id: int) -> tuple[Any, ...]:
    """Give the open tasks about an object, the nearest first, as far as the reader sees them."""
    found = belongings(reader, NOUNS["task"], object_kind=kind, object_id=object_id, status="open")
    return tuple(sorted(found, key=lambda one: (not one.due_at, one.due_at, one.id)))


def beside_card(request: Request, reader: Reader, noun: Noun, object_id: int) -> dict[str, Any]:
    """Give what the card of an object of any kind shows beside its own: tasks, changes, names."""
    language, zone = request.state.language, request.state.zone
    return {
        "tasks": open_tasks(reader, noun.kind.name, object_id),
        "history": history_of(reader, noun, object_id, language, zone),
        "now_us": reader.now,
        **colleagues(reader),
    }


def history_of(
    reader: Reader, noun: Noun, object_id: int, language: str, zone: str
) -> list[dict[str, Any]]:
    """Give the newest changes of an object in words and by a clock, for its card."""
    known = colleagues(reader)
    noun = custom.whole_of(reader, noun)
    found = []
    for line in changes_of(reader, noun, object_id, limit=30):
        try:
            prop = noun.kind.property(line.field)
        except KeyError:
            continue
        user = known["users"].get(UserId(line.actor.id)) if line.actor.kind in _PEOPLE else None
        found.append(
            {
                "at": line.at,
                "who": user.name if user else translate(language, _("The hub")),
                "what": str(prop.translations.get(language, prop.label)),
                "before": said_value(prop, line.before, known, language, zone),
                "after": said_value(prop, line.after, known, language, zone),
            }
        )
    return found


def said_value(
    prop: Property, value: object, known: Mapping[str, Any], language: str, zone: str
) -> str:
    """Say a stored value in words; "" for what is not set or has no name here."""
    if value in (None, "", "0", 0, []):
        return ""
    if prop.type is PropertyType.CHOICE:
        shown = {one.value: one.translations.get(language, one.label) for one in prop.choices}
        return str(shown.get(str(value), value))
    if prop.type is PropertyType.REF:
        people = known[f"{prop.ref}s"] if prop.ref in ("user", "team") else {}
        named = people.get(int(str(value)))
        return named.name if named else ""
    if isinstance(value, list | tuple):
        shown = {one.value: str(one.translations.get(language, one.label)) for one in prop.choices}
        return ", ".join(shown.get(str(one), str(one)) for one in value)
    if isinstance(value, bool):
        return translate(language, "yes" if value else "no")
    if not isinstance(value, int):
        return str(value)
    match prop.type:
        case PropertyType.MONEY:
            return sum_said(value, language)
        case PropertyType.DATE:
            return day_only(value, language)
        case PropertyType.INSTANT:
            return moment(value, zone, language)
    return lasting(value, language, prop.lasts) if prop.lasts else str(value)


def form_values(kind: Kind, form: Any, zone: str) -> dict[str, object]:
    """Give the properties that a form of a whole card holds; a tick left out is a no.

    Instants are typed on the wall clock of the reader's `zone`.
    """
    found: dict[str, object] = {}
    for prop in kind.properties:
        if not prop.editable or prop.type in (PropertyType.FILE, PropertyType.ADDRESSES):
            # What was uploaded is kept first, see `card_files.uploaded`; addresses have a box.
            continue
        if prop.type is PropertyType.FLAG:
            found[prop.name] = form.get(prop.name) == "yes"
        elif prop.is_custom and prop.type is PropertyType.TAGS and prop.name in form:
            # One tick for each choice, and an empty value that says that they were asked.
            found[prop.name] = ",".join(filter(None, map(str, form.getlist(prop.name))))
        elif prop.name in form and prop.type is PropertyType.INSTANT:
            found[prop.name] = _instant_of(str(form[prop.name]), zone)
        elif prop.name in form:
            found[prop.name] = str(form[prop.name])
    return found


def _instant_of(text: str, zone: str) -> str:
    """Give a wall clock's time as an instant; what is none stays, to be refused by its field."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone or "UTC"))).isoformat()


def shown_value(prop: Property, value: object, zone: str = "UTC") -> str:
    """Give a stored value as a form's field holds it."""
    if prop.type is PropertyType.INSTANT and isinstance(value, int) and value:
        moment = datetime.fromtimestamp(value / 1_000_000, UTC).astimezone(ZoneInfo(zone or "UTC"))
        return moment.strftime("%Y-%m-%dT%H:%M")
    if value == empty_value(prop.type):
        return ""
    if prop.type is PropertyType.DATE and isinstance(value, int):
        return datetime.fromtimestamp(value // DAY * 86_400, UTC).date().isoformat()
    if prop.type is PropertyType.TAGS and isinstance(value, tuple):
        return ", ".join(value)
    if prop.type is PropertyType.MONEY and isinstance(value, int):
        return f"{value / 100:.2f}"
    return str(value)


def fields_of(
    kind: Kind, record: object | None, given: Mapping[str, object], zone: str
) -> dict[str, str | CardFile]:
    """Give what each field of a card's form holds: what was typed, else what is stored."""
    found: dict[str, str | CardFile] = {}
    for prop in kind.properties:
        if prop.type is PropertyType.ADDRESSES:
            continue
        if prop.type is PropertyType.FILE:
            found[prop.name] = _file_of(prop, record, given) or ""
        elif prop.name in given:
            value = given[prop.name]
            found[prop.name] = "yes" if value is True else str(value or "")
        elif record is None:
            found[prop.name] = ""
        else:
            found[prop.name] = shown_value(prop, value_of(record, prop.name), zone)
    return found


def _file_of(prop: Property, record: object | None, given: Mapping[str, object]) -> CardFile | None:
    if prop.name in given:
        value = given[prop.name]
        return value if isinstance(value, CardFile) else None
    if record is None:
        return None
    values: CustomValues = record.custom  # type: ignore[attr-defined]
    return values.files.get(int(str(value_of(record, prop.name) or 0)))


def refusal(request: Request, error: Invalid | Conflict) -> str:
    """Say in the reader's language why something was not done."""
    if isinstance(error, Conflict) and error.what == "version":
        return translate(
            request.state.language,
            _("Somebody changed this card meanwhile. Look at it, then save again."),
        )
    return translate(request.state.language, str(error))


def groups_of(kind: Kind) -> list[tuple[str, Sequence[Property]]]:
    """Give the parts of a card's form, the unnamed one first."""
    names = dict.fromkeys(["", *(one.group for one in kind.properties)])
    # What a reference to an object of any kind is completed by is no field for a person.
    beside = {
        one.name.removesuffix("_id") + "_kind" for one in kind.properties if one.ref == "object"
    }
    shown = [
        one
        for one in kind.properties
        if one.editable and one.name not in beside and one.type is not PropertyType.ADDRESSES
    ]
    return [(name, [one for one in shown if one.group == name]) for name in names]

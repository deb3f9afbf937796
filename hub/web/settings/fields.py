"""Custom fields: what the organisation adds to its cards, their order, and how a card looks then."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from crm_store import custom
from crm_store import custom_acts as store
from crm_store import users as user_reads
from crm_store.nouns import Noun
from crm_store.viewer import Reader
from hub import commands as c
from hub.errors import Conflict, Invalid, NotFound
from hub.filters import Choice
from hub.ids import FieldId
from hub.properties import Property
from hub.records.custom import CustomField, FieldChoice
from hub.web.settings.common import _, form_of, go, hub_of, needs, number, say, show

PATH = "/settings/fields"
RIGHT = "fields.manage"
TYPES = {
    "line": _("line of text"),
    "text": _("long text"),
    "number": _("whole number"),
    "date": _("date"),
    "choice": _("choice of one"),
    "choices": _("choice of several"),
    "person": _("colleague"),
    "money": _("sum of money"),
    "flag": _("yes or no"),
    "file": _("file"),
}
EMPTY_ROWS = 4


def _noun(request: Request, name: str) -> Noun:
    nouns = request.app.state.runtime.nouns
    noun: Noun | None = nouns.get(name or "client")
    if noun is None or noun.kind.name not in store.extendable(nouns):
        raise NotFound("there is no such kind")
    return noun


def _draft(params: Any) -> Property | None:
    """Give the field that is being typed, for the preview."""
    label = str(params.get("label", "")).strip() or str(params.get("label_ru", "")).strip()
    kind = str(params.get("type", "line"))
    if not label or kind not in TYPES:
        return None
    choices = tuple(
        Choice(str(n), one.label or one.label_ru, {"ru": one.label_ru or one.label})
        for n, one in enumerate(_choices(params))
    )
    return Property(
        name="custom.draft",
        label=label,
        type=custom.TYPES[kind],
        choices=choices or ((Choice("1", "…", {}),) if kind in ("choice", "choices") else ()),
        ref="user" if kind == "person" else "",
        required=params.get("required") == "yes",
        help=str(params.get("help", ""))[:400],
        group=str(params.get("group", ""))[:100],
        translations={"ru": str(params.get("label_ru", "")).strip() or label},
    )


def _choices(form: Any) -> list[FieldChoice]:
    found = []
    for n in range(200):
        label, russian = (str(form.get(f"choice-{part}-{n}", "")) for part in ("label", "ru"))
        if label.strip() or russian.strip():
            value = str(form.get(f"choice-value-{n}", ""))
            found.append(FieldChoice(value=value, label=label, label_ru=russian))
    return found


def _command(form: Any, field: CustomField | None, kind: str) -> c.SaveField:
    return c.SaveField(
        field_id=field.id if field else FieldId(0),
        kind=kind,
        type=field.type if field else str(form.get("type", "line")),
        label=str(form.get("label", "")),
        label_ru=str(form.get("label_ru", "")),
        help=str(form.get("help", "")),
        choices=tuple(_choices(form)),
        group=str(form.get("group", "")),
        required=form.get("required") == "yes",
        personal=form.get("personal") == "yes",
        listed=form.get("listed") == "yes",
        version=number(form.get("version", "0")) if field else None,
    )


@needs(RIGHT)
async def fields(request: Request) -> Response:
    """Show the fields of a kind, or add, move and archive one."""
    noun = _noun(request, request.query_params.get("kind", ""))
    problem, given = "", {}
    if request.method == "POST":
        form = await form_of(request)
        noun = _noun(request, str(form.get("kind", "")))
        try:
            match str(form.get("do", "add")):
                case "up" | "down":
                    await _move(request, noun, form)
                    return go(PATH, kind=noun.kind.name)
                case "archive" | "restore":
                    await hub_of(request).do(
                        c.ArchiveField(
                            field_id=FieldId(number(form.get("field", "0"))),
                            restore=form.get("do") == "restore",
                        )
                    )
                    return go(PATH, "saved", kind=noun.kind.name)
            await hub_of(request).do(_command(form, None, noun.kind.name))
            return go(PATH, "created", kind=noun.kind.name)
        except (Invalid, Conflict) as error:
            problem, given = say(request, str(error)), dict(form)
    return await _page(request, noun, None, problem, given)


async def _move(request: Request, noun: Noun, form: Any) -> None:
    hub = hub_of(request)
    known = await hub.read(store.all_fields, noun.kind.name)
    ids = [one.id for one in known]
    mine = FieldId(number(form.get("field", "0")))
    if mine in ids:
        at = ids.index(mine)
        to = max(0, at - 1) if form.get("do") == "up" else at + 1
        ids.insert(to, ids.pop(at))
        await hub.do(c.OrderFields(kind=noun.kind.name, field_ids=tuple(ids)))


@needs(RIGHT)
async def field(request: Request) -> Response:
    """Change one field."""
    hub = hub_of(request)
    found = await hub.read(store.one_field, FieldId(number(request.path_params["field_id"])))
    problem, given = "", {}
    if request.method == "POST":
        form = await form_of(request)
        try:
            await hub.do(_command(form, found, found.kind))
            return go(PATH, "saved", kind=found.kind)
        except (Invalid, Conflict) as error:
            problem, given = say(request, str(error)), dict(form)
    return await _page(request, _noun(request, found.kind), found, problem, given)


async def _page(
    request: Request, noun: Noun, field: CustomField | None, problem: str, given: dict[str, Any]
) -> Response:
    language = request.state.language

    def load(reader: Reader) -> dict[str, Any]:
        return {
            "fields": store.all_fields(reader, noun.kind.name),
            "archived": [
                one
                for one in store.all_fields(reader, noun.kind.name, archived=True)
                if one.archived_at
            ],
            **_card(reader, noun, None, field),
        }

    kinds = {
        name: str(one.kind.plurals.get(language, one.kind.plural))
        for name, one in request.app.state.runtime.nouns.items()
        if name in store.extendable(request.app.state.runtime.nouns)
    }
    return show(
        request,
        "fields",
        "fields",
        422 if problem else 200,
        noun=noun,
        kinds=kinds,
        types=TYPES,
        russian=language == "ru",
        field=field,
        given={
            **dict.fromkeys(
                ("label", "label_ru", "type", "group", "required", "listed", "help"), ""
            ),
            **given,
        },
        rows=range(len(field.choices) + EMPTY_ROWS if field else EMPTY_ROWS),
        problem=problem,
        word=lambda one: str(one.translations.get(language, one.label)),
        **await hub_of(request).read(load),
    )


def _card(
    reader: Reader, noun: Noun, draft: Property | None, field: CustomField | None
) -> dict[str, Any]:
    """Give what the preview of a card shows: the custom fields, the one being typed in its place."""
    known = custom.customs(custom.whole(reader.conn, noun))
    if draft is not None and field is not None:
        known = [
            replace(draft, name=one.name) if one.name == f"custom.{field.name}" else one
            for one in known
        ]
    elif draft is not None:
        known.append(draft)
    groups: dict[str, list[Property]] = {"": []}
    for one in known:
        groups.setdefault(one.group, []).append(one)
    return {
        "groups": [(name, found) for name, found in groups.items() if found],
        "users": {one.id: one for one in user_reads.all_users(reader)},
        "teams": {one.id: one for one in user_reads.all_teams(reader)},
    }


@needs(RIGHT)
async def preview(request: Request) -> Response:
    """Draw the card with the field that is being typed."""
    params = request.query_params
    noun = _noun(request, params.get("kind", ""))
    language = request.state.language

    def load(reader: Reader) -> dict[str, Any]:
        number_given = number(params.get("field", "0") or "0")
        field = store.one_field(reader, FieldId(number_given)) if number_given else None
        return _card(reader, noun, _draft(params), field)

    return show(
        request,
        "field_preview",
        "fields",
        noun=noun,
        word=lambda one: str(one.translations.get(language, one.label)),
        **await hub_of(request).read(load),
    )


def routes() -> list[BaseRoute]:
    """Give the routes of custom fields."""
    return [
        Route(PATH, fields, methods=["GET", "POST"]),
        Route(PATH + "/preview", preview),
        Route(PATH + "/{field_id:int}", field, methods=["GET", "POST"]),
    ]

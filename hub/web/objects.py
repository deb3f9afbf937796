"""Lists and cards of objects: drawn from what their kind says, the same for every kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from crm_store import objects as reads
from crm_store import users as user_reads
from crm_store.history import changes_of
from crm_store.objects import Noun, ObjectQuery
from crm_store.viewer import Reader
from hub import csv_lists
from hub.errors import Conflict, Invalid, NotAllowed
from hub.ids import UserId
from hub.kinds import Kind
from hub.objects import ActorKind
from hub.properties import DAY, Property, PropertyType, empty_value
from hub.web.i18n import translate

PER_PAGE = 50
_PEOPLE = (ActorKind.USER, ActorKind.TOKEN)


def _(text: str) -> str:
    return text


REFUSALS = (
    _("this is needed"),
    _("say why"),
    _("a day is needed, as 2026-01-31 or 31.01.2026"),
    _("a whole number is needed"),
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

    response: Response = request.app.state.renderer.page(
        request, f"objects/{template}.html", status, word=word, **values
    )
    return response


def query_of(request: Request, filter: Mapping[str, object] | None) -> ObjectQuery:
    """Read what a list shows out of the address: the address is the state."""
    params = request.query_params
    return ObjectQuery(
        filter=filter,
        text=params.get("q", "")[:200],
        sort=params.get("sort", "")[:50],
        before=params.get("before", "")[:450],
        limit=PER_PAGE,
        removed=params.get("view", "") == "bin",
    )


def address_of(request: Request, **changes: str) -> str:
    """Give the list's address with some of its parts changed."""
    kept = {name: request.query_params.get(name, "") for name in ("view", "q", "sort")}
    found = urlencode({name: value for name, value in {**kept, **changes}.items() if value})
    return f"{request.url.path}?{found}" if found else request.url.path


def colleagues(reader: Reader) -> dict[str, Any]:
    """Give who can be responsible: what every list and card shows by name."""
    return {
        "users": {one.id: one for one in user_reads.all_users(reader)},
        "teams": {one.id: one for one in user_reads.all_teams(reader)},
    }


def load_list(reader: Reader, noun: Noun, query: ObjectQuery) -> dict[str, Any]:
    """Read one page of a list."""
    return {"found": reads.page(reader, noun, query), **colleagues(reader)}


def as_csv(request: Request, noun: Noun, query: ObjectQuery) -> Response:
    """Give a whole list as a file, with headings in the reader's language."""
    language = request.state.language
    lines = csv_lists.rows(
        request.state.hub,
        noun,
        replace(query, before=""),
        lambda prop: str(prop.translations.get(language, prop.label)),
    )
    return StreamingResponse(
        lines,
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{noun.kind.path}.csv"'},
    )


def wants_csv(request: Request) -> bool:
    """Say whether the address asks for a file; raises NotAllowed without the right."""
    if request.query_params.get("as") != "csv":
        return False
    if csv_lists.RIGHT not in request.state.may:
        raise NotAllowed(f"this needs the right {csv_lists.RIGHT!r}")
    return True


def history_of(reader: Reader, noun: Noun, object_id: int, language: str) -> list[dict[str, Any]]:
    """Give the newest changes of an object in words, for its card."""
    known = colleagues(reader)
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
                "before": _said(prop, line.before, known, language),
                "after": _said(prop, line.after, known, language),
            }
        )
    return found


def _said(prop: Property, value: object, known: Mapping[str, Any], language: str) -> str:
    if value in (None, "", "0", 0, []):
        return ""
    if prop.type is PropertyType.CHOICE:
        shown = {one.value: one.translations.get(language, one.label) for one in prop.choices}
        return str(shown.get(str(value), value))
    if prop.type is PropertyType.REF:
        people = known[f"{prop.ref}s"] if prop.ref in ("user", "team") else {}
        named = people.get(int(str(value)))
        return named.name if named else ""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if prop.type in (PropertyType.INSTANT, PropertyType.DATE):
        return ""
    return str(value)


def form_values(kind: Kind, form: Mapping[str, Any]) -> dict[str, object]:
    """Give the properties that a form of a whole card holds; a tick left out is a no."""
    found: dict[str, object] = {}
    for prop in kind.properties:
        if not prop.editable:
            continue
        if prop.type is PropertyType.FLAG:
            found[prop.name] = form.get(prop.name) == "yes"
        elif prop.name in form:
            found[prop.name] = str(form[prop.name])
    return found


def shown_value(prop: Property, value: object) -> str:
    """Give a stored value as a form's field holds it."""
    if value == empty_value(prop.type):
        return ""
    if prop.type is PropertyType.DATE and isinstance(value, int):
        return datetime.fromtimestamp(value // DAY * 86_400, UTC).date().isoformat()
    if prop.type is PropertyType.TAGS and isinstance(value, tuple):
        return ", ".join(value)
    if prop.type is PropertyType.MONEY and isinstance(value, int):
        return f"{value / 100:.2f}"
    return str(value)


def fields_of(kind: Kind, record: object | None, given: Mapping[str, object]) -> dict[str, str]:
    """Give what each field of a card's form holds: what was typed, else what is stored."""
    found = {}
    for prop in kind.properties:
        if prop.name in given:
            value = given[prop.name]
            found[prop.name] = "yes" if value is True else str(value or "")
        elif record is None:
            found[prop.name] = ""
        else:
            found[prop.name] = shown_value(prop, getattr(record, prop.name))
    return found


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
    return [
        (name, [one for one in kind.properties if one.group == name and one.editable])
        for name in names
    ]

"""Lists and cards of kinds that have no screens of their own, and what all lists share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from crm_store import dialogs as dialog_reads
from crm_store import objects as reads
from crm_store.nouns import Noun
from crm_store.objects import ObjectQuery
from crm_store.viewer import Reader
from hub import commands as c
from hub.errors import Conflict, Invalid, NotFound
from hub.ids import DialogId
from hub.kinds import Kind
from hub.objects import Ref
from hub.properties import Property
from hub.terms import fold
from hub.web import object_lists, picking
from hub.web.auth import checked_form
from hub.web.card_files import uploaded
from hub.web.card_forms import Values, save_card
from hub.web.months import Calendar
from hub.web.numbers import number
from hub.web.object_lists import Screen, show_list
from hub.web.objects import (
    _,
    beside_card,
    fields_of,
    form_values,
    groups_of,
    page,
    refusal,
    seen,
    whole_of,
)
from hub.web.points import TEXT, has_points, points_of, ticked, with_point
from hub.web.ref_names import names_of

LIKELY = 12


async def show_card(
    request: Request,
    noun: Noun,
    object_id: int,
    status: int = 200,
    given: Mapping[str, object] | None = None,
    problem: str = "",
    field: str = "",
) -> Response:
    """Draw the card of an object; `given` is what was typed and refused."""
    noun = await whole_of(request, noun)
    kind = noun.kind
    await seen(request, kind.name, object_id)
    nouns = request.app.state.runtime.nouns

    def load(reader: Reader) -> dict[str, Any]:
        one = reads.one(reader, noun, object_id)
        linked = reads.dialogs_of(reader, Ref(kind=kind.name, id=object_id))
        may_talk = reader.viewer.may("dialogs.view")
        return {
            "one": one,
            "names": names_of(reader, nouns, kind, [one]),
            "dialogs": dialog_reads.several(reader, linked) if may_talk else [],
            **beside_card(request, reader, noun, object_id),
        }

    values = await request.state.hub.read(load)
    return page(
        request,
        "card",
        status,
        kind=kind,
        section=kind.path,
        groups=groups_of(kind),
        fields=fields_of(kind, values["one"], given or {}, request.state.zone),
        points=points_of(getattr(values["one"], TEXT)) if has_points(kind) else None,
        problem=problem,
        field=field,
        **values,
    )


def references(reader: Reader, kind: Kind, form: Mapping[str, Any]) -> dict[str, object]:
    """Give what a form names in words: a client by its name, say; raises Invalid."""
    found: dict[str, object] = {}
    for prop in kind.properties:
        said = " ".join(str(form.get(f"{prop.name}-name", "")).split())
        if f"{prop.name}-name" not in form or said == form.get(f"{prop.name}-was"):
            continue
        found[prop.name] = str(_named(reader, prop, said)) if said else ""
    return found


def _named(reader: Reader, prop: Property, said: str) -> int:
    noun = reader.nouns[prop.ref]
    likely = reads.page(reader, noun, ObjectQuery(text=said, limit=LIKELY)).items
    same = [one for one in likely if fold(str(getattr(one, noun.kind.title))) == fold(said)]
    one_of = same or likely
    if not one_of:
        raise Invalid(_("nothing is called so"), field=prop.name)
    if len(one_of) > 1:
        raise Invalid(_("several are called so: write more of the name"), field=prop.name)
    return int(one_of[0].id)


async def names(request: Request) -> Response:
    """Give what objects of a kind are called that have these words, for a form's suggestions."""
    words = request.query_params.get("q", "")[:200]

    def load(reader: Reader) -> list[str]:
        noun = reader.nouns.get(request.path_params["kind"])
        if noun is None or not words.strip():
            return []
        found = reads.page(reader, noun, ObjectQuery(text=words, limit=LIKELY)).items
        return list(dict.fromkeys(str(getattr(one, noun.kind.title)) for one in found))

    return JSONResponse(await request.state.hub.read(load))


class Pages:
    """The pages of one kind; with a calendar where it has one."""

    def __init__(self, noun: Noun, calendar: Calendar | None = None) -> None:
        self._noun = noun
        self._calendar = calendar
        looks = calendar.looks if calendar else ()
        self._screen = Screen(noun=noun, section=noun.kind.path, looks=looks)
        self._path = f"/{noun.kind.path}"

    async def listing(self, request: Request) -> Response:
        """List the objects."""
        return await show_list(request, self._screen)

    async def add(self, request: Request) -> Response:
        """Make one: by hand, or of the dialog that the form names."""
        form = await checked_form(request)
        noun = await whole_of(request, self._noun)
        values = form_values(noun.kind, form, request.state.zone)
        try:
            values |= await uploaded(request, noun.kind, form)
            values |= await request.state.hub.read(references, noun.kind, form)
            command = c.CreateObject(
                kind=noun.kind.name,
                values=values,
                dialog_id=DialogId(number(form.get("dialog", "0") or "0")),
            )
            made = (await request.state.hub.do(command))[0]
        except (Invalid, Conflict) as error:
            return await object_lists.not_made(request, self._screen, error, values)
        return RedirectResponse(f"{self._path}/{made}", 303)

    async def card(self, request: Request) -> Response:
        """Show one, or save its form."""
        object_id = number(request.path_params["object_id"])
        if request.method == "GET":
            return await show_card(request, self._noun, object_id)

        kind = self._noun.kind.name

        async def named(values: Values, whole: Noun, form: Mapping[str, Any]) -> None:
            values |= await request.state.hub.read(references, whole.kind, form)

        async def shown(request: Request, *refused: Any) -> Response:
            return await show_card(request, self._noun, *refused)

        def command(values: Values, version: int) -> c.Command:
            return c.ChangeObject(kind=kind, object_id=object_id, values=values, version=version)

        return await save_card(request, self._noun, object_id, shown, command, named)

    async def act(self, request: Request) -> Response:
        """Put one into the bin, or take it out; tick a point of its text, or add one."""
        object_id = number(request.path_params["object_id"])
        form = await checked_form(request)
        do = form.get("do")
        if do in ("tick", "point") and has_points(self._noun.kind):
            return await self._point(request, object_id, form)
        if do not in ("remove", "restore"):
            raise NotFound("there is no such action")
        await request.state.hub.do(
            c.RemoveObject(kind=self._noun.kind.name, object_id=object_id, restore=do == "restore")
        )
        return RedirectResponse(f"{self._path}/{object_id}", 303)

    async def _point(self, request: Request, object_id: int, form: Mapping[str, Any]) -> Response:
        hub = request.state.hub
        noun = await whole_of(request, self._noun)
        one = await hub.read(reads.one, noun, object_id)
        said = str(form.get("text", ""))
        try:
            if form.get("do") == "point":
                text = with_point(getattr(one, TEXT), said)
            else:
                text = ticked(getattr(one, TEXT), number(form.get("line", "0")), said)
            change = c.ChangeObject(
                kind=noun.kind.name, object_id=object_id, values={TEXT: text}, version=one.version
            )
            await hub.do(change)
        except (Invalid, Conflict) as error:
            problem = refusal(request, error)
            return await show_card(request, self._noun, object_id, 422, None, problem)
        return RedirectResponse(f"{self._path}/{object_id}", 303)

    def routes(self) -> list[BaseRoute]:
        """Give their routes."""
        return [
            Route(self._path, self.listing, methods=["GET"]),
            Route(self._path, self.add, methods=["POST"]),
            Route(f"{self._path}/{{object_id:int}}", self.card, methods=["GET", "POST"]),
            Route(f"{self._path}/{{object_id:int}}/act", self.act, methods=["POST"]),
            *([self._calendar.route()] if self._calendar else ()),
        ]


def routes_of(nouns: Iterable[Noun]) -> list[BaseRoute]:
    """Give the pages of kinds without screens of their own (a plugin's)."""
    return [route for noun in nouns for route in Pages(noun).routes()]


def routes() -> list[BaseRoute]:
    """Give what the lists of all kinds share."""
    return [
        Route("/objects/{kind}/names", names, methods=["GET"]),
        Route("/objects/{kind}/condition", object_lists.condition, methods=["GET"]),
        Route("/objects/{kind}/bulk", object_lists.bulk, methods=["POST"]),
        Route("/objects/{kind}/views", object_lists.views, methods=["POST"]),
        *picking.routes(),
    ]

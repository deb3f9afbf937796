"""The list of any kind: tabs and saved views, filter bar, sorting, columns, selection, CSV.

The address is the state: what it says is shown, and a copied address shows the same to a
colleague who may see it.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as given
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from crm_store import custom
from crm_store import objects as reads
from crm_store import views as view_reads
from crm_store.nouns import Noun
from crm_store.objects import ObjectQuery
from crm_store.viewer import Reader
from hub import commands as c
from hub.errors import Conflict, HubError, Invalid, NotFound
from hub.filters import Field, Fields, FieldType, Use
from hub.ids import TeamId
from hub.kinds import Kind
from hub.properties import CardFile, Property, PropertyType
from hub.records.objects import ObjectPage
from hub.web.auth import checked_form
from hub.web.filter_bar import (
    Tree,
    chips,
    field_property,
    joined,
    offered,
    parts_of,
    read_condition,
    read_tree,
    word_of,
    written,
)
from hub.web.i18n import translate
from hub.web.numbers import number
from hub.web.objects import (
    PER_PAGE,
    as_file,
    colleagues,
    in_background,
    is_long,
    page,
    refusal,
    wants_file,
    whole_of,
)
from hub.web.ref_names import SMALL, Names, names_by_id, names_of, small_names

Again = Callable[[Request], Awaitable[Response]]
KEPT = ("pipeline", "view", "q", "sort", "filter", "cols")
MOST_AT_ONCE = 200


NOTHING: Mapping[str, object] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """What is particular about one kind's list.

    `tabs` are its own views by name, `filters` what each shows. `more` reads what the template
    needs besides, knowing what is asked for and what was found. `path` is where the list stands, where that
    is not the kind's own page. `looks` are the other pages of the same objects: a board, a calendar.
    With `beside` the card of the chosen row opens beside the list, where there is room for it.
    """

    noun: Noun
    section: str
    tabs: Mapping[str, str] = given(default_factory=dict)
    filters: Callable[[str], Tree | None] = lambda view: None
    template: str = "list"
    sort: str = ""
    path: str = ""
    looks: tuple[str, ...] = ()
    beside: bool = False
    more: Callable[[Reader, Shown, ObjectPage[Any]], dict[str, Any]] = lambda reader, shown, found: {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What an address asks for."""

    view: str
    tree: Tree | None
    query: ObjectQuery
    columns: tuple[str, ...]


def _columns_given(request: Request) -> list[str]:
    params = request.query_params
    return params.getlist("col") or [one for one in params.get("cols", "").split(",") if one]


def address(request: Request, path: str = "", **changes: str) -> str:
    """Give the list's address with some of its parts changed; `path` where it is another's."""
    path = path or request.url.path
    kept = {name: request.query_params.get(name, "") for name in KEPT}
    kept["cols"] = ",".join(_columns_given(request))
    found = {name: value for name, value in {**kept, **changes}.items() if value}
    return f"{path}?{urlencode(found)}" if found else path


def choosable(kind: Kind) -> list[Property]:
    """Give the properties that may be columns."""
    return [one for one in kind.properties if one.type is not PropertyType.TEXT]


def view_of(saved: Sequence[Any], params: Mapping[str, str]) -> tuple[str, Tree | None]:
    """Give the saved view that an address names, and the filter that it asks for.

    What the address says by itself counts more than what was saved.
    """
    found = next((one for one in saved if f"v{one.id}" == params.get("view", "")), None)
    if found is None:
        return "", read_tree(params.get("filter", ""))
    tree = read_tree(params["filter"]) if "filter" in params else dict(found.filter) or None
    return f"v{found.id}", tree


def _read_address(request: Request, screen: Screen, views: Sequence[Any]) -> Shown:
    params = request.query_params
    view = params.get("view", "")
    saved = next((one for one in views if f"v{one.id}" == view), None)
    if saved is None and view not in screen.tabs and view != "bin":
        view = ""
    tree = read_tree(params.get("filter", ""))
    if saved is not None and "filter" not in params:
        tree = dict(saved.filter) or None
    base = None if saved is not None or view == "bin" else screen.filters(view)
    kind = screen.noun.kind
    names = {one.name for one in choosable(kind)}
    chosen = _columns_given(request) or (list(saved.columns) if saved is not None else [])
    columns = [one for one in chosen if one in names and one != kind.title]
    listed = [one.name for one in kind.properties if one.listed and one.name != kind.title]
    sort = params.get("sort", "") or (saved.sort if saved is not None else screen.sort)
    query = ObjectQuery(
        filter=joined([*parts_of(base), *parts_of(tree)]),
        text=params.get("q", "")[:200],
        sort="" if sort == "newest" else sort[:50],
        before=params.get("before", "")[:450],
        limit=PER_PAGE,
        removed=view == "bin",
    )
    return Shown(view=view, tree=tree, query=query, columns=tuple(columns or listed))


async def show_list(
    request: Request,
    screen: Screen,
    problem: str = "",
    field: str = "",
    values: Mapping[str, object] = NOTHING,
) -> Response:
    """Draw a list, or give it as a file, or take one more condition into the address.

    `problem` is why what its form asks for was refused, `field` the property that it is about;
    files that `values` of that form hold were kept, and need not be chosen again.
    """
    if "field" in request.query_params and not problem:
        noun = await whole_of(request, screen.noun)
        return await one_more(request, replace(screen, noun=noun))
    nouns = request.app.state.runtime.nouns
    path = screen.path or f"/{screen.noun.kind.path}"

    def load(reader: Reader) -> dict[str, Any]:
        own = replace(screen, noun=custom.whole_of(reader, screen.noun))
        noun, kind = own.noun, own.noun.kind
        reader.viewer.need(kind.read)
        views = view_reads.saved_views(reader, kind.name)
        shown = _read_address(request, own, views)
        try:
            found = reads.page(reader, noun, shown.query)
            wrong = problem
        except Invalid as error:
            # An old address or a hand-written filter: the list stands, and says what is wrong.
            wrong = problem or said(request, error)
            shown = Shown(
                view=shown.view, tree=None, query=ObjectQuery(limit=1), columns=shown.columns
            )
            found = reads.page(reader, noun, shown.query)
        names = names_of(reader, nouns, kind, found.items)
        bar = chips(kind, shown.tree, request.state.language, said_in(reader, kind, nouns, names))
        return {
            "screen": own,
            "kind": kind,
            "found": found,
            "shown": shown,
            "names": names,
            "chips": bar,
            "saved": views,
            "wrong": wrong,
            **colleagues(reader),
            **screen.more(reader, shown, found),
        }

    loaded = await request.state.hub.read(load)
    shown: Shown = loaded["shown"]
    kind: Kind = loaded["kind"]
    noun = loaded["screen"].noun
    if wants_file(request):
        asked = any(one in request.query_params for one in ("cols", "col"))
        columns = shown.columns if asked or shown.view.startswith("v") else ()
        if await is_long(request, noun, shown.query):
            return await in_background(request, noun, shown.query, columns)
        return await as_file(request, noun, shown.query, columns)
    return page(
        request,
        screen.template,
        422 if loaded["wrong"] else 200,
        section=screen.section,
        view=shown.view,
        query=shown.query,
        columns=[kind.property(one) for one in shown.columns],
        choosable=choosable(kind),
        askable=askable(kind),
        list_path=path,
        problem=problem,
        field=field,
        sortable={one.name for one in kind.columns if one.sortable},
        filter_text=written(shown.tree),
        # What is saved is what is shown: the conditions of its tab too.
        shown_filter=written(shown.query.filter),
        address=lambda **changes: address(request, path, **changes),
        brought={name: one for name, one in values.items() if isinstance(one, CardFile)},
        **loaded,
    )


async def not_made(
    request: Request,
    screen: Screen,
    error: Invalid | Conflict,
    values: Mapping[str, object] = NOTHING,
) -> Response:
    """Say above the list why nothing was made; what was given stands in its form again."""
    field = getattr(error, "field", "")
    return await show_list(request, screen, refusal(request, error), field, values)


def askable(kind: Kind, known: Fields | None = None) -> list[Field]:
    """Give the fields that the bar can ask for: of references those with a short choice."""
    fields = kind.registered() if known is None else known
    return [one for one in fields.values() if offered(one) and _can_ask(kind, one)]


def _can_ask(kind: Kind, field: Field) -> bool:
    if field.type is not FieldType.REF:
        return field.type is not FieldType.TEXT
    prop = field_property(kind, field)
    return prop is not None and prop.ref in SMALL


def said_in(
    reader: Reader, kind: Kind, nouns: Mapping[str, Noun], names: Names | None = None
) -> Callable[[str, int], str]:
    """Give what says by its name whom or what a condition's reference means.

    `names` are those that the page knows already.
    """
    read = names if names is not None else small_names(reader, kind)

    def said(field: str, one: int) -> str:
        prop = field_property(kind, kind.registered()[field])
        if prop is None:
            return ""
        known = read.get(prop.ref, {}).get(one, "")
        return known or names_by_id(reader, nouns, prop.ref, [one]).get(one, "")

    return said


async def one_more(request: Request, screen: Screen, again: Again | None = None) -> Response:
    """Take one more condition into the address; `again` draws the page with what is wrong."""
    params = request.query_params
    try:
        tree = read_tree(params.get("filter", ""))
        part = read_condition(screen.noun.kind, params, params.getlist)
    except Invalid as error:
        if again is not None:
            return RedirectResponse(address(request), 303)
        return await show_list(request, screen, said(request, error))
    return RedirectResponse(address(request, filter=written(joined([*parts_of(tree), part]))), 303)


async def condition(request: Request) -> Response:
    """Give the operators and the value's field of one property, for the bar."""
    noun = await whole_of(request, _noun(request))
    if noun.kind.read not in request.state.may:
        raise NotFound("there is no such list")
    known = noun.kind.registered()
    names = await request.state.hub.read(small_names, noun.kind)
    return page(request, "condition", **asked_for(request, noun.kind, known, names))


def asked_for(request: Request, kind: Kind, known: Fields, names: Names) -> dict[str, Any]:
    """Give what the piece of the bar needs that asks for one property; raises NotFound."""
    asked = known.get(request.query_params.get("field", ""))
    if asked is None or not asked.operators(Use.QUERY):
        raise NotFound("there is no such property")
    prop = field_property(kind, asked)
    return {
        "asked": asked,
        "prop": prop,
        "operators": [(one.value, word_of(asked, one)) for one in offered(asked)],
        "options": names.get(prop.ref, {}) if prop is not None else {},
    }


def _noun(request: Request) -> Noun:
    found = request.app.state.runtime.nouns.get(request.path_params["kind"])
    if found is None:
        raise NotFound("there is no such list")
    noun: Noun = found
    return noun


def _back(request: Request, form: Mapping[str, Any], noun: Noun) -> str:
    back = str(form.get("back", ""))
    own = f"/{noun.kind.path}"
    return back if back == own or back.startswith((f"{own}?", f"{own}/")) else own


async def bulk(request: Request) -> Response:
    """Give the same act to every selected object: assign, tag, priority, bin, restore."""
    noun = _noun(request)
    form = await checked_form(request)
    ids = [number(one) for one in form.getlist("id")][:MOST_AT_ONCE]
    do = str(form.get("do", ""))
    kind = noun.kind.name
    commands: list[c.Command] = []
    if do == "owner":
        values = {noun.kind.owner: str(form.get("owner", ""))}
        commands = [c.ChangeObject(kind=kind, object_id=one, values=values) for one in ids]
    elif do == "priority":
        urgency = {"priority": str(form.get("priority", ""))}
        commands = [c.ChangeObject(kind=kind, object_id=one, values=urgency) for one in ids]
    elif do == "tag":
        add = (str(form.get("tag", "")),)
        commands = [c.TagObject(kind=kind, object_id=one, add=add) for one in ids if add[0].strip()]
    elif do in ("remove", "restore"):
        commands = [
            c.RemoveObject(kind=kind, object_id=one, restore=do == "restore") for one in ids
        ]
    if commands:
        await request.state.hub.do(*commands)
    return RedirectResponse(_back(request, form, noun), 303)


async def views(request: Request) -> Response:
    """Save what a list shows under a name, or forget it."""
    noun = _noun(request)
    form = await checked_form(request)
    back = _back(request, form, noun)
    if form.get("do") == "remove":
        await request.state.hub.do(c.RemoveView(view_id=number(form.get("id", "0"))))
        return RedirectResponse(back, 303)
    whose = str(form.get("for", "mine"))
    try:
        made = await request.state.hub.do(
            c.SaveView(
                name=str(form.get("name", "")),
                filter=json.loads(str(form.get("filter", "")) or "{}"),
                sort=str(form.get("sort", ""))[:50],
                kind=noun.kind.name,
                columns=tuple(one for one in str(form.get("cols", "")).split(",") if one),
                shared=whose == "all",
                team_id=TeamId(number(whose) if whose.isdecimal() else 0),
            )
        )
    except (Invalid, ValueError):
        return RedirectResponse(back, 303)
    where = {"view": f"v{made[0]}"}
    if str(form.get("pipeline", "")).isdecimal():
        where["pipeline"] = str(form["pipeline"])
    return RedirectResponse(f"{back.partition('?')[0]}?{urlencode(where)}", 303)


def said(request: Request, error: HubError) -> str:
    """Say in the reader's language why something was not done."""
    if isinstance(error, Invalid | Conflict):
        return refusal(request, error)
    return translate(request.state.language, str(error))

"""The endpoints that every kind of object has: list, export, one, history, add, change, bin.

One function makes them out of a Noun; an endpoint that a kind needs beyond them, or makes in its
own way, stands with the kind in endpoints/.
"""

# The annotations below are types made for each kind: FastAPI reads them as they are, so this
# module does without `from __future__ import annotations`.
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Response
from fastapi.responses import StreamingResponse

from crm_store import objects as reads
from crm_store.history import changes_of
from crm_store.nouns import Noun
from crm_store.objects import ObjectQuery
from hub import commands as c
from hub import csv_lists
from hub.errors import Conflict
from hub.http_api import rights
from hub.http_api.caller import Caller, needs
from hub.http_api.endpoints.contacts import WithTag, version_of
from hub.http_api.endpoints.dialogs import MAX_FILTER, tree_of
from hub.http_api.errors import Refused, failures
from hub.http_api.shapes import objects as s
from hub.ids import DialogId
from hub.shapes import GivenId, Listing
from hub.xlsx_lists import MEDIA_TYPE, workbook

Q = Annotated[str, Query(max_length=200, description="Parts of the names of an object.")]
Filter = Annotated[
    str, Query(max_length=MAX_FILTER, description="A tree of the filter language, as JSON.")
]
Sort = Annotated[
    str, Query(max_length=50, description="A sortable property or id; a minus turns the order.")
]
Removed = Annotated[bool, Query(description="What is in the bin.")]
Before = Annotated[str, Query(max_length=450, description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=200)]
IfMatch = Annotated[
    str, Header(max_length=100, description="The ETag you saw; another is refused with 412.")
]
CSV: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}},
        },
        "description": "All rows, as CSV or as a workbook.",
    }
}


@dataclass(frozen=True, kw_only=True)
class Shapes:
    """What a kind's resource gives and takes."""

    shown: Any
    create: Any
    change: Any


async def shown(caller: Caller, noun: Noun, shape: Any, object_id: int, response: Response) -> Any:
    """Give an object as it is now, with its version as ETag."""
    found = await caller.hub.read(reads.one, noun, object_id)
    response.headers["etag"] = f'"{found.version}"'
    return shape.model_validate(found)


async def changed(caller: Caller, command: c.Command) -> None:
    """Give a command with a version; the wrong one is the answer 412."""
    try:
        await caller.hub.do(command)
    except Conflict as error:
        if error.what == "version":
            raise Refused(412, "version", str(error), details=error.details) from error
        raise


def add_list(router: APIRouter, noun: Noun, shapes: Shapes) -> None:
    """Add the list of a kind and its export."""
    kind = noun.kind
    viewing = Annotated[Caller, Depends(needs(kind.read))]
    generic: Any = Listing
    listing = generic[shapes.shown]

    async def page(
        caller: viewing,
        q: Q = "",
        filter: Filter = "",
        sort: Sort = "",
        removed: Removed = False,
        before: Before = "",
        limit: Limit = 50,
    ) -> Any:
        """Give a page of objects, the newest first; whose, and how many more, says `next`."""
        query = ObjectQuery(
            filter=tree_of(filter), text=q, sort=sort, before=before, limit=limit, removed=removed
        )
        found = await caller.hub.read(reads.page, noun, query)
        items = [shapes.shown.model_validate(one) for one in found.items]
        return listing(items=items, next=found.next)

    async def export(
        caller: rights.MayExport,
        q: Q = "",
        filter: Filter = "",
        sort: Sort = "",
        format: Annotated[Literal["csv", "xlsx"], Query(description="The sort of file.")] = "csv",
        columns: Annotated[
            str, Query(max_length=2000, description="Names with commas between; empty: all.")
        ] = "",
    ) -> Response:
        """Give everything that the list would show on all its pages, under property names."""
        query = ObjectQuery(filter=tree_of(filter), text=q, sort=sort)
        # What is wrong with the question is said before the first line.
        await caller.hub.read(reads.page, noun, query)
        wanted = [one for one in columns.split(",") if one]
        if format == "xlsx":
            return await workbook(caller.hub, noun, query, columns=wanted)
        lines = csv_lists.rows(caller.hub, noun, query, columns=wanted)
        return StreamingResponse(
            lines,
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{kind.path}.csv"'},
        )

    router.get(f"/{kind.path}", summary=f"List {kind.plural}", response_model=listing)(page)
    router.get(
        f"/{kind.path}/export",
        summary=f"Export {kind.plural}",
        response_class=Response,
        responses=CSV,
    )(export)


def add_history(router: APIRouter, noun: Noun, key: str) -> None:
    """Add the history of one object."""
    kind = noun.kind
    viewing = Annotated[Caller, Depends(needs(kind.read))]
    number = Annotated[GivenId, Path(alias=key, description=f"The {kind.label}.")]

    async def history(
        caller: viewing,
        object_id: number,
        before: Annotated[
            GivenId | None, Query(description="The last event of the page before.")
        ] = None,
        limit: Limit = 50,
    ) -> Listing[s.ChangeLine]:
        """Give each change with its actor and cause, the newest first; `next` goes into `before`."""
        await caller.hub.read(reads.one, noun, object_id)
        found = await caller.hub.read(changes_of, noun, object_id, before or 0, limit)
        full = len({one.event_id for one in found}) == limit
        return Listing[s.ChangeLine](
            items=[s.ChangeLine.model_validate(one) for one in found],
            next=str(found[-1].event_id) if full else "",
        )

    router.get(f"/{kind.path}/{{{key}}}/history", summary="What changed on it")(history)


def add_one(
    router: APIRouter, noun: Noun, shapes: Shapes, key: str, *, reading: bool = True
) -> None:
    """Add reading (where the kind has no way of its own), changing, removing and restoring one."""
    kind = noun.kind
    viewing = Annotated[Caller, Depends(needs(kind.read))]
    editing = Annotated[Caller, Depends(needs(kind.write))]
    number = Annotated[GivenId, Path(alias=key, description=f"The {kind.label}.")]
    path = f"/{kind.path}/{{{key}}}"

    async def one(caller: viewing, object_id: number, response: Response) -> Any:
        """Give one object."""
        return await shown(caller, noun, shapes.shown, object_id, response)

    async def change(
        caller: editing,
        object_id: number,
        body: shapes.change,  # type: ignore[name-defined]
        response: Response,
        if_match: IfMatch = "",
    ) -> Any:
        """Change properties; with `If-Match` nobody's change is overwritten unseen."""
        values = body.model_dump(exclude_unset=True)
        version = version_of(if_match)
        await changed(
            caller,
            c.ChangeObject(kind=kind.name, object_id=object_id, values=values, version=version),
        )
        return await shown(caller, noun, shapes.shown, object_id, response)

    async def remove(caller: editing, object_id: number, if_match: IfMatch = "") -> Response:
        """Put it into the bin; with `If-Match` only as it was seen."""
        version = version_of(if_match)
        await changed(caller, c.RemoveObject(kind=kind.name, object_id=object_id, version=version))
        return Response(status_code=204)

    async def restore(caller: editing, object_id: number, response: Response) -> Any:
        """Take it out of the bin."""
        await caller.hub.do(c.RemoveObject(kind=kind.name, object_id=object_id, restore=True))
        return await shown(caller, noun, shapes.shown, object_id, response)

    if reading:
        router.get(
            path, summary=f"One {kind.label}", responses=WithTag, response_model=shapes.shown
        )(one)
    router.patch(
        path,
        summary=f"Change: {kind.label}",
        responses=failures(409, 412),
        response_model=shapes.shown,
    )(change)
    router.delete(
        path, status_code=204, summary=f"Remove: {kind.label}", responses=failures(409, 412)
    )(remove)
    router.post(f"{path}/restore", summary=f"Restore: {kind.label}", response_model=shapes.shown)(
        restore
    )


def add_create(router: APIRouter, noun: Noun, shapes: Shapes) -> None:
    """Add making an object."""
    kind = noun.kind
    editing = Annotated[Caller, Depends(needs(kind.write))]

    async def create(
        caller: editing,
        body: shapes.create,  # type: ignore[name-defined]
        response: Response,
    ) -> Any:
        """Make one; with `dialog_id` what is left out is taken from the dialog, which is linked."""
        values = body.model_dump(exclude_unset=True, exclude={"dialog_id"})
        made = await caller.hub.do(
            c.CreateObject(kind=kind.name, values=values, dialog_id=DialogId(body.dialog_id or 0))
        )
        return await shown(caller, noun, shapes.shown, made[0], response)

    router.post(
        f"/{kind.path}",
        status_code=201,
        summary=f"Add: {kind.label}",
        response_model=shapes.shown,
    )(create)


def resource(noun: Noun, shapes: Shapes, tag: str, key: str) -> APIRouter:
    """Give the whole resource of a kind; more endpoints may be added to it."""
    router = rights.router(tag)
    add_list(router, noun, shapes)
    add_create(router, noun, shapes)
    add_history(router, noun, key)
    add_one(router, noun, shapes, key)
    return router


def of_plugin(noun: Noun) -> APIRouter:
    """Give the resource of a plugin's kind: all its shapes are made of its description."""
    kind = noun.kind
    name = kind.record.__name__
    shapes = Shapes(
        shown=s.shape_of(kind, name, f"One {kind.label}."),
        create=s.body_of(kind, f"Create{name}", f"A new {kind.label}.", dialog_id=s.OF_DIALOG),
        change=s.body_of(
            kind, f"Change{name}", "What to change; what is left out stays, null empties."
        ),
    )
    return resource(noun, shapes, kind.plural.capitalize(), "object_id")

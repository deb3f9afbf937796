"""Saved views and tags."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Response

from crm_store import dialogs as dialog_reads
from crm_store import views as view_reads
from hub import commands as c
from hub.errors import NotFound
from hub.http_api import rights
from hub.http_api.caller import Caller
from hub.http_api.shapes import house as s
from hub.ids import TeamId
from hub.shapes import GivenId

router = rights.router("Views")

ViewKey = Annotated[GivenId, Path(alias="view_id", description="The view.")]


@router.get("/tags", summary="List tags")
async def tags(caller: rights.MayViewDialogs) -> list[s.Tag]:
    """Give every tag with how many dialogs carry it."""
    return [s.Tag.model_validate(one) for one in await caller.hub.read(dialog_reads.all_tags)]


@router.get("/views", summary="List saved views")
async def views(
    caller: rights.AnyCaller,
    kind: Annotated[
        str, Query(max_length=100, description="The kind whose lists they show; empty: the inbox.")
    ] = "",
) -> list[s.View]:
    """Give your own views, those of your teams and the shared ones."""
    if not kind and not await caller.hub.may("dialogs.view"):
        return []
    found = await caller.hub.read(view_reads.saved_views, kind)
    return [s.View.model_validate(one) for one in found]


async def _view(caller: Caller, view_id: int, kind: str) -> s.View:
    for one in await caller.hub.read(view_reads.saved_views, kind):
        if one.id == view_id:
            return s.View.model_validate(one)
    raise NotFound("there is no such view")


def _saving(body: s.SaveView, view_id: int) -> c.SaveView:
    return c.SaveView(
        view_id=view_id,
        name=body.name,
        filter=body.filter,
        sort=body.sort,
        shared=body.shared,
        kind=body.kind,
        columns=tuple(body.columns),
        team_id=TeamId(body.team_id or 0),
    )


@router.post("/views", status_code=201, summary="Save a view")
async def create(caller: rights.AnyCaller, body: s.SaveView) -> s.View:
    """Save a view; `shared` shows it to everybody."""
    made = await caller.hub.do(_saving(body, 0))
    return await _view(caller, made[0], body.kind)


@router.put("/views/{view_id}", summary="Change a saved view")
async def change(caller: rights.AnyCaller, view_id: ViewKey, body: s.SaveView) -> s.View:
    """Change a view of your own."""
    await caller.hub.do(_saving(body, view_id))
    return await _view(caller, view_id, body.kind)


@router.delete("/views/{view_id}", status_code=204, summary="Remove a saved view")
async def remove(caller: rights.MayEditProfile, view_id: ViewKey) -> Response:
    """Delete a view of your own."""
    await caller.hub.do(c.RemoveView(view_id=view_id))
    return Response(status_code=204)

"""Exports as jobs: a list of any length becomes a file behind a link that expires."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Response

from crm_store import exports as store
from hub import commands as c
from hub.exporting import link
from hub.http_api import rights
from hub.http_api.caller import Caller
from hub.http_api.errors import failures
from hub.http_api.shapes import exports as s
from hub.ids import ExportId
from hub.records.exports import Export
from hub.shapes import GivenId, Listing

router = rights.router("Exports")
ExportKey = Annotated[GivenId, Path(alias="export_id", description="The export.")]


def _shown(caller: Caller, one: Export) -> s.Export:
    found = s.Export.model_validate(one)
    if one.state == "done":
        keys = caller.hub.runtime.keys
        return found.model_copy(update={"url": caller.hub.public_url(link(keys, one))})
    return found


@router.post(
    "/exports", status_code=202, summary="Export a list in the background", responses=failures(409)
)
async def start(caller: rights.MayExport, body: s.StartExport) -> s.Export:
    """Write a list of any kind (a plugin's too) or of dialogs into a file; ask for the export until it is done.

    The file holds what you may see, for a day; its link opens no more once your rights change.
    """
    made = await caller.hub.do(
        c.StartExport(
            kind=body.kind,
            filter=body.filter,
            text=body.q,
            sort=body.sort,
            removed=body.removed,
            view=body.view,
            columns=tuple(body.columns),
            format=body.format,
        )
    )
    return _shown(caller, await caller.hub.read(store.one_export, ExportId(made[0])))


@router.get("/exports", summary="List your exports")
async def page(
    caller: rights.MayExport,
    before: Annotated[GivenId | None, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Listing[s.Export]:
    """Give your own exports, the newest first."""
    found = await caller.hub.read(store.exports_page, before or 0, limit)
    return Listing[s.Export](
        items=[_shown(caller, one) for one in found],
        next=str(found[-1].id) if len(found) == limit else "",
    )


@router.get("/exports/{export_id}", summary="One export")
async def one(caller: rights.MayExport, export_id: ExportKey) -> s.Export:
    """Say how far an export of yours is; a finished one has its `url`."""
    return _shown(caller, await caller.hub.read(store.one_export, ExportId(export_id)))


@router.post(
    "/exports/{export_id}/retry",
    status_code=202,
    summary="Write a failed export again",
    responses=failures(404, 409),
)
async def retry(caller: rights.MayExport, export_id: ExportKey) -> s.Export:
    """Try an export of yours again that could not be written (`state` failed, reason in `error`)."""
    await caller.hub.do(c.RetryExport(export_id=ExportId(export_id)))
    return _shown(caller, await caller.hub.read(store.one_export, ExportId(export_id)))


@router.delete("/exports/{export_id}", status_code=204, summary="Remove an export")
async def remove(caller: rights.MayExport, export_id: ExportKey) -> Response:
    """End an export, or remove its file before its time."""
    await caller.hub.do(c.RemoveExport(export_id=ExportId(export_id)))
    return Response(status_code=204)

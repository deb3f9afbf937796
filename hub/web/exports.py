"""Exports: the list of one's own files with how far they are, and the file behind a signed link."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from crm_store import exports as store
from crm_store.exports import RIGHT
from crm_store.viewer import Reader
from hub import commands as c
from hub.errors import NotAllowed, NotFound
from hub.exporting import link, opened
from hub.ids import ExportId
from hub.objects import Actor, ActorKind
from hub.web.auth import checked_form
from hub.web.numbers import number
from hub.web.objects import page

PATH = "/exports"
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


async def listing(request: Request) -> Response:
    """Show one's own exports, remove one, or try one again."""
    runtime, language = request.app.state.runtime, request.state.language
    if RIGHT not in request.state.may:
        raise NotAllowed(f"this needs the right {RIGHT!r}")
    if request.method == "POST":
        form = await checked_form(request)
        export_id = ExportId(number(form.get("export", "0")))
        if form.get("act") == "dialogs":
            # Headings in the language of whoever asked.
            await request.state.hub.do(
                c.StartExport(
                    kind="dialog",
                    view=str(form.get("view", "")),
                    format=str(form.get("format", "csv")),
                    language=language,
                )
            )
            return RedirectResponse(PATH, 303)
        again = form.get("act") == "retry"
        act = c.RetryExport(export_id=export_id) if again else c.RemoveExport(export_id=export_id)
        await request.state.hub.do(act)
        return RedirectResponse(PATH, 303)

    def load(reader: Reader) -> dict[str, Any]:
        return {"exports": store.exports_page(reader)}

    values = await request.state.hub.read(load)
    return page(
        request,
        "exports",
        section="exports",
        names={
            name: str(one.kind.plurals.get(language, one.kind.plural))
            for name, one in store.listed(runtime.nouns).items()
        },
        links={one.id: link(runtime.keys, one) for one in values["exports"] if one.state == "done"},
        busy=any(one.state in ("waiting", "running") for one in values["exports"]),
        **values,
    )


async def told(request: Request) -> Response:
    """Lead from a notice to the list."""
    return RedirectResponse(PATH, 303)


async def file(request: Request) -> Response:
    """Give the file of a link that has not expired, where its user may still see what is in it."""
    runtime = request.app.state.runtime
    export_id, user_id = opened(runtime.keys, request.path_params["token"])
    hub = runtime.handle(Actor(kind=ActorKind.USER, id=user_id))
    one, blob_id = await hub.read(store.file_of, ExportId(export_id))
    noun = store.listed(runtime.nouns).get(one.kind)
    if noun is None:
        raise NotFound("there is no such file any more: export the list again")
    name = quote(f"{noun.kind.path}.{one.format}")
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, no-store",
    }
    return FileResponse(
        runtime.blobs.path(blob_id), media_type=MEDIA_TYPES[one.format], headers=headers
    )


def routes() -> list[BaseRoute]:
    """Give the routes of exports."""
    return [
        Route(PATH, listing, methods=["GET", "POST"]),
        Route(f"{PATH}/{{export_id:int}}", told, methods=["GET"]),
        Route(f"{PATH}/{{token}}", file, methods=["GET"]),
    ]

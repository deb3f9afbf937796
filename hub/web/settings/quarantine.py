"""What nobody could read: kept with its raw bytes, to be tried again once the channel is mended."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from crm_store import accounts as account_reads
from crm_store import quarantine as quarantine_reads
from crm_store.viewer import Reader
from hub.commands import SettleQuarantine
from hub.errors import HubError
from hub.ids import QuarantineId
from hub.replay import REFUSED, Replayed, replay, replay_all
from hub.web.settings.common import (
    form_of,
    go,
    hub_of,
    needs,
    number,
    runtime_of,
    say,
    show,
)

PATH = "/settings/quarantine"
STATES = ("waiting", "replayed", "dropped")
PER_PAGE = 50


async def _draw(request: Request, status: int = 200, problem: str = "") -> Response:
    wanted = request.query_params.get("state", "waiting")
    state = wanted if wanted in STATES else "waiting"
    before = number(request.query_params.get("before", "0") or "0")

    def load(reader: Reader) -> dict[str, Any]:
        return {
            "items": quarantine_reads.quarantined(reader, state, before, PER_PAGE),
            "accounts": {one.id: one for one in account_reads.all_accounts(reader, "", True)},
        }

    found = await hub_of(request).read(load)
    return show(
        request,
        "quarantine",
        "quarantine",
        status,
        state=state,
        problem=problem,
        refused=REFUSED,
        replayed=_replayed(request),
        older=len(found["items"]) == PER_PAGE,
        **found,
    )


def _replayed(request: Request) -> Replayed | None:
    """Read from the address what reading everything again has come to."""
    query = request.query_params
    if "read" not in query:
        return None
    read, failed, after = (number(query.get(one) or "0") for one in ("read", "failed", "after"))
    return Replayed(read=read, failed=failed, next=QuarantineId(after))


@needs("accounts.manage")
async def quarantine(request: Request) -> Response:
    """Show what waits, what was read at last, what was dropped."""
    return await _draw(request)


@needs("accounts.manage")
async def settle(request: Request) -> Response:
    """Try one input again, or all that could not be read; or drop one."""
    form = await form_of(request)
    if form.get("do") == "all":
        after = QuarantineId(number(form.get("after") or "0"))
        done = await replay_all(runtime_of(request), after)
        return go(PATH, read=str(done.read), failed=str(done.failed), after=str(done.next))
    item = QuarantineId(number(form.get("item", "")))
    try:
        if form.get("do") == "drop":
            await hub_of(request).do(SettleQuarantine(quarantine_id=item, state="dropped"))
            return go(PATH, "dropped")
        await replay(runtime_of(request), item)
    except HubError as error:
        return await _draw(request, 409, say(request, str(error)))
    return go(PATH, "replayed")


@needs("accounts.manage")
async def raw(request: Request) -> Response:
    """Give the raw bytes as a download; they are never shown in a page."""
    item = await hub_of(request).read(
        quarantine_reads.quarantine_item, QuarantineId(number(request.path_params["item"]))
    )
    headers = {
        "content-disposition": f'attachment; filename="input-{item.id}.bin"',
        "content-security-policy": "default-src 'none'; sandbox",
    }
    return Response(item.raw, 200, headers, "application/octet-stream")


def routes() -> list[BaseRoute]:
    """Give the routes of the quarantine."""
    return [
        Route(PATH, quarantine),
        Route(PATH, settle, methods=["POST"]),
        Route(f"{PATH}/{{item:int}}/raw", raw),
    ]

"""Small pages: search, people, writing first; and what a browser asks for by itself."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from crm_store import accounts as account_reads
from crm_store import objects as object_reads
from crm_store import search as search_reads
from crm_store import users as user_reads
from crm_store.objects import ObjectQuery
from crm_store.viewer import Reader
from hub.catalogues import LANGUAGES
from hub.commands import StartDialog
from hub.errors import HubError
from hub.ids import AccountId
from hub.messages import Address
from hub.web.auth import checked_form
from hub.web.i18n import script_texts, texts_address, translate
from hub.web.static_files import FOREVER, STATIC, hashed

FOUND = 30


def _page(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    response: Response = request.app.state.renderer.page(request, template, status, **values)
    return response


def _search(reader: Reader, text: str) -> dict[str, Any]:
    found = search_reads.search(reader, text, FOUND)
    return {
        "messages": found.messages,
        "dialogs": found.dialogs,
        "contacts": found.contacts,
        "users": {one.id: one for one in user_reads.all_users(reader)},
    }


async def search(request: Request) -> Response:
    """Search texts, dialogs and people."""
    text = request.query_params.get("q", "").strip()[:200]
    found: dict[str, Any] = {"messages": (), "dialogs": (), "contacts": (), "users": {}}
    if text:
        found = await request.state.hub.read(_search, text)
    return _page(request, "inbox/search.html", q=text, **found)


async def quick(request: Request) -> Response:
    """Give what the palette finds: people and dialogs."""
    text = request.query_params.get("q", "").strip()[:100]
    if not text:
        return JSONResponse([])

    def load(reader: Reader) -> list[dict[str, str]]:
        found = [
            {"label": one.name, "href": f"/contacts/{one.id}"}
            for one in search_reads.search_contacts(reader, text, 5)
        ]
        for one in search_reads.search_dialogs(reader, text, 5):
            label = " · ".join(
                part for part in (one.contact_name, one.subject or one.preview) if part
            )
            found.append({"label": label, "href": f"/inbox/{one.id}"})
        for noun in reader.nouns.values():
            # People are found above; meetings stand in their timelines and their own list.
            if noun.kind.name in ("contact", "meeting"):
                continue
            if reader.viewer.may(noun.kind.read):
                page = object_reads.page(reader, noun, ObjectQuery(text=text, limit=5))
                found += [
                    {
                        "label": str(getattr(one, noun.kind.title)),
                        "href": f"/{noun.kind.path}/{one.id}",
                    }
                    for one in page.items
                ]
        return found

    return JSONResponse(await request.state.hub.read(load))


async def new_dialog(request: Request) -> Response:
    """Write first, over a channel that can."""
    hub, runtime = request.state.hub, request.app.state.runtime
    channels = runtime.database.channels
    accounts = [
        one
        for one in await hub.read(account_reads.all_accounts)
        if one.channel in channels and channels[one.channel].initiates and not one.paused
    ]
    by = request.query_params.get("by", "")
    fitting = (one.id for one in accounts if channels[one.channel].address_kind == by)
    values: dict[str, Any] = {
        "accounts": accounts,
        "to": request.query_params.get("to", ""),
        "subject": "",
        "account_id": str(next(fitting, "")),
        "error": "",
    }
    if request.method == "GET":
        return _page(request, "inbox/new.html", **values)
    form = await checked_form(request)
    values |= {
        "to": str(form.get("to", "")).strip(),
        "subject": str(form.get("subject", "")),
        "account_id": str(form.get("account", "")),
    }
    chosen = next((one for one in accounts if str(one.id) == values["account_id"]), None)
    try:
        if chosen is None:
            raise HubError("choose a channel")
        kind = channels[chosen.channel].address_kind
        command = StartDialog(
            account_id=AccountId(chosen.id),
            to=Address(kind=kind, value=values["to"].lower()),
            subject=values["subject"],
        )
        dialog_id = (await hub.do(command))[0]
    except HubError as error:
        return _page(
            request,
            "inbox/new.html",
            422,
            **{**values, "error": translate(request.state.language, str(error))},
        )
    return RedirectResponse(f"/inbox/{dialog_id}", 303)


async def texts(request: Request) -> Response:
    """Give the modules' texts in a language; the address changes with them."""
    code = request.path_params["code"]
    if code not in LANGUAGES:
        return JSONResponse({}, 404)
    is_known = texts_address(code).endswith("?" + (request.url.query or "-"))
    return Response(
        script_texts(code),
        media_type="application/json",
        headers={"Cache-Control": FOREVER if is_known else "no-cache"},
    )


ICONS = (
    ("favicon.svg", "any", "any"),
    ("icon-192.png", "192x192", "any"),
    ("icon-512.png", "512x512", "any"),
    ("icon-mask.png", "512x512", "maskable"),
)
"""The icon as files (`tools/raster_icons.py`), their sizes, and what a phone may do to their edge."""


async def manifest(request: Request) -> Response:
    """Give what a phone needs to install the inbox."""
    return JSONResponse(
        {
            "name": "Dialog Hub",
            "short_name": "Dialogs",
            "start_url": "/inbox",
            "display": "standalone",
            "background_color": "#f7f8fa",
            "theme_color": "#3f57c9",
            "icons": [
                {
                    "src": hashed(name),
                    "sizes": sizes,
                    "type": "image/png" if name.endswith(".png") else "image/svg+xml",
                    "purpose": purpose,
                }
                for name, sizes, purpose in ICONS
            ],
        },
        media_type="application/manifest+json",
    )


async def worker(request: Request) -> Response:
    """Give the service worker, from the root so that it may serve every page."""
    return FileResponse(
        STATIC / "worker.js", media_type="text/javascript", headers={"Cache-Control": "no-cache"}
    )


def routes() -> list[Route]:
    """Give the routes of these pages."""
    return [
        Route("/search", search),
        Route("/search/quick", quick),
        Route("/inbox/new", new_dialog, methods=["GET", "POST"]),
        Route("/texts/{code}.json", texts),
        Route("/manifest.webmanifest", manifest),
        Route("/worker.js", worker),
    ]

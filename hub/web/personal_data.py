"""A person's data: all of it as a file, and erasing it, with what stays and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from crm_store import people as people_reads
from crm_store.personal import counted
from crm_store.viewer import Reader
from hub.commands import EraseContact
from hub.errors import NotAllowed
from hub.export import export_person
from hub.ids import ContactId
from hub.scratch import PassingFile, passing_file
from hub.web.auth import checked_form
from hub.web.numbers import number

if TYPE_CHECKING:
    from hub.handle import BoundHub


def _(text: str) -> str:
    return text


RIGHT = "contacts.erase"
NAMES = {
    "dialogs": _("dialogs"),
    "messages": _("messages"),
    "files": _("files"),
    "addresses": _("addresses"),
    "contacts": _("cards of the person"),
    "clients": _("clients"),
    "leads": _("leads"),
    "requests": _("requests"),
    "interests": _("interests"),
    "tasks": _("tasks"),
    "consents": _("consents"),
    "import_rows": _("rows of imports"),
    "import_files": _("files of imports"),
    "raw_inputs": _("unread inputs"),
    "rule_runs": _("runs of rules"),
    "custom_values": _("values of own fields"),
    "consent_log": _("log of consents"),
}
STAYS = (
    _("The fact that somebody was erased and when, and hashes of the addresses: without them the "
      "same letters would be read in again."),
    _("Empty dialogs and messages without words: colleagues' work and reports are counted by them."),
    _("The journal: numbers and times, no words."),
    _("The card of an organisation that the person belongs to."),
    _("Backups made before. When one is restored, the erasure is carried out again by the list "
      "that `dialoghub erasures` gives."),
)  # fmt: skip


def _contact(request: Request) -> ContactId:
    if RIGHT not in request.state.may:
        raise NotAllowed(f"this needs the right {RIGHT!r}")
    return ContactId(number(request.path_params["contact_id"]))


async def data(request: Request) -> Response:
    """Show what is kept of a person; erase it when that is confirmed."""
    contact_id = _contact(request)
    hub = request.state.hub
    report: dict[str, Any] | None = None
    problem = False

    def load(reader: Reader) -> dict[str, Any]:
        return {
            "contact": people_reads.contact(reader, contact_id),
            "counts": counted(reader, contact_id),
        }

    values = await hub.read(load)
    if request.method == "POST":
        form = await checked_form(request)
        problem = form.get("sure") != "yes"
        if not problem:
            report = (await hub.do(EraseContact(contact_id=contact_id)))[0]
    response: Response = request.app.state.renderer.page(
        request,
        "objects/personal.html",
        422 if problem else 200,
        section="contacts",
        names=NAMES,
        stays=STAYS,
        report=report,
        problem=problem,
        **values,
    )
    return response


async def archive(request: Request) -> Response:
    """Give everything of a person as a ZIP."""
    return await archive_of(request.state.hub, _contact(request), request.state.language)


async def archive_of(hub: BoundHub, contact_id: ContactId, language: str) -> PassingFile:
    """Write the ZIP, and forget it once it was sent."""
    return await passing_file(
        lambda path: export_person(hub, contact_id, path, language),
        name=f"person-{contact_id}.zip",
        media_type="application/zip",
    )


def routes() -> list[BaseRoute]:
    """Give the routes of personal data."""
    return [
        Route("/contacts/{contact_id:int}/data", data, methods=["GET", "POST"]),
        Route("/contacts/{contact_id:int}/data.zip", archive),
    ]

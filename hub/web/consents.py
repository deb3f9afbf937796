"""A person's subscriptions: the newest words, the log with its evidence, the addresses."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from crm_store import people as people_reads
from crm_store import users as user_reads
from crm_store.consents import standing
from hub.commands import (
    Command,
    GiveConsent,
    LimitAdvertising,
    ReleaseAddress,
    SuppressAddress,
    WithdrawConsent,
)
from hub.errors import Invalid
from hub.ids import AddressId, ContactId
from hub.web.auth import checked_form
from hub.web.numbers import number


async def shown(request: Request) -> Response:
    """Show where a person stands."""
    hub = request.state.hub
    contact_id = ContactId(number(request.path_params["contact_id"]))
    contact = await hub.contact(contact_id)
    found = await hub.read(standing, contact_id)
    users = await hub.read(user_reads.all_users)
    response: Response = request.app.state.renderer.page(
        request,
        "objects/consents.html",
        contact=contact,
        standing=found,
        kinds=sorted({one.kind for one in contact.addresses}),
        users={one.id: one for one in users},
        topics=await hub.topics(),
    )
    return response


async def change(request: Request) -> Response:
    """Note a word, or suppress or release an address."""
    form = await checked_form(request)
    hub = request.state.hub
    contact_id = ContactId(number(request.path_params["contact_id"]))
    await hub.read(people_reads.contact, contact_id)
    what = str(form.get("do", ""))
    command: Command
    if what in ("give", "withdraw"):
        kind = GiveConsent if what == "give" else WithdrawConsent
        command = kind(
            contact_id=contact_id,
            channel=str(form.get("channel", "")),
            topic=str(form.get("topic", "")),
            evidence=str(form.get("evidence", "")),
        )
    elif what == "limit":
        command = LimitAdvertising(
            contact_id=contact_id,
            days=number(form.get("days", "")),
            evidence=str(form.get("evidence", "")),
        )
    elif what == "suppress":
        command = SuppressAddress(
            address_id=AddressId(number(form.get("address", ""))),
            text=str(form.get("evidence", "")),
        )
    elif what == "release":
        command = ReleaseAddress(
            address_id=AddressId(number(form.get("address", ""))),
            reason=str(form.get("reason", "")),
        )
    else:
        raise Invalid("this is no answer", field="do")
    await hub.do(command)
    return RedirectResponse(f"/contacts/{contact_id}/consents", 303)


def routes() -> list[Route]:
    """Give the routes."""
    path = "/contacts/{contact_id:int}/consents"
    return [Route(path, shown), Route(path, change, methods=["POST"])]

"""Consent to advertising and suppressed addresses."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Response

from crm_store.consents import standing
from hub import commands as c
from hub.http_api import rights
from hub.http_api.shapes import consents as s
from hub.ids import AddressId, ContactId
from hub.shapes import GivenId

router = rights.router("Contacts")

ContactKey = Annotated[GivenId, Path(alias="contact_id", description="The contact.")]
AddressKey = Annotated[GivenId, Path(alias="address_id", description="The address.")]


@router.get("/contacts/{contact_id}/consents", summary="Where a person stands")
async def shown(caller: rights.MayViewContacts, contact_id: ContactKey) -> s.Standing:
    """Give the newest word for each channel and topic, the whole log with its evidence, and why
    addresses take no advertising."""
    await caller.hub.contact(ContactId(contact_id))
    found = await caller.hub.read(standing, ContactId(contact_id))
    return s.Standing.model_validate(found)


@router.post("/contacts/{contact_id}/consents", status_code=201, summary="Note a person's word")
async def note(caller: rights.MayEditContacts, contact_id: ContactKey, body: s.Word) -> s.Standing:
    """Note that a person agreed, or wants no more: then what waits to be sent ends at once. What
    an import says never lifts a refusal. Who wants less often (`limited`) keeps what he agreed to."""
    if body.state == "limited":
        await caller.hub.do(
            c.LimitAdvertising(
                contact_id=ContactId(contact_id),
                days=body.days,
                how=body.how,
                evidence=body.evidence,
                ip=body.ip,
            )
        )
        return s.Standing.model_validate(await caller.hub.read(standing, ContactId(contact_id)))
    kind = c.GiveConsent if body.state == "given" else c.WithdrawConsent
    await caller.hub.do(
        kind(
            contact_id=ContactId(contact_id),
            channel=body.channel,
            topic=body.topic,
            how=body.how,
            evidence=body.evidence,
            ip=body.ip,
        )
    )
    return s.Standing.model_validate(await caller.hub.read(standing, ContactId(contact_id)))


@router.put(
    "/addresses/{address_id}/suppressions/{reason}",
    status_code=204,
    summary="Suppress an address",
)
async def suppress(
    caller: rights.MayEditContacts, address_id: AddressKey, reason: s.Reason, body: s.Why
) -> Response:
    """Send no more advertising to an address; service messages and answers go on."""
    await caller.hub.do(
        c.SuppressAddress(address_id=AddressId(address_id), reason=reason, text=body.text)
    )
    return Response(status_code=204)


@router.delete(
    "/addresses/{address_id}/suppressions/{reason}",
    status_code=204,
    summary="Release an address",
)
async def release(
    caller: rights.MayEditContacts, address_id: AddressKey, reason: s.Reason
) -> Response:
    """Take one reason away; the others stay."""
    await caller.hub.do(c.ReleaseAddress(address_id=AddressId(address_id), reason=reason))
    return Response(status_code=204)

"""Outgoing webhooks: where facts are posted, what became of each, and trying one out."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path, Query, Request, Response

from crm_store import work as reads
from hub import commands as c
from hub.errors import Invalid, NotFound
from hub.http_api import rights
from hub.http_api.caller import Caller, runtime_of
from hub.http_api.shapes import system as s
from hub.ids import EventId, WebhookId
from hub.records.system import Webhook
from hub.shapes import GivenId, Listing
from hub.signatures import new_webhook_secret, webhook_key
from hub.webhook_sender import WebhookSender

router = rights.router("Webhooks")

WebhookKey = Annotated[GivenId, Path(alias="webhook_id", description="The webhook.")]


def _shape(found: Webhook) -> s.Webhook:
    return s.Webhook(
        id=str(found.id),
        url=found.url,
        events=list(found.events),
        active=found.active,
        created_at=found.created_at,
        waiting=found.failures,
        dead=found.dead,
    )


async def _one(caller: Caller, webhook_id: int) -> Webhook:
    for found in await caller.hub.read(reads.all_webhooks):
        if found.id == webhook_id:
            return found
    raise NotFound("there is no such webhook")


@router.get("/webhooks", summary="List webhooks")
async def page(caller: rights.MayManageWebhooks) -> list[s.Webhook]:
    """Give every outgoing webhook, without its secret."""
    return [_shape(one) for one in await caller.hub.read(reads.all_webhooks)]


@router.post("/webhooks", status_code=201, summary="Add a webhook")
async def create(
    request: Request, caller: rights.MayManageWebhooks, body: s.CreateWebhook
) -> s.NewWebhook:
    """Add a webhook; every fact it wants is posted once, signed, and again until it is taken."""
    secret = body.secret or new_webhook_secret()
    _check_secret(secret)
    made = await caller.hub.do(
        c.SaveWebhook(url=body.url, secret=secret, events=tuple(body.events), active=body.active)
    )
    return _with_secret(await _one(caller, made[0]), secret)


def _check_secret(secret: str) -> None:
    try:
        webhook_key(secret)
    except ValueError as error:
        raise Invalid("what follows whsec_ is base64", field="secret") from error


def _with_secret(found: Webhook, secret: str) -> s.NewWebhook:
    return s.NewWebhook(**_shape(found).model_dump(), secret=secret)


@router.get("/webhooks/{webhook_id}", summary="One webhook")
async def one(caller: rights.MayManageWebhooks, webhook_id: WebhookKey) -> s.Webhook:
    """Give one webhook, without its secret."""
    return _shape(await _one(caller, webhook_id))


@router.patch("/webhooks/{webhook_id}", summary="Change a webhook")
async def change(
    caller: rights.MayManageWebhooks, webhook_id: WebhookKey, body: s.UpdateWebhook
) -> s.Webhook | s.NewWebhook:
    """Change a webhook; one that was switched off by 410 can be switched on again."""
    known = await _one(caller, webhook_id)
    secret = new_webhook_secret() if body.new_secret else ""
    await caller.hub.do(
        c.SaveWebhook(
            webhook_id=WebhookId(webhook_id),
            url=known.url if body.url is None else body.url,
            secret=secret,
            events=known.events if body.events is None else tuple(body.events),
            active=known.active if body.active is None else body.active,
        )
    )
    found = await _one(caller, webhook_id)
    return _with_secret(found, secret) if secret else _shape(found)


@router.delete("/webhooks/{webhook_id}", status_code=204, summary="Remove a webhook")
async def remove(caller: rights.MayManageWebhooks, webhook_id: WebhookKey) -> Response:
    """Delete a webhook with everything that waits for it."""
    await caller.hub.do(c.RemoveWebhook(webhook_id=WebhookId(webhook_id)))
    return Response(status_code=204)


@router.get("/webhooks/{webhook_id}/deliveries", summary="What became of each fact")
async def log(
    caller: rights.MayManageWebhooks,
    webhook_id: WebhookKey,
    state: Annotated[
        Literal["", "queued", "sending", "done", "dead", "dropped"],
        Query(description="`dead` is the dead-letter list."),
    ] = "",
    before: Annotated[str, Query(max_length=60, description="`next` of the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> Listing[s.WebhookDelivery]:
    """Give the deliveries of a webhook, the newest first."""
    await _one(caller, webhook_id)
    key = WebhookId(webhook_id)
    place = _event_of(caller, before, "before") if before else EventId(0)
    found = await caller.hub.read(reads.webhook_log, key, state, limit + 1, place)
    epoch = caller.hub.runtime.epoch
    shown = [
        s.WebhookDelivery(
            event_id=f"{epoch}-{each.event_id}",
            state=each.state,
            attempts=each.attempts,
            due_at=each.due_at,
            code=each.code,
            error=each.error,
        )
        for each in found[:limit]
    ]
    more = shown[-1].event_id if len(found) > limit else ""
    return Listing[s.WebhookDelivery](items=shown, next=more)


def _event_of(caller: Caller, given: str, field: str) -> EventId:
    epoch, _, number = given.rpartition("-")
    if epoch != caller.hub.runtime.epoch or not number.isascii() or not number.isdecimal():
        raise Invalid("this is not the id of an event of ours", field=field)
    if len(number) > 18:
        raise Invalid("this is not the id of an event of ours", field=field)
    return EventId(int(number))


@router.post("/webhooks/{webhook_id}/deliveries/{event_id}/repeat", summary="Post a fact again")
async def repeat(
    caller: rights.MayManageWebhooks,
    webhook_id: WebhookKey,
    event_id: Annotated[str, Path(max_length=60, description="The id of the fact.")],
) -> s.WebhookDelivery:
    """Post one fact again under the same id: from the dead-letter list, or for a replay."""
    number = _event_of(caller, event_id, "event_id")
    await caller.hub.do(c.RepeatWebhook(webhook_id=WebhookId(webhook_id), event_id=number))
    found = await caller.hub.read(
        reads.webhook_log, WebhookId(webhook_id), "", 1, EventId(number + 1)
    )
    each = found[0]
    return s.WebhookDelivery(
        event_id=event_id,
        state=each.state,
        attempts=each.attempts,
        due_at=each.due_at,
        code=each.code,
        error=each.error,
    )


@router.post("/webhooks/{webhook_id}/ping", summary="Send a test event")
async def ping(
    request: Request, caller: rights.MayManageWebhooks, webhook_id: WebhookKey
) -> s.Ping:
    """Post a signed event of type `ping` now, once, and say what was answered."""
    await _one(caller, webhook_id)
    sender = WebhookSender(runtime_of(request))
    try:
        started = caller.hub.now()
        code, error = await sender.ping(WebhookId(webhook_id))
        took = caller.hub.now() - started
    finally:
        await sender.close()
    return s.Ping(ok=not error, code=code, error=error, took_us=max(0, took))

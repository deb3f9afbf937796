"""Another system posts a signed event, and a rule begins: the payment of the ready rule."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from channels import webhook
from crm_store import objects
from crm_store.objects import NOUNS, ObjectQuery
from crm_store.pipelines import all_pipelines
from hub import (
    ChangeObject,
    CreateAccount,
    CreateClient,
    CreateObject,
    SaveRule,
    UntrustedRequest,
    WebhookRequest,
    new_webhook_secret,
    sign_webhook,
)
from plugins.crm_actions.recipes import RECIPES
from tests.houses import message
from tests.scenarios.rules.house import Ruled, ruled
from triggers.gallery import rule_of

SECRET = new_webhook_secret()


class Shop:
    """A house and the system that posts to it."""

    def __init__(self, world: Ruled, account_id: int) -> None:
        self.world, self.account_id = world, account_id

    async def posts(self, key: str, secret: str = SECRET, **data: Any) -> None:
        """Post an event to the account's own channel, as its door does."""
        runtime = self.world.home.runtime
        account, channel = await runtime.channel_host.get(self.account_id)  # type: ignore[arg-type]
        body = json.dumps({"type": "event.happened", "data": data}).encode()
        now = runtime.now()
        at = now // 1_000_000
        headers = {
            "webhook-id": key,
            "webhook-timestamp": str(at),
            "webhook-signature": sign_webhook(secret, key, at, body),
        }
        request = WebhookRequest(
            method="POST", url="/", headers=headers, query={}, body=body, received_at=now
        )
        found: Any = channel.parse(request)
        assert isinstance(found, list), found
        await runtime.receive(account, found)
        await self.world.settle()


@pytest.fixture
async def shop(tmp_path: Path, database_url: str) -> AsyncIterator[Shop]:
    async with ruled(tmp_path, database_url, plugins=[("webhook", webhook)]) as world:
        made = CreateAccount(channel="webhook", title="Shop", settings={"secret": SECRET})
        yield Shop(world, (await world.home.user.do(made))[0])


async def test_a_signed_payment_moves_the_interest_once(shop: Shop) -> None:
    user, world = shop.world.home.user, shop.world
    [line] = await user.read(all_pipelines)
    first, second = line.stages[0].id, line.stages[1].id
    paid = next(one for one in RECIPES if one.key == "paid")
    rule = rule_of(paid, "en", {"then.0.params.stage": str(second)})
    await user.do(SaveRule(definition=rule, enabled=True))
    anna = (await world.home.receive(message("1", "anna", profile={"email": "anna@example.com"})))[
        0
    ]
    client = (await user.do(CreateClient(name="Anna Ltd", contact_id=anna.contact_id)))[0]
    values = {"title": "Boat", "amount": "1500"}
    interest = (
        await user.do(CreateObject(kind="interest", values=values, dialog_id=anna.dialog_id))
    )[0]
    assert client

    async def stage() -> int:
        page = await user.read(objects.page, NOUNS["interest"], ObjectQuery())
        return int(page.items[0].stage_id)

    about = {"kind": "interest", "id": str(interest)}
    with pytest.raises(UntrustedRequest):
        await shop.posts("p0", new_webhook_secret(), name="payment", about=about, amount="1500")
    await shop.posts("p1", name="payment", about=about, amount="1499.99")
    await shop.posts("p2", name="parcel", about=about, amount="1500")
    assert await stage() == first
    for _ in range(2):
        await shop.posts("p3", name="payment", about=about, amount="1500.00", reference="A-17")
    assert await stage() == second
    assert [one.text for one in await world.said(anna.dialog_id)] == ["Thank you for your payment!"]
    [run] = await world.runs(dialog_id=anna.dialog_id)
    assert run.steps[0].state == run.steps[1].state == "done"


async def test_an_event_about_nobody_known_is_no_harm(shop: Shop) -> None:
    user, world = shop.world.home.user, shop.world
    await world.rule(
        when=[{"event": "outside.happened"}],
        if_={"all": [{"field": "outside.status", "operator": "equals", "value": "lost"}]},
        then=[{"action": "crm_actions.note", "params": {"text": "The parcel is lost"}}],
    )
    anna = (await world.home.receive(message("1", "anna")))[0]
    phone = {"phone": "+7 912 345-67-89"}
    await user.do(ChangeObject(kind="contact", object_id=anna.contact_id, values={"position": "x"}))
    gone = {"kind": "interest", "id": "12345"}
    await shop.posts("a", name="parcel", status="lost", email="nobody@example.com")
    await shop.posts("b", name="parcel", status="lost", about=gone, **phone)
    runs = await world.runs()
    assert [one.steps[0].state for one in runs] == ["held", "held"]
    # Who is known is found by his address, and nobody new was made.
    await shop.posts("c", name="parcel", status="lost", **{"from": {"address": "anna"}})
    contacts = await user.read(objects.page, NOUNS["contact"], ObjectQuery())
    assert len(contacts.items) == 1

"""The other system: a real HTTP server that checks our signatures with a library nobody of us wrote."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook
from werkzeug import Request, Response

import channels.webhook
from hub import AccountId, CreateAccount, Dialog, DialogQuery, Message, UserId, new_webhook_secret
from hub.handle import BoundHub
from tests.scenarios.web.house import House, open_house, served

Answer = Callable[[dict[str, Any]], Response]


@dataclass
class FarSide:
    """What it took, and how it will answer; it posts to the account as `standardwebhooks` signs."""

    house: House
    hub_url: str
    server: HTTPServer
    agent: BoundHub
    account_id: AccountId = AccountId(0)
    secret: str = field(default_factory=new_webhook_secret)
    taken: list[dict[str, Any]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    hook: str = ""
    number: int = 0

    def handle(self, request: Request) -> Response:
        event = Webhook(self.secret).verify(request.get_data(), dict(request.headers))
        self.taken.append(event)
        return self.answers.pop(0)(event) if self.answers else Response(status=204)

    async def connect(self, **settings: str) -> None:
        """Connect the account as an administrator would."""
        given = {"url": self.server.url_for("/answers"), "secret": self.secret, **settings}
        made = await self.house.system.do(
            CreateAccount(channel="webhook", title="Shop", settings=given)
        )
        self.account_id = AccountId(made[0])
        account = await self.house.system.account(self.account_id)
        self.hook = f"{self.hub_url}/hooks/{account.hook_token}"

    async def post(
        self, kind: str, *, key: str = "", secret: str = "", age: float = 0, **data: Any
    ) -> httpx2.Response:
        """Post one event."""
        self.number += 1
        event = {"type": kind, "timestamp": datetime.now(UTC).isoformat(), "data": data}
        return await self.raw(
            json.dumps(event), key=key or f"event-{self.number}", secret=secret, age=age
        )

    async def raw(
        self, body: str, *, key: str = "event", secret: str = "", age: float = 0
    ) -> httpx2.Response:
        at = datetime.fromtimestamp(datetime.now(UTC).timestamp() - age, UTC)
        signature = Webhook(secret or self.secret).sign(key, at, body)
        headers = {
            "webhook-id": key,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signature,
            "content-type": "application/json",
        }
        async with httpx2.AsyncClient(timeout=30) as client:
            return await client.post(self.hook, content=body.encode(), headers=headers)

    async def dialogs(self) -> tuple[Dialog, ...]:
        query = DialogQuery(view="everything", account_id=self.account_id)
        return (await self.house.system.dialogs(query)).dialogs

    async def messages(self) -> list[Message]:
        """Everything said in the only dialog."""
        (dialog,) = await self.dialogs()
        return list((await self.house.system.thread(dialog.id)).messages)


@asynccontextmanager
async def far_side(folder: Path, database_url: str, server: HTTPServer) -> AsyncIterator[FarSide]:
    """A running hub, and the other system beside it."""
    async with (
        open_house(
            folder, database_url, ("webhook", channels.webhook), webhooks_allow_private=True
        ) as house,
        served(house.app) as url,
    ):
        agent = house.system.as_user(UserId(await house.user()))
        found = FarSide(house=house, hub_url=url, server=server, agent=agent)
        server.expect_request("/answers", method="POST").respond_with_handler(found.handle)
        await found.connect()
        yield found
        house.app.state.stopping.set()

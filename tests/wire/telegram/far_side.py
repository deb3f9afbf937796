"""A running hub with one bot, and Telegram's servers beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import channels.telegram
from hub import (
    AccountId,
    CreateAccount,
    Dialog,
    DialogQuery,
    Message,
    MessageId,
    SendMessage,
    UserId,
)
from hub.handle import BoundHub
from tests.houses import until
from tests.scenarios.web.house import House, open_house, served
from tests.servers.telegram import StandInBot, TelegramServer

TOKEN = "123456:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
HUB = "https://hub.example"


@dataclass
class Messenger:
    """What a test holds in its hands."""

    house: House
    server: TelegramServer
    bot: StandInBot
    agent: BoundHub
    account_id: AccountId = AccountId(0)

    async def connect(self, receive: str = "auto") -> None:
        """Connect the bot as an administrator would, and wait until Telegram knows of it."""
        settings = {"token": TOKEN, "api_url": self.server.url, "receive": receive}
        made = await self.house.system.do(
            CreateAccount(channel="telegram", title="Shop bot", settings=settings)
        )
        self.account_id = AccountId(made[0])

        async def connected() -> bool:
            account = await self.house.system.account(self.account_id)
            return bool(account.memory.get("username"))

        await until(connected)

    async def dialogs(self) -> tuple[Dialog, ...]:
        query = DialogQuery(view="everything", account_id=self.account_id)
        return (await self.house.system.dialogs(query)).dialogs

    async def dialog(self) -> Dialog:
        (found,) = await self.dialogs()
        return found

    async def messages(self, count: int = 1) -> list[Message]:
        """Everything said in the only dialog, once there is as much as that."""

        async def enough() -> bool:
            found = await self.dialogs()
            return len(found) == 1 and found[0].message_count >= count

        await until(enough)
        return list((await self.house.system.thread((await self.dialog()).id)).messages)

    async def answer(self, text: str = "", **more: Any) -> MessageId:
        """Answer in the only dialog."""
        dialog = await self.dialog()
        last = (await self.messages())[-1].id
        sent = await self.agent.do(
            SendMessage(dialog_id=dialog.id, text=text, seen_message_id=last, **more)
        )
        return MessageId(sent[0])

    async def becomes(self, message_id: MessageId, status: str) -> Message:
        """Wait until a message of ours has a status."""

        async def is_so() -> bool:
            return (await self.house.system.message(message_id)).status == status

        await until(is_so)
        return await self.house.system.message(message_id)


@asynccontextmanager
async def messenger(folder: Path, url: str, *, receive: str = "auto") -> AsyncIterator[Messenger]:
    """Run both sides."""
    async with (
        TelegramServer() as server,
        open_house(folder, url, ("telegram", channels.telegram), public_url=HUB) as house,
        served(house.app) as hub_url,
    ):
        server.hub_url = hub_url
        agent = house.system.as_user(UserId(await house.user()))
        found = Messenger(house, server, server.new_bot(TOKEN), agent)
        await found.connect(receive)
        yield found
        house.app.state.stopping.set()

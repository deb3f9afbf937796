"""Lets an agent write, from a process of its own, beside the hub that may run."""

from __future__ import annotations

import asyncio
import sys

from hub import Address, MessageId, Micros, SendMessage, StartDialog
from hub.cli.base import opened
from hub.runtime import system_now
from hub.settings import HubSettings


async def write(texts: list[str], later_hours: float = 0) -> None:
    async with opened(HubSettings.load()) as hub:
        from crm_store.users import all_users

        agent = hub.as_user((await hub.read(all_users))[0].id)
        account = (await agent.accounts("pigeon"))[0]
        vera = Address(kind="pigeon", value="vera", name="Vera")
        dialog_id = (await agent.do(StartDialog(account_id=account.id, to=vera)))[0]
        due_at = Micros(system_now() + int(later_hours * 3.6e9)) if later_hours else Micros(0)
        for text in texts:
            await agent.do(
                SendMessage(
                    dialog_id=dialog_id,
                    text=text,
                    due_at=due_at,
                    seen_message_id=MessageId(0),
                )
            )


if __name__ == "__main__":
    asyncio.run(write(sys.argv[2:], float(sys.argv[1])))

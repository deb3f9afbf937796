"""Two machines that answer everything do not write to each other for ever (R17)."""

from __future__ import annotations

import email
import email.policy
from types import ModuleType

from hub import (
    Address,
    Conflict,
    CreateAccount,
    Event,
    Hub,
    MessageReceived,
    SendMessage,
    StartDialog,
    hookimpl,
)
from tests.houses import until
from tests.wire.email.office import NewMailbox, Opening


class Replier:
    """A plugin that answers whatever comes in, without looking."""

    def __init__(self) -> None:
        self.refused: list[str] = []
        self.answered = 0

    def module(self) -> ModuleType:
        @hookimpl
        async def event_occurred(hub: Hub, events: tuple[Event, ...]) -> None:
            for event in events:
                if not isinstance(event, MessageReceived):
                    continue
                try:
                    await hub.do(
                        SendMessage(
                            dialog_id=event.dialog_id,
                            text="We got your letter.",
                            automated=True,
                            idempotency_key=f"reply-{event.message_id}",
                        )
                    )
                    self.answered += 1
                except Conflict as error:
                    self.refused.append(error.what)

        module = ModuleType("replier")
        vars(module).update(event_occurred=event_occurred, event_types=("message.received",))
        return module


async def test_two_mailboxes_that_answer_everything_stop_at_once(
    opening: Opening, new_mailbox: NewMailbox
) -> None:
    ours, theirs = new_mailbox(), new_mailbox()
    replier = Replier()
    async with opening.office(ours, plugins=(replier.module(),)) as desk:
        [other] = await desk.user.do(
            CreateAccount(channel="email", title="Other", settings=opening.settings(theirs))
        )
        await until(lambda: _marked(desk, other), 60)
        to = Address(kind="email", value=theirs.address)
        [dialog_id] = await desk.user.do(
            StartDialog(account_id=desk.account_id, to=to, subject="Hello")
        )
        await desk.user.do(SendMessage(dialog_id=dialog_id, text="Are you there?"))
        # A person's letter is answered by the machine; the machine's letter by nobody.
        await until(lambda: replier.refused, 60)
        assert (replier.answered, replier.refused) == (1, ["automated"])
        assert (await desk.count("in"), await desk.count("out")) == (2, 2)
        [reply] = ours.messages()
        marks = email.message_from_bytes(reply, policy=email.policy.default)
        assert marks["Auto-Submitted"] == "auto-replied"


async def _marked(desk: object, account_id: object) -> bool:
    return bool((await desk.user.account(account_id)).mark)  # type: ignore[attr-defined]

"""The way from another channel into Telegram, keeping who the person is.

The card beside a dialog shows `https://t.me/<bot>?start=<token>`; who follows it and presses
Start sends `/start <token>`, and the token, signed by us, names his contact.
"""

from __future__ import annotations

from hub import (
    ContactId,
    Dialog,
    Event,
    Hub,
    HubError,
    LinkContact,
    MessageReceived,
    Panel,
    PanelLine,
    UntrustedRequest,
)

PURPOSE = "telegram-start"
DAYS = 30
COMMAND = "/start "


async def invitation(hub: Hub, dialog: Dialog) -> list[Panel]:
    """Give the link for a person who is not in Telegram with us yet."""
    if dialog.channel == "telegram":
        return []
    bots = [one for one in await hub.accounts("telegram") if one.memory.get("username")]
    if not bots:
        return []
    token = as_parameter(hub.sign(PURPOSE, str(dialog.contact_id)))
    lines = tuple(
        PanelLine(
            label=f"@{one.memory['username']}",
            value="Send this link",
            href=f"https://t.me/{one.memory['username']}?start={token}",
        )
        for one in bots
    )
    return [Panel(key="telegram", title="Go on in Telegram", lines=lines, order=80, folded=True)]


async def bind_starters(hub: Hub, events: tuple[Event, ...]) -> None:
    """Bind everybody who came by a link of ours to the contact that it names."""
    for event in events:
        if not isinstance(event, MessageReceived):
            continue
        account = await hub.account(event.account_id)
        if account.channel != "telegram":
            continue
        message = await hub.message(event.message_id)
        if not message.text.startswith(COMMAND):
            continue
        try:
            token = from_parameter(message.text.removeprefix(COMMAND).strip())
            contact_id = ContactId(int(hub.unsign(PURPOSE, token, DAYS)))
            if contact_id != event.contact_id:
                await hub.do(LinkContact(dialog_id=event.dialog_id, contact_id=contact_id))
        except (UntrustedRequest, ValueError):
            continue
        except HubError:
            # The contact is gone meanwhile, or was merged: the dialog stays as it is.
            continue


def as_parameter(token: str) -> str:
    """Write a token with the letters that a start link may have: A-Z a-z 0-9 _ - (64 at most)."""
    return token.replace(".", "-")


def from_parameter(given: str) -> str:
    """Read a token back: only its last part may hold a dash of its own."""
    return ".".join(given.split("-", 3))

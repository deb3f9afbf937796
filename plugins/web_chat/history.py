"""What a visitor may see of the dialogs with him: his words and our sent answers, nothing else.

Notes, queued and cancelled messages, other people's dialogs and the agents' business stay inside.
"""

from __future__ import annotations

from hub import (
    AccountId,
    ActorKind,
    Dialog,
    DialogQuery,
    Direction,
    Hub,
    Message,
    MessageId,
)
from plugins.web_chat.settings import WebChatSettings
from plugins.web_chat.visitors import KIND, Visitor

WINDOW = 50
MAX_DIALOGS = 50
SHOWN = frozenset({"sent", "delivered", "read", "unknown"})


async def dialogs_of(hub: Hub, account_id: AccountId, visitor: Visitor) -> tuple[Dialog, ...]:
    """The visitor's dialogs on this account, the newest first."""
    query = DialogQuery(
        view="everything",
        account_id=account_id,
        address_kind=KIND,
        address=visitor.id,
        limit=MAX_DIALOGS,
    )
    page = await hub.dialogs(query)
    return tuple(one for one in page.dialogs if one.address == visitor.id)


async def read_history(
    hub: Hub,
    settings: WebChatSettings,
    account_id: AccountId,
    visitor: Visitor,
    before: MessageId = MessageId(0),
) -> dict[str, object]:
    """A window of at most 50 messages over all dialogs of the visitor, oldest first."""
    found: list[Message] = []
    has_older = False
    for dialog in await dialogs_of(hub, account_id, visitor):
        cursor = before
        while len(found) <= WINDOW:
            thread = await hub.thread(dialog.id, before=cursor, limit=WINDOW)
            found += [one for one in thread.messages if is_shown(one)]
            if not thread.has_older or not thread.messages:
                break
            cursor = min(one.id for one in thread.messages)
    found.sort(key=lambda one: (one.at, one.id))
    if len(found) > WINDOW:
        found, has_older = found[-WINDOW:], True
    return {
        "messages": [_shown(hub, settings, visitor, one) for one in found],
        "older": has_older,
    }


def is_shown(message: Message) -> bool:
    """Whether a visitor sees a message."""
    if message.deleted_at:
        return False
    if message.direction is Direction.IN:
        return True
    return message.direction is Direction.OUT and message.status in SHOWN


def _shown(
    hub: Hub, settings: WebChatSettings, visitor: Visitor, message: Message
) -> dict[str, object]:
    mine = message.direction is Direction.IN
    shown: dict[str, object] = {
        "id": str(message.id),
        "mine": mine,
        "text": message.text,
        "at": message.at // 1000,
    }
    if mine:
        shown["client_id"] = message.external_id.rpartition(":")[2]
    elif message.author.kind is ActorKind.USER:
        shown["person"] = True
        if settings.agent_names:
            shown["name"] = message.author_name
    files = [
        {
            "name": one.name,
            "type": one.media_type,
            "size": one.size,
            "ready": one.state == "ready",
            "path": f"file/{hub.sign('web_chat.file', f'{visitor.id}:{one.id}')}",
        }
        for one in message.attachments
    ]
    return shown | ({"files": files} if files else {})

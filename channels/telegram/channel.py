"""Telegram: one bot. Customers write to it, or in groups that it is in.

aiogram gives the types and the client; it is imported when the first bot is opened, because it
costs half a second and tens of megabytes that a hub without Telegram need not pay.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, cast

from pydantic import BaseModel

from channels.telegram.settings import TelegramSettings
from hub import (
    Address,
    Arrival,
    Batch,
    ButtonPressed,
    Capabilities,
    Channel,
    ChannelContext,
    Check,
    Health,
    HubError,
    MalformedPayload,
    OutboundMessage,
    PermanentFailure,
    RejectReason,
    Sent,
    TemporaryFailure,
    Unsupported,
    WebhookRequest,
    formatted,
)

if TYPE_CHECKING:
    from aiogram import Bot

MAX_FILE = 50_000_000
"""What a bot may upload to Telegram's own servers (Bot API, "Sending files")."""
MAX_DOWNLOAD = 20_000_000
"""What a bot may download from them (Bot API, "getFile")."""
MAX_LOCAL_FILE = 2_000_000_000
"""What it may upload to a server of one's own ("Using a Local Bot API Server")."""
MAX_PAYLOAD = 64
"""How many bytes a button carries back (Bot API, "InlineKeyboardButton", `callback_data`)."""
TROUBLE_SECONDS = 600
# The reactions that every chat allows (Bot API, "ReactionTypeEmoji"), the useful ones of them.
REACTIONS = ("👍", "👎", "❤", "🔥", "🎉", "👏", "😁", "🤔", "😢", "🙏")


class TelegramChannel(Channel):
    """One bot."""

    name = "telegram"
    title = "Telegram"
    icon = "send"
    needs = (
        "A bot: write /newbot to @BotFather in Telegram, it answers with a token.",
        "For groups: make the bot an administrator, or switch its privacy off (/setprivacy).",
    )
    capabilities: ClassVar[Capabilities] = Capabilities(
        address_kind="telegram",
        vouches=True,
        max_text=16_000,
        max_attachment_bytes=MAX_FILE,
        max_attachments=20,
        receipts="sent",
        # Bot API FAQ: about one message a second in a chat, thirty over all chats.
        rate_per_second=28.0,
        connections=8,
        send_timeout=timedelta(seconds=120),
        buttons=20,
        button_bytes=MAX_PAYLOAD,
        replies=True,
        edits=True,
        deletes=True,
        delete_window=timedelta(hours=48),
        reactions=True,
        reaction_choices=REACTIONS,
        groups=True,
        typing=True,
        formatting=True,
    )
    Settings = TelegramSettings

    @classmethod
    def capabilities_of(cls, settings: Mapping[str, object]) -> Capabilities:
        """A Bot API server of one's own with --local takes more than Telegram's servers do."""
        if settings.get("local_files") is True:
            return replace(cls.capabilities, max_attachment_bytes=MAX_LOCAL_FILE)
        return cls.capabilities

    def __init__(self, settings: BaseModel, context: ChannelContext) -> None:
        super().__init__(settings, context)
        self._own = cast(TelegramSettings, settings)
        self._bot: Bot | None = None
        self._is_closed = False

    @property
    def bot(self) -> Bot:
        """The client; made when first used."""
        if self._bot is None:
            if self._is_closed:
                raise TemporaryFailure("the account was changed meanwhile")
            from channels.telegram.wire import new_bot

            self._bot = new_bot(self._own)
        return self._bot

    @property
    def by_webhook(self) -> bool:
        """Whether Telegram calls us; it takes https addresses only (Bot API, "setWebhook")."""
        if self._own.receive == "auto":
            return self.context.hook_url.startswith("https://")
        return self._own.receive == "webhook"

    async def close(self) -> None:
        """Let the connections go."""
        self._is_closed = True
        if self._bot is not None:
            from channels.telegram.wire import finish

            await finish(self._bot)

    async def check(self) -> list[Check]:
        """Ask Telegram who the bot is."""
        from aiogram.methods import GetMe

        from channels.telegram.wire import call

        try:
            me = await call(self.bot, GetMe())
        except HubError as error:
            return [Check(name="Bot", ok=False, text=str(error))]
        found = [Check(name="Bot", ok=True, text=f"@{me.username}")]
        if not me.can_read_all_group_messages:
            found.append(
                Check(
                    name="Groups",
                    ok=True,
                    text="in groups the bot sees only what is addressed to it (/setprivacy)",
                )
            )
        return found

    async def connect(self) -> None:
        """Tell Telegram where to post, or that we come and ask."""
        from aiogram.methods import DeleteWebhook, GetMe, SetWebhook

        from channels.telegram.reading import UPDATES
        from channels.telegram.wire import call

        me = await call(self.bot, GetMe())
        if self.by_webhook:
            if not self.context.hook_url.startswith("https://"):
                raise PermanentFailure(
                    RejectReason.OTHER, "a webhook needs a public address with https"
                )
            await call(
                self.bot,
                SetWebhook(
                    url=self.context.hook_url,
                    secret_token=self._own.webhook_secret,
                    allowed_updates=UPDATES,
                    max_connections=40,
                ),
            )
        else:
            await call(self.bot, DeleteWebhook(drop_pending_updates=False))
        await self.context.remember({"username": me.username or ""})

    async def disconnect(self) -> None:
        """Let Telegram forget our address."""
        from aiogram.methods import DeleteWebhook

        from channels.telegram.wire import call

        await call(self.bot, DeleteWebhook(drop_pending_updates=False))

    async def inspect(self) -> Health:
        """Ask how Telegram sees our webhook, or whether the token still lives."""
        from aiogram.methods import GetMe, GetWebhookInfo

        from channels.telegram.wire import call

        if not self.by_webhook:
            await call(self.bot, GetMe())
            return Health(webhook="polling")
        info = await call(self.bot, GetWebhookInfo())
        waiting = f"{info.url}, {info.pending_update_count} waiting"
        if info.url != self.context.hook_url:
            return Health(
                ok=False,
                text="the bot's webhook was set to another address: save the account again",
                webhook=waiting,
            )
        now = self.context.now() / 1_000_000
        failed = info.last_error_date.timestamp() if info.last_error_date else 0.0
        if info.pending_update_count and now - failed < TROUBLE_SECONDS:
            words = info.last_error_message or ""
            return Health(ok=False, text=f"Telegram cannot deliver: {words}", webhook=waiting)
        return Health(webhook=waiting)

    def parse(self, request: WebhookRequest) -> Iterable[Arrival]:
        """Verify the secret and read one update."""
        from channels.telegram.reading import read

        # Bot API, "setWebhook": the header repeats `secret_token`.
        given = request.headers.get("x-telegram-bot-api-secret-token", "")
        request.verify_token(given, self._own.webhook_secret)
        return read(request.json(), self._own.bot_id)

    def replay(self, raw: bytes) -> Iterable[Arrival]:
        """Read an update again that was put aside."""
        from channels.telegram.reading import read

        return read(json.loads(raw), self._own.bot_id)

    async def listen(self, mark: str) -> AsyncIterator[Batch]:
        """Ask for updates after `mark`; with a webhook there is nothing to ask for."""
        from channels.telegram.reading import read
        from channels.telegram.wire import get_updates

        if self.by_webhook:
            await asyncio.Event().wait()
        last = int(mark) if mark.isdecimal() else 0
        while True:
            # Only now are updates up to `last` committed, and Telegram may forget them.
            found = await get_updates(self.bot, self.context.http, last + 1 if last else 0)
            arrivals: list[Arrival] = []
            poison: list[tuple[bytes, str]] = []
            for body in found:
                try:
                    arrivals += read(body, self._own.bot_id)
                except MalformedPayload as error:
                    poison.append((json.dumps(body).encode(), str(error)))
                if isinstance(body, dict) and isinstance(body.get("update_id"), int):
                    last = max(last, body["update_id"])
            yield Batch(arrivals=tuple(arrivals), mark=str(last or ""), poison=tuple(poison))

    async def send(self, message: OutboundMessage) -> Sent:
        """Send a message; to the new number of a group that became a supergroup meanwhile."""
        from aiogram.exceptions import TelegramMigrateToChat

        from channels.telegram.sending import send

        try:
            return Sent(external_ids=await send(self.bot, message))
        except TelegramMigrateToChat as error:
            _, _, topic = message.to.value.partition(":")
            moved = f"{error.migrate_to_chat_id}{':' if topic else ''}{topic}"
            again = replace(message, to=replace(message.to, value=moved), quotes="")
            return Sent(external_ids=await send(self.bot, again))

    async def edit(self, message: OutboundMessage, external_id: str) -> Sent:
        """Change the words of a message; its files stay."""
        from aiogram.methods import EditMessageCaption, EditMessageText

        from channels.telegram.sending import (
            MAX_CAPTION,
            MAX_TEXT,
            Target,
            entities,
            markup,
            units,
        )
        from channels.telegram.wire import call

        target = Target.of(message)
        most = MAX_CAPTION if message.attachments else MAX_TEXT
        words = formatted(message.text)
        if units(words.text) > most:
            raise PermanentFailure(
                RejectReason.TOO_LARGE, f"a changed message has at most {most} characters"
            )
        where: dict[str, Any] = {
            "chat_id": target.chat_id,
            "message_id": _number(external_id),
            "business_connection_id": target.business,
            "reply_markup": markup(message.buttons),
        }
        method = (
            EditMessageCaption(caption=words.text, caption_entities=entities(words), **where)
            if message.attachments
            else EditMessageText(text=words.text, entities=entities(words), **where)
        )
        try:
            await call(self.bot, method)
        except PermanentFailure as error:
            if "message is not modified" not in error.text:
                raise
        return Sent(external_ids=(external_id,))

    async def delete(self, to: Address, external_id: str) -> None:
        """Take a message of ours back."""
        from aiogram.methods import DeleteBusinessMessages, DeleteMessage

        from channels.telegram.reading import BUSINESS
        from channels.telegram.wire import call

        number, chat = _number(external_id), external_id.rpartition(":")[0]
        if chat.startswith(BUSINESS):
            business = chat.removeprefix(BUSINESS).rpartition(":")[0]
            gone = DeleteBusinessMessages(business_connection_id=business, message_ids=[number])
            await call(self.bot, gone)
            return
        await call(self.bot, DeleteMessage(chat_id=int(chat), message_id=number))

    async def react(self, to: Address, external_id: str, emoji: str) -> None:
        """React to a message; no emoji takes the reaction back."""
        from aiogram.methods import SetMessageReaction
        from aiogram.types import ReactionTypeEmoji

        from channels.telegram.reading import BUSINESS
        from channels.telegram.wire import call

        chat = external_id.rpartition(":")[0]
        if chat.startswith(BUSINESS):
            raise Unsupported("reactions", "Telegram takes none for a business account")
        reaction: list[Any] = [ReactionTypeEmoji(emoji=emoji)] if emoji else []
        await call(
            self.bot,
            SetMessageReaction(
                chat_id=int(chat), message_id=_number(external_id), reaction=reaction
            ),
        )

    async def signal(self, to: Address, kind: str, value: str = "") -> None:
        """Show that somebody types; Telegram shows it for five seconds."""
        if kind != "typing":
            return
        from aiogram.methods import SendChatAction

        from channels.telegram.wire import call

        chat, _, topic = to.value.partition(":")
        await call(
            self.bot,
            SendChatAction(
                chat_id=int(chat),
                action="typing",
                message_thread_id=int(topic) if topic else None,
            ),
        )

    async def acknowledge(self, pressed: ButtonPressed) -> None:
        """Stop the clock on a pressed button."""
        from aiogram.methods import AnswerCallbackQuery

        from channels.telegram.wire import call

        await call(self.bot, AnswerCallbackQuery(callback_query_id=pressed.callback))

    async def fetch(self, reference: str) -> bytes:
        """Get the bytes of a file by its file_id."""
        from aiogram.methods import GetFile

        from channels.telegram.wire import call, download

        file = await call(self.bot, GetFile(file_id=reference))
        if not file.file_path:
            raise PermanentFailure(RejectReason.EXPIRED, "Telegram no longer has this file")
        return await download(self.bot, file.file_path)


def _number(external_id: str) -> int:
    number = external_id.rpartition(":")[2]
    if not number.isdecimal():
        raise PermanentFailure(RejectReason.OTHER, "this is not a message of Telegram's")
    return int(number)

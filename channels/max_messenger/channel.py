"""The MAX channel: the dialogs of one bot."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from typing import Any, ClassVar, cast

from pydantic import BaseModel

from channels.max_messenger.arrivals import KIND, WANTED, place, read_update
from channels.max_messenger.client import MaxClient, NotReady
from channels.max_messenger.files import upload
from channels.max_messenger.settings import MaxSettings
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
    Micros,
    OutboundMessage,
    OutcomeUnknown,
    PermanentFailure,
    RejectReason,
    Sent,
    TemporaryFailure,
    WebhookRequest,
    formatted,
)

POLL_SECONDS = 25
MAX_TEXT = 3999
MAX_LABEL = 128
NOT_READY_TRIES = 30
MAX_PLACES = 10_000


class MaxChannel(Channel):
    """One bot's dialogs."""

    name: ClassVar[str] = "max"
    title: ClassVar[str] = "MAX"
    icon: ClassVar[str] = "message-circle"
    needs: ClassVar[tuple[str, ...]] = (
        "A bot in MAX for partners: for companies and sole traders of Russia.",
        "A public https address of this hub with a certificate that browsers trust.",
    )
    capabilities: ClassVar[Capabilities] = Capabilities(
        address_kind=KIND,
        vouches=True,
        max_text=MAX_TEXT,
        max_attachment_bytes=200_000_000,
        max_attachments=12,
        receipts="sent",
        rate_per_second=30.0,
        connections=4,
        send_timeout=timedelta(seconds=150),
        buttons=30,
        button_label=MAX_LABEL,
        replies=True,
        edits=True,
        edit_window=timedelta(days=1),
        deletes=True,
        delete_window=timedelta(days=1),
        groups=True,
        typing=True,
        formatting=True,
    )
    Settings: ClassVar[type[BaseModel]] = MaxSettings

    def __init__(self, settings: BaseModel, context: ChannelContext) -> None:
        super().__init__(settings, context)
        self._own = cast(MaxSettings, settings)
        self._client = MaxClient(
            context.http, self._own.token.get_secret_value(), self._own.api_url
        )
        # Typing is shown in a chat, not to a person: where each person's chat is, as far as seen.
        self._places: dict[str, str] = {}

    @property
    def is_called(self) -> bool:
        """Whether MAX calls the hub; else the hub asks MAX."""
        if self._own.receive == "auto":
            return self.context.hook_url.startswith("https://")
        return self._own.receive == "webhook"

    async def connect(self) -> None:
        """Subscribe the hub's address to the bot's updates; harmless when repeated."""
        url = self.context.hook_url
        if not self.is_called:
            if url and url in await self._subscribed():
                await self._client.call("DELETE", "/subscriptions", params={"url": url})
            return
        body = {
            "url": url,
            "update_types": list(WANTED),
            "secret": self._own.webhook_secret.get_secret_value(),
        }
        await self._client.call("POST", "/subscriptions", json=body)

    async def disconnect(self) -> None:
        """Take the subscription back."""
        if self.context.hook_url:
            await self._client.call(
                "DELETE", "/subscriptions", params={"url": self.context.hook_url}
            )

    async def _subscribed(self) -> list[str]:
        found = (await self._client.call("GET", "/subscriptions")).get("subscriptions")
        return [str(one.get("url")) for one in found or () if isinstance(one, dict)]

    async def inspect(self) -> Health:
        """Ask whether the token still works and MAX still knows the hub's address."""
        known = await self._subscribed()
        if not self.is_called:
            if known:
                text = "MAX sends the updates of this bot to another address"
                return Health(ok=False, webhook="elsewhere", text=text)
            return Health(webhook="polling")
        if self.context.hook_url in known:
            return Health(webhook="ok")
        # MAX drops an address that fails for hours: it is subscribed again.
        await self.connect()
        return Health(ok=False, webhook="missing", text="MAX had dropped this hub's address")

    async def check(self) -> list[Check]:
        """Try the token and the way in; each is a line in words."""
        try:
            me = await self._client.call("GET", "/me")
            known = await self._subscribed()
        except HubError as error:
            return [Check(name="Token", ok=False, text=str(error))]
        name = str(me.get("username") or me.get("first_name") or me.get("user_id"))
        found = [Check(name="Bot", ok=True, text=name)]
        base = self.context.public_url
        if self._own.receive == "webhook" and not base.startswith("https://"):
            found.append(
                Check(
                    name="Receiving",
                    ok=False,
                    text="MAX calls only public https addresses: set one, or choose polling",
                )
            )
            return found
        polls = self._own.receive == "polling" or not base.startswith("https://")
        if polls and known:
            found.append(
                Check(
                    name="Receiving",
                    ok=False,
                    text="MAX sends the updates of this bot to another address",
                )
            )
            return found
        found.append(Check(name="Receiving", ok=True, text="polling" if polls else "webhook"))
        return found

    # -- sending ---------------------------------------------------------------------------

    async def send(self, message: OutboundMessage) -> Sent:
        """Send one message; MAX offers no key, so a lost answer stays unknown."""
        files = [await upload(self._client, self.context.http, one) for one in message.attachments]
        body: dict[str, Any] = {**_words(message), "attachments": files}
        if message.buttons:
            body["attachments"] = [*files, _keyboard(message)]
        if message.quotes:
            body["link"] = {"type": "reply", "mid": message.quotes}
        answer = await self._when_ready(_recipient(message.to), body)
        sent = answer.get("message")
        mid = sent.get("body", {}).get("mid") if isinstance(sent, dict) else None
        if not mid:
            raise OutcomeUnknown("MAX confirmed a message without naming it")
        self._learn(message.to.value, sent)
        return Sent(external_ids=(str(mid),))

    async def _when_ready(self, to: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
        """Post a message as soon as MAX has worked on its files."""
        for attempt in range(NOT_READY_TRIES):
            try:
                return await self._client.call("POST", "/messages", params=to, json=body)
            except NotReady:
                await asyncio.sleep(min(4.0, 0.5 * 2**attempt))
        raise TemporaryFailure("MAX is still working on the files")

    def _learn(self, person: str, message: Any) -> None:
        recipient = message.get("recipient") if isinstance(message, dict) else None
        if isinstance(recipient, dict) and recipient.get("chat_type") == "dialog":
            self._remember(person, str(recipient.get("chat_id") or ""))

    def _remember(self, person: str, chat: str) -> None:
        if person and chat:
            if len(self._places) >= MAX_PLACES:
                self._places.clear()
            self._places[person] = chat

    async def edit(self, message: OutboundMessage, external_id: str) -> Sent:
        """Change the text of a message of ours; its files and buttons stay."""
        await self._client.call(
            "PUT", "/messages", params={"message_id": external_id}, json=_words(message)
        )
        return Sent(external_ids=(external_id,))

    async def delete(self, to: Address, external_id: str) -> None:
        """Take a message of ours back."""
        await self._client.call("DELETE", "/messages", params={"message_id": external_id})

    async def signal(self, to: Address, kind: str, value: str = "") -> None:
        """Show that somebody types, or that the person's messages were read."""
        action = {"typing": "typing_on", "seen": "mark_seen"}.get(kind)
        chat = to.value if to.kind != KIND else self._places.get(to.value, "")
        if action and chat:
            await self._client.call("POST", f"/chats/{chat}/actions", json={"action": action})

    async def acknowledge(self, pressed: ButtonPressed) -> None:
        """Stop the waiting sign on a pressed button."""
        await self._client.call(
            "POST", "/answers", params={"callback_id": pressed.callback}, json={}
        )

    # -- receiving -------------------------------------------------------------------------

    def parse(self, request: WebhookRequest) -> Iterable[Arrival]:
        """Read one update that MAX posted."""
        request.verify_token(
            request.headers.get("x-max-bot-api-secret", ""),
            self._own.webhook_secret.get_secret_value(),
        )
        data = request.json()
        self._remember(*place(data))
        return read_update(data, request.received_at)

    async def listen(self, mark: str) -> AsyncIterator[Batch]:
        """Ask MAX for updates, where it does not call us."""
        if self.is_called:
            await asyncio.Event().wait()
        while True:
            found = await self._client.call(
                "GET",
                "/updates",
                params={
                    "timeout": POLL_SECONDS,
                    "limit": 100,
                    "marker": mark or None,
                    "types": ",".join(WANTED),
                },
                timeout=POLL_SECONDS + 10.0,
            )
            new = found.get("marker")
            updates = found.get("updates")
            if new is None and not updates:
                # An answer that says nothing would otherwise be asked for without a pause.
                await asyncio.sleep(1)
                continue
            mark = str(new) if new is not None else mark
            yield self._batch(updates if isinstance(updates, list) else [], mark)

    def _batch(self, updates: list[Any], mark: str) -> Batch:
        arrivals: list[Arrival] = []
        poison: list[tuple[bytes, str]] = []
        for update in updates:
            try:
                self._remember(*place(update))
                arrivals += read_update(update, self.context.now())
            except Exception as error:  # noqa: BLE001 - one odd update never blocks the rest
                raw = json.dumps(update, ensure_ascii=False).encode(errors="replace")
                poison.append((raw, f"{type(error).__name__}: {error}"))
        return Batch(arrivals=tuple(arrivals), mark=mark, poison=tuple(poison))

    def replay(self, raw: bytes) -> Iterable[Arrival]:
        """Read one quarantined update again."""
        try:
            data = json.loads(raw)
        except ValueError as error:
            raise MalformedPayload("this is not JSON") from error
        return read_update(data, Micros(self.context.now()))

    async def fetch(self, reference: str) -> bytes:
        """Get a file from MAX's storage; its links need no token and expire."""
        private = self._own.has_own_host()
        return await self.context.http.download(reference, private=private)


def _recipient(to: Address) -> dict[str, str]:
    if not to.value.lstrip("-").isdecimal():
        raise PermanentFailure(RejectReason.INVALID_ADDRESS, f"{to.value!r} is nobody at MAX")
    return {"user_id" if to.kind == KIND else "chat_id": to.value}


def _words(message: OutboundMessage) -> dict[str, Any]:
    """Give the text; as HTML where something in it stands out (MAX API, "NewMessageBody").

    The tags count into MAX's limit: where they do not fit, the words go without them.
    """
    words = formatted(message.text)
    rich = words.html("\n")
    if words.spans and len(rich) <= MAX_TEXT:
        return {"text": rich, "format": "html"}
    return {"text": words.text or None}


def _keyboard(message: OutboundMessage) -> dict[str, Any]:
    rows = [
        [
            {"type": "link", "text": one.label[:MAX_LABEL], "url": one.url}
            if one.url
            else {
                "type": "callback",
                "text": one.label[:MAX_LABEL],
                "payload": one.payload or one.label,
            }
        ]
        for one in message.buttons
    ]
    return {"type": "inline_keyboard", "payload": {"buttons": rows}}

"""The VK channel: the messages of one community."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from typing import Any, ClassVar, cast

from pydantic import BaseModel

from channels.vk import callback, long_poll
from channels.vk.arrivals import KIND, external_id, place_of, read_event
from channels.vk.client import VkClient
from channels.vk.files import attached, upload
from channels.vk.keyboard import MAX_BUTTONS, MAX_LABEL, keyboard
from channels.vk.reactions import CHOICES, number_of
from channels.vk.refusals import refusal
from channels.vk.settings import VkSettings
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
    Lane,
    MalformedPayload,
    Micros,
    OutboundMessage,
    OutcomeUnknown,
    PermanentFailure,
    RejectReason,
    Sent,
    Unsupported,
    WebhookAnswer,
    WebhookRequest,
)

MAX_TEXT = 4096
MAX_FILE = 200_000_000
SCOPES = ("messages", "photos", "docs", "manage")
REMEMBERED = timedelta(minutes=55)
"""VK compares `random_id` with the messages of the last hour; five minutes are for clocks."""


class VkChannel(Channel):
    """One community's messages."""

    name: ClassVar[str] = "vk"
    title: ClassVar[str] = "VK"
    icon: ClassVar[str] = "users"
    needs: ClassVar[tuple[str, ...]] = (
        "A VK community of which you are an administrator, with messages switched on.",
        "A token of the community that allows messages, photos, files and management.",
    )
    capabilities: ClassVar[Capabilities] = Capabilities(
        address_kind=KIND,
        vouches=True,
        max_text=MAX_TEXT,
        max_attachment_bytes=MAX_FILE,
        max_attachments=10,
        receipts="read",
        idempotent_send=True,
        idempotent_for=REMEMBERED,
        rate_per_second=20.0,
        connections=2,
        send_timeout=timedelta(seconds=90),
        buttons=MAX_BUTTONS,
        button_label=MAX_LABEL,
        replies=True,
        edits=True,
        edit_window=timedelta(days=1),
        deletes=True,
        delete_window=timedelta(days=1),
        reactions=True,
        reaction_choices=CHOICES,
        groups=True,
        typing=True,
    )
    Settings: ClassVar[type[BaseModel]] = VkSettings

    def __init__(self, settings: BaseModel, context: ChannelContext) -> None:
        super().__init__(settings, context)
        self._own = cast(VkSettings, settings)
        self._client = VkClient(self._own.token.get_secret_value(), self._own.api_url)
        self._inspecting = asyncio.Lock()

    @property
    def calls_back(self) -> bool:
        """Whether VK calls the hub; else the hub asks VK."""
        if self._own.receive == "auto":
            return self.context.hook_url.startswith("https://")
        return self._own.receive == "callback"

    async def connect(self) -> None:
        """Tell VK how the community's events reach the hub; harmless when repeated."""
        group_id, _ = await self._client.community()
        url = self.context.hook_url
        if not self.calls_back:
            await long_poll.switch_on(self._client, self.context, group_id)
            if url:
                await self._forget_callback(group_id, url)
            return
        # VK asks for the string while the server is added: it must be known before.
        code = await callback.confirmation(self._client, group_id)
        await self.context.remember({"confirmation": code})
        secret = self._own.callback_secret.get_secret_value()
        await callback.register(self._client, group_id, url, secret)

    async def _forget_callback(self, group_id: int, url: str) -> None:
        try:
            await callback.unregister(self._client, group_id, url)
        except PermanentFailure as error:
            # A token that may not manage the community cannot have registered it either.
            self.context.log.info(
                "callback_not_removed account=%d error=%s", self.context.account_id, error
            )

    async def disconnect(self) -> None:
        """Take the hub's address off the community."""
        if self.context.hook_url:
            group_id, _ = await self._client.community()
            await callback.unregister(self._client, group_id, self.context.hook_url)

    async def inspect(self) -> Health:
        """Ask whether the token still works and VK still reaches the hub."""
        group_id, _ = await self._client.community()
        if not self.calls_back:
            return Health(webhook="polling")
        # Two at once would both have the address confirmed, each with the other's string.
        async with self._inspecting:
            return await self._inspect_address(group_id)

    async def _inspect_address(self, group_id: int) -> Health:
        try:
            known = await callback.servers(self._client, group_id)
        except PermanentFailure:
            # The address was set by hand, and the token may not look at it.
            return Health()
        ours = [one for one in known if one.get("url") == self.context.hook_url]
        state = str(ours[0].get("status", "")) if ours else "missing"
        if state in ("ok", "wait"):
            return Health(webhook=state)
        await self.connect()
        return Health(ok=False, webhook=state, text="VK does not reach this hub's address")

    async def close(self) -> None:
        """Let the session go."""
        self._client.close()

    async def check(self) -> list[Check]:
        """Try the token, its rights and the way in; each is a line in words."""
        try:
            group_id, name = await self._client.community()
        except HubError as error:
            return [Check(name="Token", ok=False, text=str(error))]
        found = [Check(name="Community", ok=True, text=name)]
        found.append(await self._check_rights())
        try:
            found.append(await self._check_way_in(group_id))
        except HubError as error:
            found.append(Check(name="Receiving", ok=False, text=str(error)))
        return found

    async def _check_rights(self) -> Check:
        try:
            given = await self._client.call("groups.getTokenPermissions")
            names = {one.get("name") for one in given.get("permissions", ())}
        except (HubError, AttributeError) as error:
            return Check(name="Rights of the token", ok=False, text=str(error))
        missing = [one for one in SCOPES if one not in names]
        return Check(name="Rights of the token", ok=not missing, text=", ".join(missing))

    async def _check_way_in(self, group_id: int) -> Check:
        base = self.context.public_url
        if self._own.receive == "callback" and not base.startswith("https://"):
            return Check(
                name="Receiving",
                ok=False,
                text="VK calls only public https addresses: set one, or choose polling",
            )
        if self._own.receive == "polling" or not base.startswith("https://"):
            await self._client.call("groups.getLongPollServer", group_id=group_id)
            return Check(name="Receiving", ok=True, text="polling")
        await callback.confirmation(self._client, group_id)
        for one in await callback.servers(self._client, group_id):
            if str(one.get("url", "")).startswith(f"{base}/hooks/") and one["status"] == "failed":
                return Check(
                    name="Receiving", ok=False, text="VK could not confirm this hub's address"
                )
        return Check(name="Receiving", ok=True, text="callback")

    # -- sending ---------------------------------------------------------------------------

    async def send(self, message: OutboundMessage) -> Sent:
        """Send one message; VK knows a repeat by its `random_id`."""
        peer = _peer(message.to)
        answer = await self._client.call(
            "messages.send",
            peer_ids=peer,
            random_id=random_id(message.idempotency_key),
            message=message.text or None,
            attachment=await self._uploaded(peer, message),
            keyboard=keyboard(message.buttons),
            forward=_reply(message.quotes),
            intent=self._intent(message),
        )
        return Sent(external_ids=(_sent(answer, peer),))

    def _intent(self, message: OutboundMessage) -> str | None:
        """Give what a message to many is declared as; answers are what VK takes them for."""
        if message.lane is not Lane.MAILING:
            return None
        advertising = bool(message.unsubscribe_url)
        found = self._own.advertising_intent if advertising else self._own.service_intent
        return None if found == "default" else found

    async def edit(self, message: OutboundMessage, external_id: str) -> Sent:
        """Change a message of ours; VK allows it for a day."""
        peer, number = _place(external_id)
        await self._client.call(
            "messages.edit",
            peer_id=peer,
            cmid=number,
            message=message.text,
            # What is not named again would be taken away.
            attachment=await attached(self._client, peer, number) if message.attachments else None,
            keyboard=keyboard(message.buttons),
            keep_forward_messages=True,
            keep_snippets=True,
        )
        return Sent(external_ids=(external_id,))

    async def delete(self, to: Address, external_id: str) -> None:
        """Take a message of ours back for everybody."""
        peer, number = _place(external_id)
        await self._client.call("messages.delete", peer_id=peer, cmids=number, delete_for_all=True)

    async def react(self, to: Address, external_id: str, emoji: str) -> None:
        """React to a message; an empty emoji takes the reaction back."""
        peer, number = _place(external_id)
        if not emoji:
            await self._client.call("messages.deleteReaction", peer_id=peer, cmid=number)
            return
        reaction = number_of(emoji)
        if not reaction:
            raise Unsupported("reactions", f"VK has no reaction {emoji}")
        await self._client.call(
            "messages.sendReaction", peer_id=peer, cmid=number, reaction_id=reaction
        )

    async def signal(self, to: Address, kind: str, value: str = "") -> None:
        """Show the person that somebody types, or that his messages were read."""
        peer = _peer(to)
        if kind == "typing":
            await self._client.call("messages.setActivity", peer_id=peer, type="typing")
        elif kind == "seen":
            await self._client.call(
                "messages.markAsRead", peer_id=peer, mark_conversation_as_read=True
            )

    async def acknowledge(self, pressed: ButtonPressed) -> None:
        """Stop the waiting sign on a pressed button; VK takes the answer for a minute."""
        peer, _, event_id = pressed.callback.partition(":")
        await self._client.call(
            "messages.sendMessageEventAnswer",
            event_id=event_id,
            user_id=pressed.sender.value,
            peer_id=peer,
        )

    async def _uploaded(self, peer: int, message: OutboundMessage) -> str | None:
        names = [
            await upload(self._client, self.context.http, peer, one) for one in message.attachments
        ]
        return ",".join(names) or None

    # -- receiving -------------------------------------------------------------------------

    def parse(self, request: WebhookRequest) -> Iterable[Arrival] | WebhookAnswer:
        """Read one event of the Callback API."""
        data = request.json()
        if not isinstance(data, dict):
            raise MalformedPayload("this is not an event of VK")
        if data.get("type") == "confirmation":
            # Asked before there is a secret at VK's side; the answer is no secret.
            code = self._own.confirmation_code or self.context.memory.get("confirmation", "")
            if not code:
                return WebhookAnswer(status=503, body=b"not ready")
            return WebhookAnswer(body=code.encode())
        secret = data.pop("secret", "")
        request.verify_token(
            secret if isinstance(secret, str) else "",
            self._own.callback_secret.get_secret_value(),
        )
        return read_event(data, request.received_at)

    async def listen(self, mark: str) -> AsyncIterator[Batch]:
        """Ask VK for events, where it does not call us."""
        if self.calls_back:
            await asyncio.Event().wait()
        async for batch in long_poll.batches(self._client, self.context, mark):
            yield batch

    def replay(self, raw: bytes) -> Iterable[Arrival]:
        """Read one quarantined event again."""
        try:
            data = json.loads(raw)
        except ValueError as error:
            raise MalformedPayload("this is not JSON") from error
        return read_event(data, Micros(self.context.now()))

    async def fetch(self, reference: str) -> bytes:
        """Get a file from VK's storage; its links need no token and expire."""
        private = self._own.has_own_host()
        return await self.context.http.download(reference, private=private)


def random_id(key: str) -> int:
    """Give VK's number of a message from our key of its outbox row: 31 bits, never 0.

    The same on every attempt, so that VK recognises a repeat; 0 would switch that off.
    """
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big")
    return number & 0x7FFFFFFF or 1


def _peer(to: Address) -> int:
    try:
        return int(to.value)
    except ValueError as error:
        text = f"{to.value!r} is nobody at VK"
        raise PermanentFailure(RejectReason.INVALID_ADDRESS, text) from error


def _place(external: str) -> tuple[int, int]:
    try:
        return place_of(external)
    except ValueError as error:
        raise PermanentFailure(RejectReason.OTHER, "this is no message of VK") from error


def _reply(quotes: str) -> str | None:
    """Give the `forward` that makes a message an answer to another one."""
    if not quotes:
        return None
    try:
        peer, number = place_of(quotes)
    except ValueError:
        return None
    return json.dumps({"peer_id": peer, "conversation_message_ids": [number], "is_reply": True})


def _sent(answer: Any, peer: int) -> str:
    """Read what VK says of each peer; there is one."""
    one = answer[0] if isinstance(answer, list) and answer else None
    if not isinstance(one, dict):
        raise OutcomeUnknown("VK confirmed a message without naming it")
    error = one.get("error")
    if isinstance(error, dict):
        raise refusal(int(error.get("code", 0)), str(error.get("description", "")))
    number = one.get("conversation_message_id")
    if not number:
        raise OutcomeUnknown("VK confirmed a message without naming it")
    return external_id(int(one.get("peer_id") or peer), int(number))

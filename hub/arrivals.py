"""What comes in from the channels becomes commands: screened, labelled, its bytes kept.

Nothing here commits anything, save that files lie in the blob store before the row that names them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from crm_store.addresses import blocked_addresses
from crm_store.presence import dialog_of
from dialogs.inbound_rows import INLINE_RAW
from hub.commands import Command, Receive, RecordArrival, RecordReceipt
from hub.errors import UntrustedRequest
from hub.events import AddressChanged, Event
from hub.extensions import Classifying, Label, Screening, Verdict, VerdictKind
from hub.feed import Signal
from hub.ids import AccountId, DialogId
from hub.kept_arrivals import put_aside
from hub.messages import Arrival, DeliveryReceipt, InboundMessage, Presence
from hub.records.system import Account

if TYPE_CHECKING:
    from hub.runtime import Runtime

T = TypeVar("T")

TOKEN_DAYS = 1100
"""How long the token of a dialog in a mail address is believed."""


class Arrivals:
    """Makes the commands of one hub's arrivals."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.blocked: dict[tuple[str, str], str] = {}

    async def start(self) -> None:
        """Learn which addresses are blocked."""
        self.blocked = await self._runtime.database.read(blocked_addresses)

    def remember_blocked(self, events: list[Event]) -> None:
        """Learn it anew when it changed."""
        if any(
            isinstance(one, AddressChanged) and one.what in ("blocked", "unblocked")
            for one in events
        ):
            self.blocked = self._runtime.database.read_now(blocked_addresses)

    async def commands(
        self, account: Account, arrivals: Sequence[Arrival], *, judged: bool = False
    ) -> list[Command]:
        """Give the command of each arrival in their order; presence is told at once and has none.

        `judged` arrivals are let in by a person: no screen is asked about them.
        """
        commands: list[Command] = []
        texts = [one for one in arrivals if isinstance(one, InboundMessage)]
        # Side by side, because the files of a letter wait for the disk.
        screened = iter(await gathered([self._screened(account, one, judged) for one in texts]))
        for arrival in arrivals:
            if isinstance(arrival, Presence):
                await self._presence(account.id, arrival)
            elif isinstance(arrival, InboundMessage):
                commands.append(next(screened))
            elif isinstance(arrival, DeliveryReceipt):
                commands.append(RecordReceipt(account_id=account.id, receipt=arrival))
            else:
                commands.append(RecordArrival(account_id=account.id, arrival=arrival))
        return commands

    async def _screened(self, account: Account, message: InboundMessage, judged: bool) -> Command:
        """Ask the screens, then make the command: the message, or what becomes of it instead."""
        if not judged and self._runtime.plugins.with_hook("screen_inbound"):
            screening = Screening(
                message=message,
                account_id=account.id,
                channel=account.channel,
                blocked=self.blocked.get((message.sender.kind, message.sender.value), ""),
            )
            answer = await self._runtime.plugins.decide(
                "screen_inbound", Verdict, screening=screening
            )
            if answer is not None:
                plugin, verdict = answer
                _, channel = await self._runtime.channel_host.get(account.id)
                return put_aside(
                    account.id,
                    channel,
                    message,
                    f"{plugin}: {verdict.reason}",
                    "dropped" if verdict.kind is VerdictKind.DROP else "screened",
                )
        blobs: tuple[tuple[str, str, int], ...] = ()
        raw_blob = ""
        if (
            any(one.content is not None for one in message.attachments)
            or len(message.raw) > INLINE_RAW
        ):
            blobs, raw_blob = await asyncio.to_thread(self._keep_bytes, message)
        return Receive(
            account_id=account.id,
            message=message,
            proof=self._proof(message.dialog_token),
            blobs=blobs,
            raw_blob=raw_blob,
            label=await self._label(account, message),
        )

    async def _label(self, account: Account, message: InboundMessage) -> Mapping[str, object]:
        """Ask the classifiers what a message is about."""
        if not self._runtime.plugins.with_hook("classify"):
            return {}
        seen = Classifying(message=message, account_id=account.id, channel=account.channel)
        answer = await self._runtime.plugins.decide("classify", Label, classifying=seen)
        if answer is None:
            return {}
        plugin, label = answer
        return {
            "name": label.name[:60],
            "reason": label.reason[:400],
            "confidence": max(0, min(100, label.confidence)),
            "by": plugin,
        }

    def _keep_bytes(self, message: InboundMessage) -> tuple[tuple[tuple[str, str, int], ...], str]:
        files = tuple(
            self._runtime.blobs.put(one.content) if one.content is not None else ("", "", 0)
            for one in message.attachments
        )
        raw_blob = self._runtime.blobs.put(message.raw)[0] if len(message.raw) > INLINE_RAW else ""
        return files, raw_blob

    def _proof(self, token: str) -> DialogId:
        if not token:
            return DialogId(0)
        try:
            return DialogId(int(self._runtime.keys.unsign("dialog", token, TOKEN_DAYS)))
        except (UntrustedRequest, ValueError):
            return DialogId(0)

    async def _presence(self, account_id: AccountId, presence: Presence) -> None:
        dialog_id = await self._runtime.database.read(
            lambda conn: dialog_of(conn, account_id, presence.sender, presence.thread_key)
        )
        if dialog_id:
            self._runtime.feed.signal(
                Signal(kind=presence.kind.value, dialog_id=dialog_id, contact=True)
            )


async def gathered(calls: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Await calls side by side; a single one without the cost of a task."""
    if len(calls) == 1:
        return [await calls[0]]
    return list(await asyncio.gather(*calls))

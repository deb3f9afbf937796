"""Signals: what is true only now (somebody types, looks, has read), shown in every process.

They are never stored. A process hears the others through the bus, where there are others.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hub.feed import Signal
from hub.ids import AccountId, DialogId, UserId
from hub.messages import Address

if TYPE_CHECKING:
    from hub.bus import Bus
    from hub.runtime import Runtime

log = logging.getLogger("hub.signals")
LONGEST = 400


class Signals:
    """What one process shows, and tells the others to show."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._showing: set[asyncio.Task[None]] = set()
        self.bus: Bus | None = None

    def start(self) -> None:
        """Join the other processes, where the database can carry word between them."""
        runtime = self._runtime
        if runtime.database.dialect == "postgresql":
            # PostgreSQL's driver is loaded where PostgreSQL is.
            from hub.bus import Bus

            self.bus = Bus(runtime.settings.database, runtime.owner, runtime.feed.wake, self._heard)
            runtime.feed.tell_others = self._tell
            self.bus.start()

    async def stop(self) -> None:
        """Leave."""
        if self.bus is not None:
            await self.bus.stop()
        await asyncio.gather(*self._showing, return_exceptions=True)

    def committed(self) -> None:
        """Tell the others that there are new facts; safe from every thread."""
        if self.bus is not None:
            self.bus.facts()

    async def show_person(
        self, account_id: AccountId, channel: str, to: Address, kind: str, value: str
    ) -> None:
        """Show a signal to the person outside, where the channel can; raises what the channel does.

        A provider is told once. Browsers hang in whichever process they came to, so a channel of
        browsers is told in every one.
        """
        known = self._runtime.channels.get(channel)
        if known is None or not known.capabilities.typing:
            return
        if known.browsers and self.bus is not None:
            self.bus.send(
                {
                    "what": "person",
                    "account": account_id,
                    "to": [to.kind, to.value],
                    "kind": kind,
                    "value": value[:LONGEST],
                }
            )
        _, live = await self._runtime.channel_host.get(account_id)
        await live.signal(to, kind, value)

    def _tell(self, signal: Signal) -> None:
        if self.bus is not None:
            self.bus.send(
                {
                    "what": "signal",
                    "kind": signal.kind,
                    "dialog": signal.dialog_id,
                    "user": signal.user_id,
                    "contact": signal.contact,
                    "value": signal.value[:LONGEST],
                }
            )

    def _heard(self, message: Mapping[str, Any]) -> None:
        if message["what"] == "signal":
            self._runtime.feed.pass_on(
                Signal(
                    kind=str(message["kind"]),
                    dialog_id=DialogId(message["dialog"]),
                    user_id=UserId(message["user"]),
                    contact=bool(message["contact"]),
                    value=str(message["value"]),
                )
            )
        elif message["what"] == "person":
            task = asyncio.create_task(self._show_here(message))
            self._showing.add(task)
            task.add_done_callback(self._showing.discard)

    async def _show_here(self, message: Mapping[str, Any]) -> None:
        kind, value = message["to"]
        try:
            _, channel = await self._runtime.channel_host.get(AccountId(message["account"]))
            if channel.browsers:
                to = Address(kind=kind, value=value)
                await channel.signal(to, message["kind"], message["value"])
        except Exception as error:  # noqa: BLE001 - a signal that is not shown is no loss
            log.info("signal_not_shown error=%s", type(error).__name__)

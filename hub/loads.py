"""Claimed deliveries, read and filled in, each kind of them at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, Select, select

from crm_store.outgoing import outgoing_many, trying_since, unsure_since
from crm_store.rows import among, listed
from crm_store.tables.outbox import deliveries
from dialogs.splitting import split_text
from hub.capabilities import Capabilities
from hub.channel import Channel, in_thread
from hub.errors import HubError, NotFound
from hub.ids import DeliveryId
from hub.many_rendering import Contents, many_messages
from hub.messages import DeliveryStatus, OutboundMessage
from hub.notice_letters import NothingToTell, NoticeLetters
from hub.outcomes import FORGOTTEN, US, Outcome

if TYPE_CHECKING:
    from hub.runtime import Runtime

log = logging.getLogger("hub.dispatcher")
Reading = Callable[[Connection, Sequence[Row[Any]]], Mapping[int, OutboundMessage | Exception]]


@dataclass(slots=True)
class Load:
    """One claimed delivery, read and filled in; `fault` is why the channel could not make it.

    `making` is what makes it, or made it, on a thread. `since` is when it was first tried, 0 where
    it was not.
    """

    id: DeliveryId
    fence: int
    message: OutboundMessage
    parts: Sequence[OutboundMessage]
    charged: int
    attempt: int
    since: int
    fault: Exception | None = None
    making: asyncio.Future[None] | None = None


class Loads:
    """Reads what one account's channel is to carry."""

    def __init__(
        self, runtime: Runtime, channel: Channel, contents: Contents, letters: NoticeLetters
    ) -> None:
        self._runtime = runtime
        self._channel = channel
        self._limits = channel.capabilities
        self._contents = contents
        self._letters = letters

    def read(
        self, conn: Connection, fences: Mapping[DeliveryId, int]
    ) -> tuple[list[Load], dict[DeliveryId, Outcome]]:
        """Give what was claimed as messages in the order of the claim, and what cannot be one."""
        dialect = conn.dialect.name
        given = {"b_ids": listed(dialect, fences)}
        rows = {row.id: row for row in conn.execute(_claimed(dialect), given)}
        made: dict[int, OutboundMessage | Exception] = {
            **self._each(self._said, conn, [row for row in rows.values() if row.message_id]),
            **self._each(self._filled, conn, [row for row in rows.values() if row.send_id]),
            **self._letters.read(conn, [row for row in rows.values() if row.user_id]),
        }
        again = [row.id for row in rows.values() if row.attempts]
        tried = trying_since(conn, again) if again else {}
        files: dict[str, bytes] = {}
        loads, failed = [], {}
        for number, fence in fences.items():
            row = rows.get(number)
            try:
                if row is None or number not in made:
                    raise NotFound("there is no such delivery")
                message, attempt = made[number], row.attempts
                if isinstance(message, Exception):
                    raise message
                if attempt and self._is_forgotten(conn, number):
                    failed[number] = FORGOTTEN
                    continue
                message = self._with_bytes(message, files)
            except NothingToTell:
                failed[number] = Outcome(DeliveryStatus.SUPPRESSED, reason="seen")
                continue
            except HubError as error:
                failed[number] = Outcome(DeliveryStatus.FAILED, reason="other", text=str(error))
                continue
            except Exception:
                # A fault of ours: it is tried again when its lease is over, the others go on.
                log.exception("reading_failed delivery=%d", number)
                continue
            parts = _parts(message, self._limits)
            charged = _charged(self._channel, message)
            since = tried.get(number, 0)
            loads.append(Load(number, fence, message, parts, charged, attempt, since))
        return loads, failed

    def make(self, loads: Iterable[Load]) -> None:
        """Have the channel make what is heavy about messages beside the loop, each once."""
        if not type(self._channel).overrides("make"):
            return
        if new := [one for one in loads if one.making is None]:
            making = asyncio.ensure_future(in_thread(self._make, new))
            for one in new:
                one.making = making

    def _make(self, loads: Sequence[Load]) -> None:
        for load in loads:
            try:
                load.parts = [replace(part, made=self._channel.make(part)) for part in load.parts]
            except Exception as error:  # noqa: BLE001 - judged where it would have been sent
                load.fault = error

    def _said(
        self, conn: Connection, rows: Sequence[Row[Any]]
    ) -> Mapping[int, OutboundMessage | Exception]:
        """Give what is said in dialogs."""
        return outgoing_many(conn, rows, self._runtime.keys)

    def _filled(
        self, conn: Connection, rows: Sequence[Row[Any]]
    ) -> Mapping[int, OutboundMessage | Exception]:
        """Give what goes to many, filled in."""
        return many_messages(self._runtime, conn, self._contents, rows)

    def _each(
        self, reading: Reading, conn: Connection, rows: Sequence[Row[Any]]
    ) -> Mapping[int, OutboundMessage | Exception]:
        """Read all at once unless one of them breaks it: then each alone, with what broke it."""
        if not rows:
            return {}
        try:
            return reading(conn, rows)
        except Exception as error:  # noqa: BLE001 - told for each below
            if len(rows) == 1:
                return {rows[0].id: error}
            return {
                number: one
                for row in rows
                for number, one in self._each(reading, conn, [row]).items()
            }

    def _is_forgotten(self, conn: Connection, delivery_id: DeliveryId) -> bool:
        """Whether an attempt that may have arrived is too old for a repeat to be harmless."""
        if self._limits.idempotent_for is None:
            return False
        since = unsure_since(conn, delivery_id)
        age = self._runtime.now() - since
        return bool(since) and age >= self._limits.idempotent_for.total_seconds() * US

    def _with_bytes(self, message: OutboundMessage, files: dict[str, bytes]) -> OutboundMessage:
        if not message.attachments:
            return message
        filled = []
        for one in message.attachments:
            content = files.get(one.reference)
            if content is None:
                content = files[one.reference] = self._runtime.blobs.get(one.reference)
            filled.append(replace(one, content=content, size=len(content)))
        return replace(message, attachments=tuple(filled))


@cache
def _claimed(dialect: str) -> Select[Any]:
    return select(deliveries).where(among(dialect, deliveries.c.id, "b_ids"))


def _charged(channel: Channel, message: OutboundMessage) -> int:
    """Give how many messages the provider counts for one, 0 where the channel does not say."""
    if message.template or not type(channel).overrides("measure"):
        return 0
    measured = channel.measure(message.text)
    return measured.parts if measured is not None else 0


def _parts(message: OutboundMessage, capabilities: Capabilities) -> Sequence[OutboundMessage]:
    texts = split_text(message.text, capabilities.max_text)
    if len(texts) == 1 or message.template:
        return [message]
    parts = []
    for n, text in enumerate(texts):
        last = n == len(texts) - 1
        parts.append(
            replace(
                message,
                text=text,
                idempotency_key=f"{message.idempotency_key}/{n}",
                attachments=message.attachments if last else (),
                buttons=message.buttons if last else (),
            )
        )
    return parts

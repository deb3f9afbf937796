"""Rules 8 to 13, and the incoming halves of 14 and 15: what may come in, and what may not."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hub.channel import Channel
from hub.errors import MalformedPayload, UntrustedRequest
from hub.ids import Micros
from hub.messages import (
    Arrival,
    Attachment,
    ButtonPressed,
    DeliveryReceipt,
    DeliveryStatus,
    InboundMessage,
    Presence,
    Sent,
)
from hub.testing.arrivals import check_arrival
from hub.testing.channel_case import ChannelCase
from hub.testing.checks import Broken, check, expect
from hub.testing.samples import CONTROLS, FILE, NOW, TEXTS, garbage, outbound
from hub.webhook_request import WebhookAnswer

_LADDER = (DeliveryStatus.SENT, DeliveryStatus.DELIVERED, DeliveryStatus.READ)


def reads(case: type[ChannelCase]) -> bool:
    """Asked of channels that can be given bytes to read."""
    return case.channel.pushes() or case.channel.replay is not Channel.replay


def pushes(case: type[ChannelCase]) -> bool:
    """Asked of channels with a webhook."""
    return case.channel.pushes()


def _reports(case: type[ChannelCase]) -> bool:
    return reads(case) and case.channel.capabilities.receipts in ("delivered", "read")


def _takes_files(case: type[ChannelCase]) -> bool:
    return reads(case) and case.channel.capabilities.max_attachment_bytes > 0


class ReceivingChecks(ChannelCase):
    """What becomes of bytes that somebody brings."""

    def _kinds(self) -> tuple[str, ...]:
        return self.kinds or (self.can().address_kind,)

    def _bodies(self) -> dict[str, bytes]:
        return {"a message": self.message(TEXTS["plain"]), **self.samples()}

    def _keys(self, arrivals: list[Arrival]) -> list[tuple[str, str]]:
        return [
            (one.dedupe_key, str(getattr(one, "external_id", "")))
            for one in arrivals
            if not isinstance(one, Presence)
        ]

    def _one(self, channel: Channel, body: bytes, where: str) -> InboundMessage:
        found = [
            one for one in self.arrivals(channel, body, where) if isinstance(one, InboundMessage)
        ]
        expect(len(found) == 1, f"{where} became {len(found)} messages, not one")
        return found[0]

    @check(8, "inbound", asks=reads)
    def test_what_comes_in_is_normalised_with_stable_ids(self) -> None:
        """Every sample becomes well-formed arrivals; a redelivery has the same keys."""
        with self.playing() as far:
            channel = self.build(far.url)
            seen: dict[str, list[tuple[str, str]]] = {}
            for name, body in self._bodies().items():
                found = self.arrivals(channel, body, name)
                expect(found, f"{name} became nothing")
                for one in found:
                    check_arrival(one, self._kinds(), name)
                keys = self._keys(found)
                expect(len(set(keys)) == len(keys), f"{name}: two arrivals have one dedupe_key")
                seen[name] = keys
            message = self._one(channel, self._bodies()["a message"], "a message")
            expect(message.sent_at, "a message has no time: sent_at is 0")
            self._redelivered(far.url, seen)
            self._differ(channel)
            if self.can().buttons:
                pressed = [
                    one
                    for name, body in self._bodies().items()
                    for one in self.arrivals(channel, body, name)
                    if isinstance(one, ButtonPressed)
                ]
                expect(pressed, "buttons are claimed: give a sample of a pressed one")

    def _redelivered(self, url: str, seen: dict[str, list[tuple[str, str]]]) -> None:
        bodies = self._bodies()
        self.now = Micros(NOW + 60 * 1_000_000)
        try:
            later = self.build(url)
            for name, keys in seen.items():
                again = self._keys(self.arrivals(later, bodies[name], f"{name}, redelivered"))
                expect(
                    again == keys, f"{name} has other keys when redelivered: {again}, not {keys}"
                )
        finally:
            self.now = NOW

    def _differ(self, channel: Channel) -> None:
        first = self._one(channel, self.message("yes", 1), "a message")
        second = self._one(channel, self.message("yes", 2), "another message")
        expect(
            first.dedupe_key != second.dedupe_key,
            f"two messages with one text have one dedupe_key: {first.dedupe_key!r}",
        )
        expect(
            first.external_id != second.external_id,
            f"two messages have one external_id: {first.external_id!r}",
        )

    @check(9, "pure", asks=reads)
    def test_reading_is_pure_and_repeatable(self) -> None:
        """The same bytes give the same arrivals, at any hour, without asking anybody."""
        with self.playing() as far:
            channel = self.build(far.url)
            for name, body in self._bodies().items():
                request = self.sign(body) if channel.pushes() else None

                def read(request: Any = request, body: bytes = body) -> Any:
                    if request is not None:
                        return self.parse(channel, request)
                    return self.read(channel, body)

                with _offline():
                    first = read()
                    second = read()
                    self.now = Micros(NOW + 86_400 * 1_000_000)
                    with _clock_ahead():
                        third = read()
                    self.now = NOW
                expect(first == second, f"{name} read twice gives two results")
                expect(first == third, f"{name} read tomorrow gives another result")
            expect(not far.requests, "reading asked the vendor; it must be pure")

    @check(10, "receipts", asks=_reports)
    def test_receipts_speak_of_what_was_sent_in_words_of_the_ladder(self) -> None:
        """A receipt names the external id that `send` returned, and says no more than claimed."""

        async def work(url: str) -> str:
            async with self.opened(url) as channel:
                sent = await self.attempt(channel, outbound(self.to()))
                expect(isinstance(sent, Sent), f"the send before it failed: {sent!r}")
                assert isinstance(sent, Sent)
                return sent.external_ids[0]

        with self.playing() as far:
            external_id = self.run(work(far.url))
            channel = self.build(far.url)
            keys: set[str] = set()
            best = DeliveryStatus(self.can().receipts)
            for status in (*_LADDER, DeliveryStatus.FAILED):
                body = self.receipt(status, external_id)
                if body is None:
                    expect(status is not best, f"receipts={best.value!r} is claimed: give one")
                    continue
                higher = status in _LADDER and _LADDER.index(status) > _LADDER.index(best)
                expect(not higher, f"receipts={best.value!r} is claimed, but {status.value} comes")
                keys |= self._receipt(channel, body, status, external_id, keys)

    def _receipt(
        self,
        channel: Channel,
        body: bytes,
        status: DeliveryStatus,
        external_id: str,
        seen: set[str],
    ) -> set[str]:
        where = f"a receipt ({status.value})"
        found = self.arrivals(channel, body, where)
        for one in found:
            check_arrival(one, self._kinds(), where)
        mine = [one for one in found if isinstance(one, DeliveryReceipt)]
        expect(
            any(one.status is status and one.external_id == external_id for one in mine),
            f"{where} of {external_id!r} became "
            f"{[(one.status.value, one.external_id) for one in mine]}",
        )
        keys = {one.dedupe_key for one in mine}
        expect(not keys & seen, f"{where} has the dedupe_key of another status: {keys & seen}")
        return keys

    @check(11, "forged", asks=pushes)
    def test_only_the_vendor_is_believed(self) -> None:
        """Unsigned, forged and expired requests are refused, a rotated key is known."""
        body = self.message(TEXTS["plain"])
        channel = self.reader()
        good = self.sign(body)
        expect(self._taken(channel, good), "the signed sample itself was refused")
        for name, request in self.forged(good):
            self._is_refused(channel, request, f"a request {name}")
        self._other_keys(good)
        if self.expires_after is not None:
            for words, step in (("old", self.expires_after), ("future", -self.expires_after)):
                margin = timedelta(seconds=60) if step > timedelta(0) else timedelta(seconds=-60)
                late = Micros(good.received_at + int((step + margin).total_seconds() * 1_000_000))
                self._is_refused(
                    channel, replace(good, received_at=late), f"a request with an {words} signature"
                )
        rotated = self.rotated_settings("http://127.0.0.1:9")
        if rotated is not None:
            both = self.build("http://127.0.0.1:9", changes=rotated)
            expect(self._taken(both, good), "a request signed with the older key was refused")

    def _other_keys(self, good: Any) -> None:
        expect(self.signing_fields, "name the settings that the proof is made with: signing_fields")
        settings = dict(self.settings("http://127.0.0.1:9"))
        for field in self.signing_fields:
            expect(field in settings, f"signing_fields names {field!r}, which settings() lacks")
            value = str(settings[field])
            other = self.build(
                "http://127.0.0.1:9",
                changes={field: value[:-1] + ("1" if value[-1] != "1" else "2")},
            )
            self._is_refused(other, good, f"a request that was signed with another {field}")
            try:
                empty = self.build("http://127.0.0.1:9", changes={field: ""})
            except ValueError:
                continue
            self._is_refused(empty, good, f"a request to an account whose {field} is empty")

    def _taken(self, channel: Channel, request: Any) -> bool:
        try:
            found = self.parse(channel, request)
        except UntrustedRequest:
            return False
        return not isinstance(found, WebhookAnswer) and bool(found)

    def _is_refused(self, channel: Channel, request: Any, words: str) -> None:
        try:
            found = self.parse(channel, request)
        except UntrustedRequest:
            return
        except Exception as error:
            raise Broken(
                f"{words} ended with {type(error).__name__}, not UntrustedRequest: {error}"
            ) from error
        if isinstance(found, WebhookAnswer):
            expect(found.status in (401, 403), f"{words} was answered with {found.status}")
            return
        expect(False, f"{words} was believed: {found!r:.200}")

    @check(12, "garbage", asks=reads)
    def test_garbage_never_escapes_as_a_bare_error(self) -> None:
        """Noise, cut and spoilt bodies, signed or not: understood, refused or malformed."""
        channel = self.reader()
        for name, good in self._bodies().items():
            for what, body in garbage(good):
                where = f"{name}: {what}"
                try:
                    found = self.read(channel, body)
                except (UntrustedRequest, MalformedPayload):
                    continue
                except Exception as error:
                    raise Broken(
                        f"{where}: {type(error).__name__}: {error!s:.200}; raise MalformedPayload"
                    ) from error
                if not isinstance(found, WebhookAnswer):
                    for one in found:
                        check_arrival(one, self._kinds(), where, meant=False)

    @check(12, "unknown", asks=reads)
    def test_an_unknown_kind_is_shown_as_unsupported(self) -> None:
        """A kind of message that nobody knew of is seen by the agent, with its raw bytes kept."""
        found = self.arrivals(self.reader(), self.unknown(), "a message of an unknown kind")
        shown = [one for one in found if isinstance(one, InboundMessage) and one.unsupported]
        expect(shown, "a message of an unknown kind became no InboundMessage with `unsupported`")
        for one in shown:
            check_arrival(one, self._kinds(), "a message of an unknown kind")
            expect(one.raw, "its raw bytes are not kept in `raw`")

    @check(13, "echo", asks=lambda case: reads(case) and case.channel.capabilities.sends)
    def test_our_own_messages_are_not_taken_in_again(self) -> None:
        """What comes back of ours is no customer's message."""

        async def work(url: str) -> str:
            async with self.opened(url) as channel:
                sent = await self.attempt(channel, outbound(self.to()))
                return sent.external_ids[0] if isinstance(sent, Sent) else "1"

        with self.playing() as far:
            bodies = list(self.echo(self.run(work(far.url))))
            expect(bodies, "echo() gives no body")
            for body in bodies:
                found = self.arrivals(self.build(far.url), body, "an echo")
                taken = [one for one in found if isinstance(one, InboundMessage)]
                expect(not taken, f"a message of ours came in again: {taken!r:.200}")

    @check(14, "text in", asks=reads)
    def test_every_text_comes_in_as_it_was_written(self) -> None:
        """Emoji, right to left, marks: whole. Nul bytes vanish."""
        channel = self.reader()
        for name, text in TEXTS.items():
            message = self._one(channel, self.message(text), f"the text {name!r}")
            expect(
                message.text.replace("\r\n", "\n") == text,
                f"the text {name!r} came in as {message.text!r:.200}, not as {text!r}",
            )
        message = self._one(channel, self.message(CONTROLS), "a text with nul bytes")
        expect("\x00" not in message.text, "nul bytes came in")
        length = self.longest_text
        long = self._one(channel, self.message("й" * length), f"{length} letters")
        expect("й" * min(length, 4000) in long.text, "a long text was cut below 4000 letters")

    @check(15, "files in", asks=_takes_files)
    def test_a_file_comes_in_with_every_byte(self) -> None:
        """The bytes are there, or a reference from which `fetch` gets them."""

        async def work(url: str) -> None:
            async with self.opened(url) as channel:
                body = self.with_file(FILE)
                message = self._one(channel, body, "a message with a file")
                expect(message.attachments, "a message with a file has no attachment")
                check_arrival(message, self._kinds(), "a message with a file")
                file = message.attachments[0]
                expect(file.name, "the file has no name")
                expect("/" in file.media_type, f"the file's media type is {file.media_type!r}")
                await self._same(channel, file)

        with self.playing() as far:
            self.run(work(far.url))

    async def _same(self, channel: Channel, file: Attachment) -> None:
        if file.content is not None:
            expect(file.content == FILE, "the file's bytes are not those that were sent")
            return
        expect(await channel.fetch(file.reference) == FILE, "fetch gave other bytes")
        self.far.close()
        try:
            await channel.fetch(file.reference)
        except (LookupError, TypeError, AttributeError) as error:
            raise Broken(
                f"fetch from a vendor that is gone ended with {error!r}, not TemporaryFailure"
            ) from error
        except Exception:  # noqa: BLE001 - the hub tries again, whatever the network said
            return
        expect(False, "fetch from a vendor that is gone gave bytes")


@contextmanager
def _offline() -> Iterator[None]:
    """Whoever calls the network meanwhile is told that reading is pure."""

    def refuse(*_: object) -> None:
        raise Broken("reading opens a connection; it must be pure")

    old = {name: getattr(socket.socket, name) for name in ("connect", "connect_ex")}
    for name in old:
        setattr(socket.socket, name, refuse)
    try:
        yield
    finally:
        for name in old:
            delattr(socket.socket, name)


@contextmanager
def _clock_ahead() -> Iterator[None]:
    """It is tomorrow for `time.time` and `time.time_ns`."""
    seconds, nanoseconds = time.time, time.time_ns
    time.time = lambda: seconds() + 86_400
    time.time_ns = lambda: nanoseconds() + 86_400 * 10**9
    try:
        yield
    finally:
        time.time, time.time_ns = seconds, nanoseconds

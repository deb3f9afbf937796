"""Rules 3 to 7, and the outgoing halves of 14 and 15: what a send may end with."""

from __future__ import annotations

import asyncio
from typing import Any

from hub.capabilities import Capabilities
from hub.channel import Channel
from hub.errors import PermanentFailure, RejectReason, TemporaryFailure, Unsupported
from hub.formatting import formatted
from hub.messages import Attachment, Button, DeliveryStatus, OutboundMessage, Sent
from hub.testing.channel_case import LONG, ChannelCase, free_port
from hub.testing.checks import check, expect
from hub.testing.far_side import Scene
from hub.testing.samples import CONTROLS, FILE, FORMATTED, TEXTS, outbound

SIGNS = ("x", "й", "😀", "é ", "<")
"""Signs that vendors count in different ways: letters, bytes, UTF-16 halves, after escaping."""


def sends(case: type[ChannelCase]) -> bool:
    """Asked of channels that send."""
    return case.channel.capabilities.sends


def _can(**wanted: bool) -> Any:
    def asks(case: type[ChannelCase]) -> bool:
        can = case.channel.capabilities
        return can.sends and all(bool(getattr(can, name)) for name in wanted)

    return asks


class SendingChecks(ChannelCase):
    """What becomes of a message on its way out."""

    def _try(self, scene: Scene, *messages: OutboundMessage) -> list[Sent | BaseException]:
        async def work(url: str) -> list[Sent | BaseException]:
            async with self.opened(url) as channel:
                return [await self.attempt(channel, one) for one in messages]

        with self.playing(scene) as far:
            return self.run(work(far.url))

    @check(3, "accepted", asks=sends)
    def test_an_accepted_send_returns_an_external_id(self) -> None:
        """The vendor's name of the message comes back: receipts will use it."""
        [result] = self._try(Scene.ACCEPTED, outbound(self.to()))
        expect(isinstance(result, Sent), f"an accepted send ended with {result!r}")
        assert isinstance(result, Sent)
        expect(result.external_ids, "Sent has no external id")
        for one in result.external_ids:
            expect(type(one) is str and one, f"an external id is {one!r}, not a text")
            expect(len(one) <= 400, "an external id is longer than 400 signs")
        expect(self.sending(), "nothing of the message reached the vendor")

    @check(4, "refused", asks=sends)
    def test_a_refused_send_is_final_with_a_reason(self) -> None:
        """What the vendor will never take fails at once, in words an agent understands."""
        [result] = self._try(Scene.REFUSED, outbound(self.to()))
        expect(
            isinstance(result, PermanentFailure),
            f"a refused send ended with {result!r}, not PermanentFailure",
        )
        assert isinstance(result, PermanentFailure)
        expect(isinstance(result.reason, RejectReason), f"{result.reason!r} is no RejectReason")
        expect(result.text.strip(), "the refusal has no words for the agent")

    @check(5, "overloaded", asks=sends)
    def test_an_overloaded_vendor_is_tried_again_when_he_says(self) -> None:
        """A rate limit is temporary, and the vendor's own time is kept."""
        [result] = self._try(Scene.OVERLOADED, outbound(self.to()))
        expect(
            isinstance(result, TemporaryFailure),
            f"an overloaded vendor ended in {result!r}, not TemporaryFailure",
        )
        assert isinstance(result, TemporaryFailure)
        said, wanted = result.retry_after, self.retry_after
        if wanted is None:
            expect(said is None, f"the vendor named no time, but retry_after is {said}")
        else:
            expect(said is not None, f"retry_after is None, the vendor said {wanted}")
            assert said is not None
            expect(
                abs((said - wanted).total_seconds()) <= 1,
                f"retry_after is {said}, the vendor said {wanted}",
            )

    @check(6, "transport", asks=sends)
    def test_each_failure_of_the_network_means_what_it_is(self) -> None:
        """Nobody reached: temporary. Asked and not answered: unknown, never a guess."""
        nobody = f"http://127.0.0.1:{free_port()}"
        self.far = self.far_side()
        self.far.close()
        result = self.run(self._against(nobody))
        self._is_temporary(result, "a refused connection")
        with self.playing(tls=True) as far:
            result = self.run(self._against(far.url))
        self._is_temporary(result, "a certificate that nobody vouches for")
        for scene, words in (
            (Scene.RESET, "a connection reset after the request"),
            (Scene.JUNK, "a success with a body that is not the vendor's"),
            (Scene.SILENT, "silence after the request"),
        ):
            with self.playing(scene) as far:
                result = self.run(self._against(far.url, silent=scene is Scene.SILENT))
            self._is_unknown(result, words)
        with self.playing(Scene.BROKEN) as far:
            result = self.run(self._against(far.url))
        expect(
            not isinstance(result, Sent | PermanentFailure | Unsupported),
            f"a 502 of a proxy ended with {result!r}: that is neither success nor final",
        )

    async def _against(self, url: str, *, silent: bool = False) -> Sent | BaseException:
        try:
            async with self.opened(url) as channel:
                if not silent:
                    return await self.attempt(channel, outbound(self.to()))
                task = asyncio.create_task(self.attempt(channel, outbound(self.to())))
                async with asyncio.timeout(LONG):
                    # The far side lives in threads: there is no event of this loop to wait for.
                    while not self.sending() and not task.done():  # noqa: ASYNC110
                        await asyncio.sleep(0.01)
                # The hub stops waiting after `send_timeout`; here it does so at once.
                await asyncio.wait([task], timeout=0.3)
                if task.done():
                    return task.result()
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                self.far.close()
                return TimeoutError()
        except TemporaryFailure as error:
            # A channel that logs in when it opens learns of a dead network there.
            return error

    def _is_temporary(self, result: Sent | BaseException, words: str) -> None:
        expect(
            isinstance(result, TemporaryFailure),
            f"{words} ended with {result!r}, not TemporaryFailure: nothing was sent",
        )

    def _is_unknown(self, result: Sent | BaseException, words: str) -> None:
        expect(not isinstance(result, Sent), f"{words} was taken for a success: {result!r}")
        assert isinstance(result, BaseException)
        status = _status(result, self.can())
        if self.can().idempotent_send:
            expect(
                status is DeliveryStatus.QUEUED,
                f"{words} ended with {result!r}: it may be repeated, as idempotent_send promises",
            )
        else:
            expect(
                status is DeliveryStatus.UNKNOWN,
                f"{words} ended with {result!r}: the person may have the message, so it is "
                "OutcomeUnknown (or let the error escape)",
            )

    @check(7, "idempotency", asks=_can(idempotent_send=True))
    def test_the_idempotency_key_is_on_the_wire_and_stable(self) -> None:
        """The same message carries the same key from every object at every time."""
        keys = []
        for number in (1, 1, 2):
            result = self._try(Scene.ACCEPTED, outbound(self.to(), number=number))[0]
            expect(isinstance(result, Sent), f"the send failed: {result!r}")
            sent = self.sending()
            expect(sent, "nothing of the message reached the vendor")
            keys.append(self.idempotency_key(sent[-1]))
        expect(keys[0], "idempotent_send is claimed, but there is no key on the wire")
        expect(keys[0] == keys[1], f"a repeat carries another key: {keys[0]!r}, then {keys[1]!r}")
        expect(keys[0] != keys[2], f"two messages carry one key: {keys[0]!r}")

    @check(14, "text out", asks=sends)
    def test_every_text_leaves_as_it_was_written(self) -> None:
        """Emoji, right to left, marks: whole. At the limit and over it: in parts that fit."""
        from dialogs.splitting import split_text

        limit = self.can().max_text
        full = {f"{limit} times {sign!r}": (sign * limit)[:limit].strip() for sign in SIGNS}
        long = " ".join(f"word{n}" for n in range(limit // 2))
        parts = split_text(long, limit)[:3] if limit else []
        full |= {f"part {n} of a longer text": part for n, part in enumerate(parts, 1)}

        async def work(url: str) -> None:
            async with self.opened(url) as channel:
                for name, given in TEXTS.items():
                    text = formatted(given).text if self.can().formatting else given
                    wire = "".join(await self._texts(channel, name, text))
                    words = f"the text {name!r} left as {wire!r:.200}, not as {text!r}"
                    expect(text in wire, words)
                if self.can().formatting:
                    wire = "".join(await self._texts(channel, "formatting", FORMATTED))
                    said = ("bold", "italic words", "code", "shop")
                    lost = [one for one in said if one not in wire]
                    expect(not lost, f"of the formatted words {lost} left as {wire!r:.200}")
                for name, text in full.items() if limit else ():
                    self._fits(name, text, await self._texts(channel, name, text))
                result = await self.attempt(channel, outbound(self.to(), CONTROLS))
                expect(
                    isinstance(result, Sent | PermanentFailure),
                    f"a text with nul bytes ended with {result!r}",
                )

        with self.playing() as far:
            self.run(work(far.url))

    async def _texts(self, channel: Channel, name: str, text: str) -> list[str]:
        before = len(self.sending())
        result = await self.attempt(channel, outbound(self.to(), text))
        expect(isinstance(result, Sent), f"the text {name!r} was not sent: {result!r}")
        return [self.wire_text(one) for one in self.sending()[before:]]

    def _fits(self, name: str, text: str, parts: list[str]) -> None:
        for one in parts:
            expect(
                self.fits(one),
                f"{name} left in a request of {len(one)} signs, which the vendor does not take",
            )
        whole = "".join("".join(parts).split()) == "".join(text.split())
        expect(whole, f"{name} did not leave whole")

    @check(15, "files out", asks=_can(max_attachment_bytes=True))
    def test_a_file_leaves_with_every_byte(self) -> None:
        """What the agent attaches reaches the vendor, with the text and without."""
        media_type = next((one for one in self.can().media_types if "*" not in one), "image/png")
        file = Attachment(name="order 42.png", media_type=media_type, size=len(FILE), content=FILE)
        for text in ("see the picture", ""):
            [result] = self._try(Scene.ACCEPTED, outbound(self.to(), text, attachments=(file,)))
            expect(isinstance(result, Sent), f"a message with a file ended with {result!r}")
            expect(self.carried(FILE), "the file's bytes did not reach the vendor")
            if text:
                found = any(text in word for one in self.far.requests for word in one.words())
                expect(found, "the text beside the file did not reach the vendor")

    @check(3, "buttons", asks=_can(buttons=True))
    def test_buttons_leave_with_their_labels(self) -> None:
        """What the agent offers as buttons is on the wire, label and payload."""
        buttons = tuple(Button(label=f"Choice {n}", payload=f"choice-{n}") for n in (1, 2))
        [result] = self._try(Scene.ACCEPTED, outbound(self.to(), "Which one?", buttons=buttons))
        expect(isinstance(result, Sent), f"a message with buttons ended with {result!r}")
        wire = "\n".join(word for one in self.far.requests for word in one.words())
        for one in buttons:
            expect(one.label in wire, f"the button {one.label!r} is not on the wire")
            expect(one.payload in wire, f"the payload {one.payload!r} is not on the wire")

    @check(3, "edits", asks=_can(edits=True))
    def test_an_edit_reaches_the_vendor(self) -> None:
        """A message of ours can be changed: the vendor gets the new text for the old id."""
        self._verb("edit", "changed my mind")

    @check(3, "deletes", asks=_can(deletes=True))
    def test_a_message_can_be_taken_back(self) -> None:
        """The vendor is told to delete, and a refusal is final."""
        self._verb("delete", "")

    @check(3, "reactions", asks=_can(reactions=True))
    def test_a_reaction_reaches_the_vendor(self) -> None:
        """The agent's reaction is on the wire."""
        self._verb("react", "👍")

    def _verb(self, verb: str, wanted: str) -> None:
        async def work(url: str) -> None:
            async with self.opened(url) as channel:
                sent = await self.attempt(channel, outbound(self.to()))
                expect(isinstance(sent, Sent), f"the send before it failed: {sent!r}")
                assert isinstance(sent, Sent)
                name, before = sent.external_ids[0], len(self.far.requests)
                await _do(channel, verb, name)
                made = self.far.requests[before:]
                expect(made, f"{verb} asked nothing of the vendor")
                words = [word for one in made for word in one.words()]
                expect(
                    any(wanted in one for one in words), f"{verb}: {wanted!r} is not on the wire"
                )
                self.far.play(Scene.REFUSED)
                try:
                    await _do(channel, verb, name)
                except (PermanentFailure, Unsupported):
                    return
                except Exception as error:  # noqa: BLE001 - reported as what it is
                    expect(False, f"a refused {verb} ended with {error!r}, not PermanentFailure")
                expect(False, f"a refused {verb} was taken for a success")

        async def _do(channel: Any, verb: str, name: str) -> None:
            if verb == "edit":
                await channel.edit(outbound(self.to(), wanted, external_id=name), name)
            elif verb == "delete":
                await channel.delete(self.to(), name)
            else:
                await channel.react(self.to(), name, wanted)

        with self.playing() as far:
            self.run(work(far.url))


def _status(error: BaseException, can: Capabilities) -> DeliveryStatus:
    from hub.outcomes import judge

    return judge(error, can).status

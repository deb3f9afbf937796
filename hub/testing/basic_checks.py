"""Rules 1 and 2 of a channel's contract, and what it says of itself."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from hub.account_settings import secret_fields
from hub.capabilities import Capabilities
from hub.channel import Channel
from hub.errors import HubError
from hub.logs import QUIET
from hub.testing.blocking import watch_loop
from hub.testing.channel_case import ChannelCase, free_port
from hub.testing.checks import check, expect
from hub.testing.far_side import Scene
from hub.testing.samples import outbound

WORDS = "Words that only the customer may read"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_MEDIA_TYPE = re.compile(r"(\*/\*|[a-z]+/(\*|[a-z0-9.+-]+))")
_SECRET_NAME = re.compile(r"(^|_)(token|secret|password|key|api_key)$")
_VERBS = {
    "edits": "edit",
    "deletes": "delete",
    "reactions": "react",
    "typing": "signal",
    "templates": "templates",
}


class _Lines(logging.Handler):
    """Keeps every line that a hub would write at its most talkative."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        if record.exc_info:
            line += "\n" + logging.Formatter().formatException(record.exc_info)
        self.lines.append(line)


@contextlib.contextmanager
def _log_lines() -> Iterator[list[str]]:
    handler, root = _Lines(), logging.getLogger()
    levels = {name: logging.getLogger(name).level for name in QUIET}
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        yield handler.lines
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        for name, old in levels.items():
            logging.getLogger(name).setLevel(old)


class BasicChecks(ChannelCase):
    """Who the channel is, what it promises, and what it gives away."""

    @check(1, "settings")
    def test_name_and_settings_are_well_formed(self) -> None:
        """The name is a kind in lower case, the settings are a form that people understand."""
        channel = self.channel
        name = getattr(channel, "name", "")
        expect(_NAME.fullmatch(name), f"name is {name!r}: a kind in lower case, like `telegram`")
        expect(channel.title, "title is empty: people read it in the gallery of channels")
        model = channel.Settings
        expect(issubclass(model, BaseModel), "Settings is no pydantic model")
        secret = set(secret_fields(model))
        for field, about in model.model_fields.items():
            expect(about.title, f"Settings.{field} has no title, which labels it in the form")
            expect(
                about.annotation is bool or not _SECRET_NAME.search(field) or field in secret,
                f"Settings.{field} sounds like a secret and is no SecretStr",
            )
        model.model_json_schema()
        self.build("http://127.0.0.1:9")

    @check(1, "capabilities")
    def test_capabilities_are_honest(self) -> None:
        """What is claimed is implemented, and what is implemented is claimed."""
        can, channel = self.channel.capabilities, self.channel
        expect(isinstance(can, Capabilities), "capabilities are no hub.Capabilities")
        expect(can.address_kind, "address_kind is empty")
        expect(
            can.receipts in ("none", "sent", "delivered", "read"),
            f"receipts is {can.receipts!r}: none, sent, delivered or read",
        )
        limits = ("max_text", "max_attachment_bytes", "max_attachments")
        for number in (*limits, "buttons", "button_label", "button_bytes"):
            expect(getattr(can, number) >= 0, f"{number} is below zero")
        for one, most in can.media_limits:
            expect(_MEDIA_TYPE.fullmatch(one), f"media_limits names {one!r}, like image/*")
            expect(most > 0, f"media_limits gives {one!r} no bytes: leave it out of media_types")
        expect(can.max_files_bytes >= 0, "max_files_bytes is below zero")
        expect(can.rate_per_second > 0, "rate_per_second is not above zero")
        expect(can.connections >= 1, "connections is below one")
        expect(can.send_timeout.total_seconds() > 0, "send_timeout is not above zero")
        for one in can.media_types:
            expect(_MEDIA_TYPE.fullmatch(one), f"media_types names {one!r}, like image/* or */*")
        expect(
            can.idempotent_send or can.idempotent_for is None,
            "idempotent_for without idempotent_send",
        )
        if can.sends:
            expect(channel.send is not Channel.send, "capabilities.sends, but send is not given")
        expect(
            channel.pushes() or channel.pulls() or channel.replay is not Channel.replay,
            "neither parse nor listen is given: nothing can come in",
        )
        for claim, verb in _VERBS.items():
            given = getattr(channel, verb) is not getattr(Channel, verb)
            claimed = bool(getattr(can, claim))
            # A read mark is a signal too, and may be all that a channel can show.
            if claimed != given and not (verb == "signal" and given):
                expect(
                    False,
                    f"capabilities.{claim} is {claimed}, but {verb} is{'' if given else ' not'} given",
                )

    @check(1, "secrets")
    def test_secrets_and_words_stay_out_of_logs_and_errors(self) -> None:
        """Whatever happens, no secret is in a repr, a log line or an error; no text in a log."""
        secrets = self.secrets()
        for one in secrets:
            expect(len(one) >= 6, "invent secrets of six letters and more, so that they are found")
        shown: list[tuple[str, str]] = []
        with _log_lines() as lines:
            for scene in Scene:
                if scene is Scene.SILENT or (scene is not Scene.ACCEPTED and not self.can().sends):
                    continue
                with self.playing(scene) as far:
                    shown += self.run(self._show(far.url, scene))
            url = f"http://127.0.0.1:{free_port()}"
            shown += self.run(self._show(url, "nobody there"))
        shown += [("a log line", line) for line in lines]
        for where, text in shown:
            for one in secrets:
                expect(one not in text, f"{where} holds a secret: {text.replace(one, '***'):.300}")
        for line in lines:
            expect(WORDS not in line, f"a log line holds a message's text: {line:.200}")

    async def _show(self, url: str, scene: str) -> list[tuple[str, str]]:
        shown = []
        try:
            async with self.opened(url) as channel:
                things = (channel, channel.settings, channel.context)
                shown += [(f"repr of {type(one).__name__}", f"{one!r} {one!s}") for one in things]
                try:
                    found = await channel.check()
                    shown += [(f"check() while {scene}", f"{one!r}") for one in found]
                except HubError as error:
                    shown.append((f"the error of check() while {scene}", f"{error} {error!r}"))
                except Exception:  # noqa: BLE001 - the hub shows no words of a bare error
                    pass
                if self.can().sends:
                    result = await self.attempt(channel, outbound(self.to(), WORDS))
                    if isinstance(result, HubError):
                        shown.append((f"the error of send while {scene}", f"{result} {result!r}"))
        except HubError as error:
            shown.append((f"the error of open while {scene}", f"{error} {error!r}"))
        return shown

    @check(2, "lifecycle")
    def test_it_opens_and_closes_any_number_of_times(self) -> None:
        """open and close stand repetition, in any order, and close never raises."""

        async def work(url: str) -> None:
            from hub.http_client import HubHttpClient

            http = HubHttpClient()
            try:
                await self._quietly("close without open", self.build(url, http).close())
                channel = self.build(url, http)
                await channel.open()
                await self._quietly("open twice", channel.open())
                await self._quietly("close", channel.close())
                await self._quietly("close twice", channel.close())
                again = self.build(url, http)
                await self._quietly("open after another was closed", again.open())
                if self.can().sends:
                    result = await self.attempt(again, outbound(self.to()))
                    if isinstance(result, BaseException):
                        expect(False, f"send after open, close, open: {result!r}")
                self.far.close()
                await self._quietly("close while the vendor is gone", again.close())
            finally:
                await http.close()

        with self.playing() as far:
            self.run(work(far.url))

    async def _quietly(self, what: str, step: Any) -> None:
        try:
            await step
        except Exception as error:  # noqa: BLE001 - reported as what it is
            expect(False, f"{what} raised {type(error).__name__}: {error}")

    @check(6, "blocking", asks=lambda case: case.channel.capabilities.sends)
    def test_nothing_blocks_the_loop(self) -> None:
        """Sending neither waits nor computes on the event loop: all dialogs share it."""

        async def work(url: str) -> list[str]:
            async with self.opened(url) as channel:
                # The first call may import its library; that happens once in a hub's life.
                await self.attempt(channel, outbound(self.to(), number=1))
                with watch_loop() as found:
                    await self.attempt(channel, outbound(self.to(), number=2))
                return found

        with self.playing() as far:
            found = self.run(work(far.url))
        expect(not found, f"send blocks the loop: {found[0] if found else ''}")

"""What the author of a channel gives to its contract test, and how the checks drive a channel."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlencode, urlsplit

from pydantic import SecretStr

from hub.account_settings import secret_fields
from hub.capabilities import Capabilities
from hub.channel import Channel, ChannelContext
from hub.http_client import HubHttpClient
from hub.ids import AccountId, Micros
from hub.messages import Address, Arrival, DeliveryStatus, OutboundMessage, Sent
from hub.storable import storable
from hub.testing.checks import Contract, expect
from hub.testing.far_side import FarSide, HttpFarSide, Reply, Request, Scene
from hub.testing.samples import HOOK_URL, NOW
from hub.webhook_request import WebhookAnswer, WebhookRequest

T = TypeVar("T")
LONG = 60.0
"""Seconds that anything honest may take on a busy machine."""


class ChannelCase(Contract):
    """The author's part. You give `channel` and `settings`; the rest as your channel claims it."""

    channel: ClassVar[type[Channel]]
    """The class under test."""
    kinds: ClassVar[tuple[str, ...]] = ()
    """Kinds of the senders' addresses where they are not `capabilities.address_kind` alone."""
    recipient: ClassVar[str] = "1001"
    """The address, in canonical form, of somebody to write to."""
    retry_after: ClassVar[timedelta | None] = timedelta(seconds=7)
    """When `overloaded` asks to come back; None where the vendor says no time."""
    proof: ClassVar[tuple[str, ...]] = ()
    """Headers (`x-signature`), or query parameters (`?token`), that prove who calls the webhook."""
    signs_body: ClassVar[bool] = True
    """False where the proof is a mere token, so that a changed body cannot be noticed."""
    signing_fields: ClassVar[tuple[str, ...]] = ()
    """The settings that the proof is made with."""
    expires_after: ClassVar[timedelta | None] = None
    """How old a signed request may be, where the signature covers its time (`self.now`)."""

    longest_text: ClassVar[int] = 20_000
    """The longest text, in letters, that the vendor brings in one message."""

    far: FarSide
    """The vendor's side of the check that runs now; `far.url` is its address."""
    now: Micros = NOW
    """The clock of `sign`; checks turn it."""
    hook_url: ClassVar[str] = HOOK_URL

    # -- what you give -----------------------------------------------------------------------

    def settings(self, url: str) -> Mapping[str, object]:
        """You give: valid settings of an account whose vendor is at `url`. Invent long secrets."""
        raise NotImplementedError("settings")

    def accepted(self, request: Request) -> Reply:
        """You give: what the vendor answers to any request when all is well."""
        raise NotImplementedError("accepted")

    def refused(self, request: Request) -> Reply:
        """You give: the answer to a send that the vendor will never take."""
        raise NotImplementedError("refused")

    def overloaded(self, request: Request) -> Reply:
        """You give: the answer that asks to come back after `retry_after`."""
        raise NotImplementedError("overloaded")

    def is_send(self, request: Request) -> bool:
        """You may override: whether a request hands a message over, and is not a login, say."""
        return True

    def idempotency_key(self, request: Request) -> str:
        """You give where `idempotent_send`: the key as it stands in a request that sends."""
        raise NotImplementedError("idempotency_key")

    def message(self, text: str, number: int = 1) -> bytes:
        """You give: the body in which the vendor brings a customer's `number`-th message."""
        raise NotImplementedError("message")

    def sign(self, body: bytes) -> WebhookRequest:
        """You give for push channels: the body as a request that proves the vendor, at `now`.

        Use `self.request(body, {"x-signature": ...})`.
        """
        raise NotImplementedError("sign")

    def samples(self) -> Mapping[str, bytes]:
        """You may give: more bodies, by name, that must be understood (photo, edit, button ...)."""
        return {}

    def receipt(self, status: DeliveryStatus, external_id: str) -> bytes | None:
        """You give where `receipts`: the vendor's word on a message; None where he has none."""
        raise NotImplementedError("receipt")

    def echo(self, external_id: str) -> Iterable[bytes]:
        """You give: bodies in which a message of ours comes back to us."""
        raise NotImplementedError("echo")

    def unknown(self) -> bytes:
        """You give: a customer's message of a kind that the channel does not know."""
        raise NotImplementedError("unknown")

    def with_file(self, content: bytes) -> bytes:
        """You give where files come in: a customer's message with a file; `accepted` serves it."""
        raise NotImplementedError("with_file")

    def forged(self, request: WebhookRequest) -> Iterable[tuple[str, WebhookRequest]]:
        """You may override where the proof stands elsewhere: requests to refuse, each named."""
        expect(
            self.proof,
            "name the headers that prove the vendor in `proof`, or override `forged`",
        )
        for name in self.proof:
            good = _value(request, name)
            expect(good, f"`sign` puts nothing into {name}, which `proof` names")
            changed = ("0" if good[len(good) // 2] != "0" else "1").join(
                (good[: len(good) // 2], good[len(good) // 2 + 1 :])
            )
            yield f"without {name}", _with(request, name, None)
            yield f"with an empty {name}", _with(request, name, "")
            yield f"with another {name}", _with(request, name, changed)
            yield f"with Cyrillic in {name}", _with(request, name, "подпись")
        if self.signs_body:
            yield "with a changed body", replace(request, body=_changed(request.body))

    def rotated_settings(self, url: str) -> Mapping[str, object] | None:
        """You give where a signing key can be rotated: settings that hold the old key as well."""
        return None

    def far_side(self, *, tls: bool = False) -> FarSide:
        """You may override: the vendor's side where it does not speak HTTP."""
        answers = {
            Scene.ACCEPTED: self.accepted,
            Scene.REFUSED: self.refused,
            Scene.OVERLOADED: self.overloaded,
        }
        return HttpFarSide(answers, self.is_send, tls=tls)

    def wire_text(self, request: Request) -> str:
        """You may override: the message's text as the person will see it, out of a request."""
        return max((one for one in list(request.words())[:-1]), key=len, default="")

    def fits(self, text: str) -> bool:
        """You may override: whether the vendor takes a text so long, by his own way of counting."""
        limit = self.can().max_text
        return not limit or len(text) <= limit

    def carried(self, content: bytes) -> bool:
        """You may override: whether a file's bytes have reached the vendor's side."""
        return any(one.carries(content) for one in self.far.requests)

    # -- for your own use ----------------------------------------------------------------------

    def request(
        self,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        method: str = "POST",
    ) -> WebhookRequest:
        """Make the request that calls the account's webhook now."""
        url = self.hook_url + (f"?{urlencode(query)}" if query else "")
        return WebhookRequest(
            method=method,
            url=url,
            headers={name.lower(): value for name, value in (headers or {}).items()},
            query=dict(query or {}),
            body=body,
            received_at=self.now,
        )

    # -- how the checks drive a channel --------------------------------------------------------

    @classmethod
    def subject(cls) -> Any:
        """The channel class."""
        return getattr(cls, "channel", None)

    @classmethod
    def can(cls) -> Capabilities:
        """What the channel claims."""
        return cls.channel.capabilities

    def to(self) -> Address:
        """Somebody to write to."""
        return Address(kind=self.can().address_kind, value=self.recipient, name="Vera")

    @contextmanager
    def playing(self, scene: Scene = Scene.ACCEPTED, *, tls: bool = False) -> Iterator[FarSide]:
        """Have a vendor's side for a while."""
        self.far = self.far_side(tls=tls)
        self.far.play(scene)
        try:
            yield self.far
        finally:
            self.far.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run one check's work on a loop of its own, never for ever."""

        async def limited() -> T:
            async with asyncio.timeout(LONG * 2):
                return await work

        return asyncio.run(limited())

    def build(
        self, url: str, http: Any = None, changes: Mapping[str, object] | None = None
    ) -> Channel:
        """Make a channel object for the vendor at `url`."""
        settings = self.channel.Settings.model_validate({**self.settings(url), **(changes or {})})
        context = ChannelContext(
            account_id=AccountId(7),
            title="Contract",
            http=http,
            log=logging.getLogger(f"hub.channel.{self.channel.name}"),
            hook_url=self.hook_url,
            public_url="https://hub.example",
            now=lambda: self.now,
        )
        return self.channel(settings, context)

    @asynccontextmanager
    async def opened(self, url: str) -> AsyncIterator[Channel]:
        """Have an open channel for a while."""
        http = HubHttpClient()
        channel = self.build(url, http)
        try:
            await channel.open()
            yield channel
        finally:
            await channel.close()
            await http.close()

    async def attempt(self, channel: Channel, message: OutboundMessage) -> Sent | BaseException:
        """Send as the dispatcher does; gives what came of it."""
        try:
            async with asyncio.timeout(LONG):
                return await channel.send(message)
        except Exception as error:  # noqa: BLE001 - what a channel raises is what is tested
            return error

    def sending(self) -> list[Request]:
        """The requests so far that handed a message over."""
        return [one for one in self.far.requests if self.is_send(one)]

    def read(self, channel: Channel, body: bytes) -> list[Arrival] | WebhookAnswer:
        """Let the channel read what the vendor brings, as the hub does."""
        if channel.pushes():
            return self.parse(channel, self.sign(body))
        return [storable(one) for one in channel.replay(body)]

    def parse(self, channel: Channel, request: WebhookRequest) -> list[Arrival] | WebhookAnswer:
        """Let the channel read a request, as the hub does."""
        found = channel.parse(request)
        return found if isinstance(found, WebhookAnswer) else [storable(one) for one in found]

    def arrivals(self, channel: Channel, body: bytes, where: str) -> list[Arrival]:
        """Read what must be understood; Broken where it is not."""
        try:
            found = self.read(channel, body)
        except NotImplementedError:
            raise
        except Exception as error:  # noqa: BLE001 - reported as what it is
            raise_broken(f"{where} was not understood: {type(error).__name__}: {error}", error)
        if isinstance(found, WebhookAnswer):
            expect(False, f"{where} was answered with {found.status}, not taken in")
            return []
        return found

    def reader(self) -> Channel:
        """A channel that is only asked to read; nobody is at its vendor's address."""
        return self.build("http://127.0.0.1:9")

    def secrets(self) -> list[str]:
        """The secret values of the settings."""
        settings = self.channel.Settings.model_validate(dict(self.settings("http://127.0.0.1:9")))
        found = []
        for name in secret_fields(self.channel.Settings):
            value = getattr(settings, name)
            if isinstance(value, SecretStr) and value.get_secret_value():
                found.append(value.get_secret_value())
        return found


def raise_broken(words: str, cause: BaseException) -> None:
    """Raise Broken because of another error."""
    from hub.testing.checks import Broken

    raise Broken(words) from cause


def free_port() -> int:
    """A port of this machine where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
    return port


def _value(request: WebhookRequest, name: str) -> str:
    return request.query.get(name[1:], "") if name[0] == "?" else request.headers.get(name, "")


def _with(request: WebhookRequest, name: str, value: str | None) -> WebhookRequest:
    if name[0] != "?":
        headers = {key: one for key, one in request.headers.items() if key != name}
        return replace(request, headers=headers if value is None else {**headers, name: value})
    query = {key: one for key, one in request.query.items() if key != name[1:]}
    query |= {} if value is None else {name[1:]: value}
    address = urlsplit(request.url)
    return replace(
        request, query=query, url=address._replace(query=urlencode(list(query.items()))).geturl()
    )


def _changed(body: bytes) -> bytes:
    """Another body of the same shape: one digit or letter in its values differs."""
    for n in range(len(body) - 1, -1, -1):
        if chr(body[n]).isalnum():
            other = b"1" if body[n : n + 1] == b"0" else b"0"
            if chr(body[n]).isalpha():
                other = b"b" if body[n : n + 1] == b"a" else b"a"
            return body[:n] + other + body[n + 1 :]
    return body + b" "

"""The kit itself: a good channel passes every check, and each planted fault fails exactly one."""

from __future__ import annotations

import contextlib
import hmac
import itertools
import logging
import socket
import time
from collections.abc import AsyncIterator, Collection, Iterable
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel, Field

from hub import (
    Address,
    Arrival,
    Batch,
    Capabilities,
    Channel,
    DeliveryReceipt,
    DeliveryStatus,
    InboundMessage,
    Micros,
    OutboundMessage,
    PermanentFailure,
    Sent,
    TemporaryFailure,
    UntrustedRequest,
    WebhookRequest,
)
from hub.testing import ChannelContract, Reply, Request, outcomes
from tests.contract.raven import RavenChannel, RavenContract, RavenSettings


class TestRaven(RavenContract):
    """The good channel, through pytest as an author would run it."""


def can(**changes: Any) -> Capabilities:
    return replace(RavenChannel.capabilities, **changes)


class LoudRaven(RavenChannel):
    def __repr__(self) -> str:
        return f"Raven({self.settings.token.get_secret_value()})"


class GossipRaven(RavenChannel):
    async def send(self, message: OutboundMessage) -> Sent:
        logging.getLogger("raven").debug("sending %s", message.text)
        return await super().send(message)


class TellingRaven(RavenChannel):
    async def call(self, path: str, data: object, **more: Any) -> Any:
        try:
            return await super().call(path, data, **more)
        except PermanentFailure as error:
            raise PermanentFailure(
                error.reason, f"{self.settings.token.get_secret_value()} was refused"
            ) from error


class PlainTokenRaven(RavenChannel):
    class Settings(RavenSettings):
        api_key: str = Field(default="", title="Key")


class PromisingRaven(RavenChannel):
    capabilities: ClassVar[Capabilities] = can(typing=True)


class BrittleRaven(RavenChannel):
    closed = False

    async def close(self) -> None:
        if self.closed:
            raise RuntimeError("closed already")
        self.closed = True


class NamelessRaven(RavenChannel):
    async def send(self, message: OutboundMessage) -> Sent:
        await super().send(message)
        return Sent()


class HopefulRaven(RavenChannel):
    """Takes a refusal of a send for a hiccup."""

    async def send(self, message: OutboundMessage) -> Sent:
        try:
            return await super().send(message)
        except PermanentFailure as error:
            raise TemporaryFailure(str(error)) from error


class ImpatientRaven(RavenChannel):
    """Forgets when the vendor asked to come back."""

    async def send(self, message: OutboundMessage) -> Sent:
        try:
            return await super().send(message)
        except TemporaryFailure as error:
            raise TemporaryFailure(str(error)) from error


class RudeRaven(RavenChannel):
    """Maps 429 to a final failure."""

    async def send(self, message: OutboundMessage) -> Sent:
        try:
            return await super().send(message)
        except TemporaryFailure as error:
            if error.retry_after:
                raise PermanentFailure(text="too many") from error
            raise


class CredulousRaven(RavenChannel):
    """Any 200 is a success to it."""

    async def call(self, path: str, data: object, **more: Any) -> Any:
        try:
            return await super().call(path, data, **more)
        except Exception as error:
            if "gibberish" in str(error):
                return {"id": "made up"}
            raise


class SleepyRaven(RavenChannel):
    async def send(self, message: OutboundMessage) -> Sent:
        time.sleep(0.001)
        return await super().send(message)


class ForgetfulRaven(RavenChannel):
    numbers = itertools.count()

    async def send(self, message: OutboundMessage) -> Sent:
        key = f"{message.idempotency_key}-{next(self.numbers)}"
        return await super().send(replace(message, idempotency_key=key))


class ShiftyRaven(RavenChannel):
    """Makes the dedupe key from the time of the request."""

    def parse(self, request: WebhookRequest) -> Iterable[Arrival]:
        return [
            replace(one, dedupe_key=f"{one.dedupe_key}@{request.received_at}")
            if isinstance(one, InboundMessage)
            else one
            for one in super().parse(request)
        ]


class NaiveRaven(RavenChannel):
    """Takes seconds for microseconds."""

    def parse(self, request: WebhookRequest) -> Iterable[Arrival]:
        for one in super().parse(request):
            if isinstance(one, InboundMessage):
                one = replace(one, sent_at=Micros(one.sent_at // 1_000_000))
            yield one


class ClockRaven(RavenChannel):
    """Stamps messages with its own clock."""

    def parse(self, request: WebhookRequest) -> Iterable[Arrival]:
        return [
            replace(one, sent_at=Micros(time.time_ns() // 10**12 * 10**9))
            if isinstance(one, InboundMessage)
            else one
            for one in super().parse(request)
        ]


class CountingRaven(RavenChannel):
    """Gives another result the second time."""

    seen = 0

    def parse(self, request: WebhookRequest) -> Iterable[Arrival]:
        self.seen += 1
        return [
            replace(one, profile={"seen": str(self.seen)})
            if isinstance(one, InboundMessage)
            else one
            for one in super().parse(request)
        ]


class AskingRaven(RavenChannel):
    """Asks the tower while it reads."""

    def parse(self, request: WebhookRequest) -> Iterable[Arrival]:
        host, _, port = self.settings.url.rpartition("//")[2].partition(":")
        with contextlib.suppress(OSError), socket.socket() as one:
            one.connect((host, int(port)))
        return super().parse(request)


class BoastfulRaven(RavenChannel):
    """Calls everything read."""

    def parse(self, request: WebhookRequest) -> Iterable[Arrival]:
        return [
            replace(one, status=DeliveryStatus.READ) if isinstance(one, DeliveryReceipt) else one
            for one in super().parse(request)
        ]


class ModestRaven(RavenChannel):
    capabilities: ClassVar[Capabilities] = can(receipts="delivered")


class TrustingRaven(RavenChannel):
    """Checks a signature only where there is one."""

    def parse(self, request: WebhookRequest) -> Iterable[Arrival]:
        if "x-signature" not in request.headers:
            return self.read(request.json(), request.body)
        return super().parse(request)


class PatientRaven(RavenChannel):
    """Never finds a request too old."""

    def parse(self, request: WebhookRequest) -> Iterable[Arrival]:
        at = request.headers.get("x-time", "")
        signed = at.encode() + b"." + request.body
        request.verify_hmac(request.headers.get("x-signature", ""), self.keys(), signed=signed)
        return self.read(request.json(), request.body)


class StiffRaven(RavenChannel):
    """Knows one key only."""

    def keys(self) -> list[str]:
        return super().keys()[:1]


class AsciiRaven(RavenChannel):
    """Compares signatures as text: hmac refuses what is not ASCII with a bare TypeError."""

    def parse(self, request: WebhookRequest) -> Iterable[Arrival]:
        hmac.compare_digest(request.headers.get("x-signature", ""), "0")
        return super().parse(request)


class FragileRaven(RavenChannel):
    def read(self, data: Any, raw: bytes) -> list[Arrival]:
        return self.update(data, raw)


class DeafRaven(RavenChannel):
    """Drops what it does not know."""

    def update(self, data: Any, raw: bytes) -> list[Arrival]:
        return [
            one
            for one in super().update(data, raw)
            if not (isinstance(one, InboundMessage) and one.unsupported)
        ]


class EchoRaven(RavenChannel):
    """Takes our own letters for a customer's."""

    def update(self, data: Any, raw: bytes) -> list[Arrival]:
        if isinstance(data, dict):
            data.pop("outgoing", None)
        return super().update(data, raw)


class LatinRaven(RavenChannel):
    """Drops what is not in the Basic Multilingual Plane on the way out."""

    async def send(self, message: OutboundMessage) -> Sent:
        text = "".join(one for one in message.text if ord(one) < 0x10000)
        return await super().send(replace(message, text=text))


class TrimRaven(RavenChannel):
    """Cuts what comes in."""

    def update(self, data: Any, raw: bytes) -> list[Arrival]:
        return [
            replace(one, text=one.text[:1000]) if isinstance(one, InboundMessage) else one
            for one in super().update(data, raw)
        ]


class EmptyHandedRaven(RavenChannel):
    async def send(self, message: OutboundMessage) -> Sent:
        return await super().send(replace(message, attachments=()))


class DropRaven(RavenChannel):
    async def fetch(self, reference: str) -> bytes:
        return (await super().fetch(reference))[:-1]


class BareRaven(RavenChannel):
    async def fetch(self, reference: str) -> bytes:
        try:
            return await super().fetch(reference)
        except Exception as error:
            raise KeyError(reference) from error


class ButtonlessRaven(RavenChannel):
    async def send(self, message: OutboundMessage) -> Sent:
        return await super().send(replace(message, buttons=()))


class LazyEditor(RavenChannel):
    async def edit(self, message: OutboundMessage, external_id: str) -> Sent:
        return Sent(external_ids=(external_id,))


class LazyDeleter(RavenChannel):
    async def delete(self, to: Address, external_id: str) -> None:
        with contextlib.suppress(PermanentFailure):
            await super().delete(to, external_id)


class LazyNodder(RavenChannel):
    async def react(self, to: Address, external_id: str, emoji: str) -> None:
        await super().react(to, external_id, "")


class StubbornRaven(RavenChannel):
    """Begins from the start whatever its mark says."""

    async def listen(self, mark: str) -> AsyncIterator[Batch]:
        async for batch in super().listen(""):
            yield batch


class ImmortalRaven(RavenChannel):
    """Goes on listening when it is told to stop."""

    tries: ClassVar[int] = 0

    async def call(self, path: str, data: object, **more: Any) -> Any:
        import asyncio

        if path != "updates":
            return await super().call(path, data, **more)
        while True:
            try:
                return await super().call(path, data, **more)
            except asyncio.CancelledError:
                type(self).tries += 1
                if type(self).tries > 30:
                    raise


BESIDES: dict[type[RavenChannel], set[str]] = {NaiveRaven: {"garbage", "unknown", "files in"}}
"""Faults that other checks meet too: no arrival may be so, whatever it was read from."""

FAULTS: list[tuple[type[RavenChannel], str, str]] = [
    (LoudRaven, "secrets", "repr of LoudRaven holds a secret"),
    (GossipRaven, "secrets", "a log line holds a message's text"),
    (TellingRaven, "secrets", "holds a secret"),
    (PlainTokenRaven, "settings", "api_key sounds like a secret"),
    (PromisingRaven, "capabilities", "capabilities.typing is True, but signal is not given"),
    (BrittleRaven, "lifecycle", "close twice raised RuntimeError"),
    (HopefulRaven, "refused", "not PermanentFailure"),
    (ImpatientRaven, "overloaded", "retry_after is None"),
    (RudeRaven, "overloaded", "not TemporaryFailure"),
    (CredulousRaven, "transport", "was taken for a success"),
    (SleepyRaven, "blocking", "time.sleep on the event loop"),
    (ForgetfulRaven, "idempotency", "a repeat carries another key"),
    (ShiftyRaven, "inbound", "has other keys when redelivered"),
    (NaiveRaven, "inbound", "is no instant in microseconds"),
    (CountingRaven, "pure", "read twice gives two results"),
    (ClockRaven, "pure", "read tomorrow gives another result"),
    (AskingRaven, "pure", "opens a connection"),
    (BoastfulRaven, "receipts", "became [('read'"),
    (ModestRaven, "receipts", "is claimed, but read comes"),
    (TrustingRaven, "forged", "without x-signature was believed"),
    (PatientRaven, "forged", "with an old signature was believed"),
    (StiffRaven, "forged", "signed with the older key was refused"),
    (AsciiRaven, "forged", "ended with TypeError"),
    (FragileRaven, "garbage", "raise MalformedPayload"),
    (DeafRaven, "unknown", "became no InboundMessage with `unsupported`"),
    (EchoRaven, "echo", "a message of ours came in again"),
    (LatinRaven, "text out", "the text 'emoji' left as"),
    (TrimRaven, "text in", "cut below 4000"),
    (EmptyHandedRaven, "files out", "did not reach the vendor"),
    (DropRaven, "files in", "fetch gave other bytes"),
    (BareRaven, "files in", "not TemporaryFailure"),
    (ButtonlessRaven, "buttons", "is not on the wire"),
    (LazyEditor, "edits", "asked nothing of the vendor"),
    (LazyDeleter, "deletes", "was taken for a success"),
    (LazyNodder, "reactions", "is not on the wire"),
    (StubbornRaven, "listen", "it repeats messages"),
    (ImmortalRaven, "listen", "does not stop"),
]


def idfn(one: object) -> str:
    return getattr(one, "__name__", "")


SLOW = ("transport", "text out", "secrets", "listen", "files in")
planted = pytest.mark.parametrize(("kind", "name", "words"), FAULTS, ids=idfn)


@planted
def test_a_planted_fault_fails_the_check_that_is_about_it(
    kind: type[RavenChannel], name: str, words: str
) -> None:
    contract = type(f"{kind.__name__}Contract", (RavenContract,), {"channel": kind})
    found = failures(contract, without=[one for one in SLOW if one != name])
    assert set(found) - BESIDES.get(kind, set()) == {name}, found
    assert words in found[name]
    assert found[name].startswith("rule ")


@pytest.mark.soak
@planted
def test_a_planted_fault_fails_no_other_check(
    kind: type[RavenChannel], name: str, words: str
) -> None:
    contract = type(f"{kind.__name__}Contract", (RavenContract,), {"channel": kind})
    assert set(failures(contract)) - BESIDES.get(kind, set()) == {name}


def failures(contract: type[RavenContract], without: Collection[str] = ()) -> dict[str, str]:
    return {name: said for name, said in outcomes(contract, without).items() if said != "passed"}


def test_a_send_without_an_external_id_is_found() -> None:
    contract = type("NamelessContract", (RavenContract,), {"channel": NamelessRaven})
    assert "Sent has no external id" in outcomes(contract)["accepted"]


def test_what_is_not_claimed_is_not_asked_and_what_is_missing_is_named() -> None:
    class Deaf(Channel):
        """Sends and takes in; claims nothing else."""

        name = "deaf"
        title = "Deaf"
        capabilities = Capabilities(address_kind="deaf")

        class Settings(BaseModel):
            """None."""

        async def send(self, message: OutboundMessage) -> Sent:
            return Sent(external_ids=("1",))

        def parse(self, request: WebhookRequest) -> Iterable[Arrival]:
            raise UntrustedRequest("nobody is believed")

    class DeafContract(ChannelContract):
        channel = Deaf

        def settings(self, url: str) -> dict[str, object]:
            return {}

        def accepted(self, request: Request) -> Reply:
            return Reply({})

    found = outcomes(DeafContract)
    assert not {"edits", "buttons", "files out", "idempotency", "receipts", "listen"} & set(found)
    assert found["refused"].startswith("rule 4 (refused): ")
    assert found["echo"] == (
        "rule 13 (echo): give `echo` in the test, or exempt 'echo' with a reason"
    )


def test_an_exemption_is_shown_with_its_reason_and_cannot_be_made_in_vain() -> None:
    class Exempt(RavenContract):
        exempt: ClassVar[dict[str, str]] = {"echo": "ravens never come back"}

    assert outcomes(Exempt)["echo"] == "exempt: exempt from echo: ravens never come back"
    with pytest.raises(TypeError, match="is no check"):
        type("Wrong", (RavenContract,), {"exempt": {"ecco": "a slip"}})
    with pytest.raises(TypeError, match="gives no reason"):
        type("Silent", (RavenContract,), {"exempt": {"echo": " "}})

    class OneWay(RavenChannel):
        capabilities: ClassVar[Capabilities] = can(edits=False)
        edit = Channel.edit

    with pytest.raises(TypeError, match="no exemption needed"):
        type("Vain", (RavenContract,), {"channel": OneWay, "exempt": {"edits": "none"}})

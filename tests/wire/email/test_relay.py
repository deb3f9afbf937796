"""Sending to relays of other makes: international addresses, partial refusals, broken servers."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from hub import (
    AccountId,
    Address,
    DeliveryId,
    DialogId,
    MessageId,
    OutboundMessage,
    PermanentFailure,
    RejectReason,
    TemporaryFailure,
)
from tests.servers.process import free_ports
from tests.wire.email.office import lone_channel
from tests.wire.killed import killed_in_send


class Far:
    """The far server: keeps what it takes, answers as it is told."""

    def __init__(self, *offers: str) -> None:
        self.taken: list[tuple[list[str], bytes, list[str]]] = []
        self.answers: dict[str, str] = {}
        self._offers = offers

    async def handle_EHLO(  # noqa: N802 - the name is aiosmtpd's
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*(f"250-{one}" for one in self._offers), *responses]

    async def handle_RCPT(  # noqa: N802 - the name is aiosmtpd's
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        answer = self.answers.get(address, "250 OK")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(  # noqa: N802 - the name is aiosmtpd's
        self, server: Any, session: Any, envelope: Any
    ) -> str:
        self.taken.append((envelope.rcpt_tos, envelope.content, envelope.mail_options))
        return self.answers.get("DATA", "250 taken")


@pytest.fixture(
    params=[(True,), (False,), (True, "PIPELINING")], ids=["smtputf8", "ascii only", "pipelining"]
)
def relay(request: pytest.FixtureRequest) -> Iterator[tuple[Far, int, bool]]:
    international, *offers = request.param
    far = Far(*offers)
    [port] = free_ports(1)
    controller = Controller(far, hostname="127.0.0.1", port=port, enable_SMTPUTF8=international)
    controller.start()
    try:
        yield far, port, international
    finally:
        controller.stop()


def outbound(to: str, *cc: str) -> OutboundMessage:
    return OutboundMessage(
        id=DeliveryId(1), message_id=MessageId(1), dialog_id=DialogId(1), account_id=AccountId(1),
        to=Address(kind="email", value=to, name="Анна"), text="Привет", subject="Заказ",
        cc=tuple(Address(kind="email", value=one) for one in cc), idempotency_key="k",
    )  # fmt: skip


def channel(port: int) -> Any:
    return lone_channel(
        address="us@hub.example", smtp_port=port, smtp_security="none", smtp_login=False
    )


async def test_a_domain_of_another_alphabet_needs_no_extension(
    relay: tuple[Far, int, bool],
) -> None:
    far, port, _ = relay
    sender = channel(port)
    await sender.send(outbound("anna@почта.рф"))
    await sender.close()
    [(recipients, content, _)] = far.taken
    assert recipients == ["anna@xn--80a1acny.xn--p1ai"]
    letter = email.message_from_bytes(content, policy=email.policy.default)
    assert str(letter["To"]) == "Анна <anna@xn--80a1acny.xn--p1ai>"
    assert letter["Subject"] == "Заказ"
    assert content.isascii()


async def test_an_address_of_another_alphabet_goes_by_smtputf8_or_fails_in_words(
    relay: tuple[Far, int, bool],
) -> None:
    far, port, international = relay
    sender = channel(port)
    if not international:
        with pytest.raises(PermanentFailure, match="SMTPUTF8") as refused:
            await sender.send(outbound("анна@почта.рф"))
        assert refused.value.reason is RejectReason.INVALID_ADDRESS
        assert not far.taken
    else:
        await sender.send(outbound("анна@почта.рф"))
        [(recipients, content, options)] = far.taken
        assert recipients == ["анна@xn--80a1acny.xn--p1ai"]
        assert "SMTPUTF8" in options
        assert "анна@xn--80a1acny.xn--p1ai".encode() in content
    await sender.close()


async def test_each_recipient_has_an_answer_of_his_own(relay: tuple[Far, int, bool]) -> None:
    far, port, _ = relay
    far.answers = {"gone@a.example": "550 5.1.1 no such user", "busy@a.example": "450 4.2.1 later"}
    sender = channel(port)
    sent = await sender.send(outbound("anna@a.example", "gone@a.example", "busy@a.example"))
    assert dict(sent.refused) == {
        "gone@a.example": "550 5.1.1 no such user",
        "busy@a.example": "450 4.2.1 later",
    }
    assert far.taken[0][0] == ["anna@a.example"]
    # The connection is good for the next letter after a refusal of everybody.
    with pytest.raises(PermanentFailure) as final:
        await sender.send(outbound("gone@a.example"))
    assert final.value.reason is RejectReason.INVALID_ADDRESS
    with pytest.raises(TemporaryFailure):
        await sender.send(outbound("busy@a.example"))
    await sender.send(outbound("anna@a.example"))
    assert len(far.taken) == 2
    await sender.close()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [("451 4.3.0 try later", TemporaryFailure), ("554 5.7.1 looks like spam", PermanentFailure)],
)
async def test_an_answer_to_the_letter_itself_is_believed(
    relay: tuple[Far, int, bool], answer: str, kind: type[Exception]
) -> None:
    far, port, _ = relay
    far.answers["DATA"] = answer
    sender = channel(port)
    with pytest.raises(kind, match=answer[:3]):
        await sender.send(outbound("anna@a.example"))
    await sender.close()


async def test_a_kill_while_the_relay_has_the_letter_is_unknown_and_not_repeated(
    tmp_path: Path, database_url: str
) -> None:
    """The relay took the letter's last line; its answer finds nobody any more."""
    reached, loop, far = asyncio.Event(), asyncio.get_running_loop(), Far()
    take = far.handle_DATA

    async def silent(server: Any, session: Any, envelope: Any) -> str:
        answer = await take(server, session, envelope)
        loop.call_soon_threadsafe(reached.set)
        await asyncio.sleep(3)
        return answer

    far.handle_DATA = silent  # type: ignore[method-assign]
    smtp, imap = free_ports(2)
    controller = Controller(far, hostname="127.0.0.1", port=smtp)
    controller.start()
    try:
        status = await killed_in_send(
            tmp_path,
            database_url,
            module="channels.email",
            channel="email",
            settings={
                "address": "us@hub.example",
                "imap_host": "127.0.0.1",
                # Nobody is there: reading waits, sending does not.
                "imap_port": imap,
                "imap_password": "secret",
                "smtp_host": "127.0.0.1",
                "smtp_port": smtp,
                "smtp_security": "none",
                "smtp_login": False,
            },
            person=Address(kind="email", value="anna@a.example", name="Anna"),
            reached=reached,
        )
    finally:
        controller.stop()
    assert status == "unknown"
    assert [recipients for recipients, _, _ in far.taken] == [["anna@a.example"]]

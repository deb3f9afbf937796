"""Letters through real Dovecot and Postfix: in by IDLE, out, threads, bounces, and every mishap."""

from __future__ import annotations

import email
import email.policy
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from channels import email as email_plugin
from crm_store.messages import quarantined
from crm_store.tables.dialogs import messages
from hub import (
    SYSTEM,
    AccountId,
    CreateAccount,
    CreateUser,
    DialogQuery,
    SendMessage,
    StartDialog,
    UpdateAccount,
)
from hub import Address as HubAddress
from hub.handle import BoundHub
from hub.plugin_host import PluginHost
from hub.records.dialogs import Dialog
from hub.runtime import Runtime
from hub.workers import Workers
from tests.houses import settings_for, until
from tests.servers.certificates import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.fixtures import Mailbox
from tests.servers.postfix import Postfix
from tests.servers.wire import Wire

NewMailbox = Callable[..., Mailbox]


def letter(
    key: str, text: str = "Where is my order?", sender: str = "anna@away.example", **headers: str
) -> bytes:
    """Make a customer's letter."""
    lines = {
        "From": f"Anna <{sender}>",
        "To": "us@hub.example",
        "Subject": "Order",
        "Message-ID": f"<{key}@away.example>",
        "Date": "Mon, 23 Nov 2026 10:00:00 +0000",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n".encode()


class Office:
    """A running hub with one mailbox."""

    def __init__(self, runtime: Runtime, user: BoundHub, account_id: AccountId) -> None:
        self.runtime, self.user, self.account_id = runtime, user, account_id

    async def dialogs(self) -> tuple[Dialog, ...]:
        return (await self.user.dialogs(DialogQuery(view="everything", limit=200))).dialogs

    async def count(self) -> int:
        return await self.runtime.database.read(
            lambda conn: conn.execute(
                select(func.count()).select_from(messages).where(messages.c.direction == "in")
            ).scalar_one()
        )

    async def arrived(self, number: int, seconds: float = 30.0) -> None:
        async def enough() -> bool:
            return await self.count() >= number

        await until(enough, seconds)

    async def state(self) -> str:
        return (await self.user.account(self.account_id)).state


@asynccontextmanager
async def office(
    folder: Path, url: str, mailbox: Mailbox, authority: Authority, *,
    imap_port: int, smtp_port: int, **more: object,
) -> AsyncIterator[Office]:  # fmt: skip
    host = PluginHost()
    host.add("email", email_plugin)
    runtime = Runtime(settings_for(folder, url), plugins=host)
    await runtime.start()
    workers = Workers(runtime)
    workers.start()
    try:
        system = runtime.handle(SYSTEM)
        created = await system.do(CreateUser(email="v@h.example", name="V", role="administrator"))
        user = system.as_user(created[0])
        settings = {
            "address": mailbox.address,
            "sender_name": "Support",
            "imap_host": "localhost",
            "imap_port": imap_port,
            "imap_password": mailbox.password,
            "smtp_host": "localhost",
            "smtp_port": smtp_port,
            "smtp_security": "none",
            "smtp_login": False,
            "ca_file": str(authority.ca_file),
            **more,
        }
        account = (await user.do(CreateAccount(channel="email", title="Mail", settings=settings)))[
            0
        ]
        one = Office(runtime, user, account)

        async def listening() -> bool:
            return bool((await user.account(account)).mark)

        if more.get("imap_password") is None:
            await until(listening)
        yield one
    finally:
        await workers.stop()
        await runtime.stop()


@pytest.fixture
async def desk(
    tmp_path: Path, database_url: str, mailbox: Mailbox, authority: Authority,
    dovecot: Dovecot, postfix: Postfix,
) -> AsyncIterator[Office]:  # fmt: skip
    async with office(
        tmp_path, database_url, mailbox, authority,
        imap_port=dovecot.imaps_port, smtp_port=postfix.smtp_port,
    ) as one:  # fmt: skip
        yield one


async def test_a_letter_arrives_is_answered_and_the_reply_joins_the_dialog(
    desk: Office, mailbox: Mailbox, new_mailbox: NewMailbox, postfix: Postfix
) -> None:
    customer = new_mailbox()
    mailbox.deliver(letter("one", sender=customer.address))
    await desk.arrived(1, 10)
    dialog = (await desk.dialogs())[0]
    assert (dialog.subject, dialog.address) == ("Order", customer.address)
    await desk.user.do(SendMessage(dialog_id=dialog.id, text="Tomorrow.", subject="Order"))
    await until(lambda: customer.messages())
    answer = email.message_from_bytes(customer.messages()[0], policy=email.policy.default)
    assert answer["In-Reply-To"] == "<one@away.example>"
    assert answer["Subject"] == "Re: Order"
    assert "Tomorrow." in answer.get_content()
    reply = letter(
        "two", "Thank you!", customer.address,
        In_Reply_To=answer["Message-ID"], References=answer["Message-ID"],
    )  # fmt: skip
    mailbox.deliver(reply)
    await desk.arrived(2, 10)
    assert len(await desk.dialogs()) == 1
    thread = await desk.user.thread(dialog.id)
    # The customer's letters carry the dates of their own headers.
    assert {one.text for one in thread.messages} == {
        "Where is my order?",
        "Tomorrow.",
        "Thank you!",
    }
    sent = next(one for one in thread.messages if one.direction.value == "out")
    assert sent.status == "sent"


async def test_a_stranger_with_the_reference_stays_outside(desk: Office, mailbox: Mailbox) -> None:
    mailbox.deliver(letter("one"))
    await desk.arrived(1)
    mailbox.deliver(letter("two", sender="eve@away.example", In_Reply_To="<one@away.example>"))
    await desk.arrived(2)
    assert len(await desk.dialogs()) == 2


async def test_a_letter_to_nobody_fails_with_the_servers_own_reason(
    desk: Office, new_mailbox: NewMailbox, postfix: Postfix
) -> None:
    nobody = f"nobody-here@{new_mailbox().address.split('@')[1]}"
    dialog_id = (
        await desk.user.do(
            StartDialog(
                account_id=desk.account_id, to=HubAddress(kind="email", value=nobody), subject="Hi"
            )
        )
    )[0]
    message_id = (await desk.user.do(SendMessage(dialog_id=dialog_id, text="Are you there?")))[0]

    async def failed() -> bool:
        return (await desk.user.message(message_id)).status == "failed"

    await until(failed, 40)
    shown = await desk.user.message(message_id)
    assert shown.reason == "invalid_address"
    assert shown.reason_text
    assert len(await desk.dialogs()) == 1


async def test_waiting_letters_come_in_once_each_and_a_large_one_too(
    tmp_path: Path, database_url: str, mailbox: Mailbox, authority: Authority,
    dovecot: Dovecot, postfix: Postfix,
) -> None:  # fmt: skip
    big = letter("big", "x" * 76 + "\r\n" + ("y" * 76 + "\r\n") * 256_000)
    async with office(
        tmp_path, database_url, mailbox, authority,
        imap_port=dovecot.imaps_port, smtp_port=postfix.smtp_port,
    ) as desk:  # fmt: skip
        await desk.user.do(UpdateAccount(account_id=desk.account_id, paused=True))
        dovecot.place(
            [letter(f"w{n}", sender=f"p{n % 40}@away.example") for n in range(400)] + [big],
            mailbox.address,
        )
        await desk.user.do(UpdateAccount(account_id=desk.account_id, paused=False))
        await desk.arrived(401, 90)
        assert await desk.count() == 401


async def test_a_renumbered_mailbox_loses_and_doubles_nothing(
    desk: Office, mailbox: Mailbox, dovecot: Dovecot
) -> None:
    for n in range(5):
        mailbox.deliver(letter(f"a{n}"))
    await desk.arrived(5)
    old = [letter(f"a{n}") for n in range(5)]
    dovecot.renew_uidvalidity(mailbox.address)
    dovecot.place([*old, letter("after")], mailbox.address)
    dovecot.kick(mailbox.address)
    await desk.arrived(6, 60)
    mailbox.deliver(letter("last"))
    await desk.arrived(7, 60)
    assert await desk.count() == 7


async def test_a_kicked_connection_comes_back(
    desk: Office, mailbox: Mailbox, dovecot: Dovecot
) -> None:
    mailbox.deliver(letter("one"))
    await desk.arrived(1)
    dovecot.kick(mailbox.address)
    mailbox.deliver(letter("two"))
    await desk.arrived(2, 60)


async def test_a_cut_wire_in_idle_is_noticed_and_mended(
    tmp_path: Path, database_url: str, mailbox: Mailbox, authority: Authority,
    dovecot: Dovecot, postfix: Postfix,
) -> None:  # fmt: skip
    with Wire(dovecot.imaps_port) as wire:
        async with office(
            tmp_path, database_url, mailbox, authority,
            imap_port=wire.port, smtp_port=postfix.smtp_port,
        ) as desk:  # fmt: skip
            mailbox.deliver(letter("one"))
            await desk.arrived(1)
            wire.cut()
            mailbox.deliver(letter("two"))
            await desk.arrived(2, 60)


async def test_a_wrong_password_is_a_red_mark_with_words(
    tmp_path: Path, database_url: str, mailbox: Mailbox, authority: Authority,
    dovecot: Dovecot, postfix: Postfix,
) -> None:  # fmt: skip
    async with office(
        tmp_path, database_url, mailbox, authority,
        imap_port=dovecot.imaps_port, smtp_port=postfix.smtp_port, imap_password="wrong",
    ) as desk:  # fmt: skip

        async def down() -> bool:
            return await desk.state() == "down"

        await until(down, 30)
        account = await desk.user.account(desk.account_id)
        assert "password" in account.last_error
        mended = {**account.settings, "imap_password": mailbox.password}
        await desk.user.do(UpdateAccount(account_id=desk.account_id, settings=mended))

        async def works() -> bool:
            return await desk.state() == "ok"

        await until(works, 30)


async def test_a_letter_nobody_can_read_is_kept_and_the_next_one_comes(
    desk: Office, mailbox: Mailbox, dovecot: Dovecot
) -> None:
    mailbox.deliver(letter("first"))
    await desk.arrived(1)
    dovecot.place([b"\xff\xfe no header and no sender\r\n\r\nwords\r\n"], mailbox.address)
    mailbox.deliver(letter("good"))
    await desk.arrived(2)

    async def kept() -> object:
        return await desk.user.read(quarantined)

    items = await until(kept)
    assert "sender" in items[0].error

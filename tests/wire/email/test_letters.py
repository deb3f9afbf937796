"""Letters through real Dovecot and Postfix: in by IDLE, out, threads, bounces, poison."""

from __future__ import annotations

import email
import email.policy

import pytest

from channels.email import mime
from crm_store.quarantine import quarantined
from hub import (
    SYSTEM,
    Address,
    CreateObject,
    CreateUser,
    MailNotices,
    SendMessage,
    StartDialog,
    UpdateAccount,
    UpdateProfile,
)
from hub.replay import replay
from tests.houses import US, until
from tests.servers.fixtures import Mailbox
from tests.wire.email.office import NewMailbox, Office, Opening, letter


def read(raw: bytes) -> email.message.EmailMessage:
    return email.message_from_bytes(raw, policy=email.policy.default)  # type: ignore[return-value]


async def test_a_letter_arrives_is_answered_and_the_reply_joins_the_dialog(
    desk: Office, mailbox: Mailbox, new_mailbox: NewMailbox
) -> None:
    customer = new_mailbox()
    mailbox.deliver(letter("one", sender=customer.address))
    await desk.arrived(1)
    [dialog] = await desk.dialogs()
    assert (dialog.subject, dialog.address) == ("Order", customer.address)
    await desk.user.do(SendMessage(dialog_id=dialog.id, text="Tomorrow.", subject="Order"))
    await until(lambda: customer.messages(), 60)
    answer = read(customer.messages()[0])
    assert answer["In-Reply-To"] == "<one@away.example>"
    assert answer["Subject"] == "Re: Order"
    assert "Tomorrow." in answer.get_content()
    reply = letter(
        "two", "Thank you!", customer.address,
        In_Reply_To=answer["Message-ID"], References=answer["Message-ID"],
    )  # fmt: skip
    mailbox.deliver(reply)
    await desk.arrived(2)
    assert len(await desk.dialogs()) == 1
    assert await desk.words(dialog.id) == {"Where is my order?", "Tomorrow.", "Thank you!"}
    thread = await desk.user.thread(dialog.id)
    sent = next(one for one in thread.messages if one.direction.value == "out")
    assert sent.status == "sent"


async def test_an_answer_to_the_plus_address_finds_its_dialog_without_any_reference(
    opening: Opening, mailbox: Mailbox, new_mailbox: NewMailbox
) -> None:
    customer = new_mailbox()
    async with opening.office(mailbox, plus_token=True) as desk:
        mailbox.deliver(letter("one", sender=customer.address))
        await desk.arrived(1)
        [dialog] = await desk.dialogs()
        await desk.user.do(SendMessage(dialog_id=dialog.id, text="Tomorrow."))
        await until(lambda: customer.messages(), 60)
        token_address = read(customer.messages()[0])["Reply-To"]
        assert token_address != mailbox.address
        opening.dovecot.deliver(
            letter("two", "And now?", customer.address, To=token_address, Subject="Other"),
            token_address,
        )
        await desk.arrived(2)
        assert "And now?" in await desk.words(dialog.id)


async def test_a_colleague_is_told_by_letter(
    opening: Opening, desk: Office, new_mailbox: NewMailbox
) -> None:
    theirs = new_mailbox()
    system = desk.runtime.handle(SYSTEM)
    (ivan,) = await system.do(CreateUser(email=theirs.address, name="Ivan", role="agent"))
    wanted = {"letters": {"task.assigned": True}}
    await system.as_user(ivan).do(UpdateProfile(preferences=wanted))
    values = {"title": "Call Anna", "owner_id": str(ivan)}
    (task,) = await desk.user.do(CreateObject(kind="task", values=values))
    opening.world.offset_us += 11 * 60 * US
    await system.do(MailNotices())
    await until(lambda: theirs.messages(), 60)
    [told] = map(read, theirs.messages())
    assert told["Auto-Submitted"] == "auto-generated"
    assert told["To"].addresses[0].addr_spec == theirs.address
    words = told.get_body(("plain",)).get_content()
    assert "Call Anna" in words
    assert f"/tasks/{task}" in words, words


async def test_a_stranger_with_the_reference_stays_outside(desk: Office, mailbox: Mailbox) -> None:
    mailbox.deliver(letter("one"))
    await desk.arrived(1)
    mailbox.deliver(letter("two", sender="eve@away.example", In_Reply_To="<one@away.example>"))
    await desk.arrived(2)
    assert len(await desk.dialogs()) == 2


async def test_a_letter_to_nobody_fails_with_the_servers_own_reason(
    desk: Office, new_mailbox: NewMailbox
) -> None:
    nobody = f"nobody-here@{new_mailbox().address.split('@')[1]}"
    to = Address(kind="email", value=nobody)
    [dialog_id] = await desk.user.do(StartDialog(account_id=desk.account_id, to=to, subject="Hi"))
    [message_id] = await desk.user.do(SendMessage(dialog_id=dialog_id, text="Are you there?"))

    async def failed() -> bool:
        return (await desk.user.message(message_id)).status == "failed"

    await until(failed, 60)
    shown = await desk.user.message(message_id)
    assert shown.reason == "invalid_address"
    assert shown.reason_text
    assert len(await desk.dialogs()) == 1


async def test_a_refused_copy_is_named_and_the_others_get_the_letter(
    desk: Office, mailbox: Mailbox, new_mailbox: NewMailbox
) -> None:
    customer, colleague = new_mailbox(), new_mailbox()
    mailbox.deliver(letter("one", sender=customer.address))
    await desk.arrived(1)
    [dialog] = await desk.dialogs()
    copies = [colleague.address, "someone@elsewhere.example"]
    [message_id] = await desk.user.do(
        SendMessage(
            dialog_id=dialog.id,
            text="For all of you.",
            cc=tuple(Address(kind="email", value=one) for one in copies),
        )
    )
    await until(lambda: customer.messages() and colleague.messages(), 60)

    async def settled() -> bool:
        return (await desk.user.message(message_id)).status == "sent"

    await until(settled, 60)
    refused = (await desk.user.message(message_id)).extra["refused"]
    assert list(refused) == ["someone@elsewhere.example"]
    assert refused["someone@elsewhere.example"].startswith("5")


async def test_an_answer_ends_with_the_agents_and_the_accounts_signature(
    desk: Office, mailbox: Mailbox, new_mailbox: NewMailbox
) -> None:
    await desk.user.do(
        UpdateProfile(signature="Vera, support"),
        UpdateAccount(account_id=desk.account_id, signature="Shop of things\nMoscow"),
    )
    customer = new_mailbox()
    mailbox.deliver(letter("one", sender=customer.address))
    await desk.arrived(1)
    [dialog] = await desk.dialogs()
    await desk.user.do(SendMessage(dialog_id=dialog.id, text="Tomorrow.", html="<p>Tomorrow.</p>"))
    await until(lambda: customer.messages(), 60)
    answer = read(customer.messages()[0])
    text = answer.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert text.strip() == "Tomorrow.\n\n-- \nVera, support\nShop of things\nMoscow"
    assert "Shop of things<br>Moscow" in answer.get_body(("html",)).get_content()
    assert await desk.words(dialog.id) == {"Where is my order?", "Tomorrow."}


async def test_what_stands_out_is_html_beside_the_plain_words(
    desk: Office, mailbox: Mailbox, new_mailbox: NewMailbox
) -> None:
    await desk.user.do(UpdateProfile(signature="Vera <support>"))
    customer = new_mailbox()
    mailbox.deliver(letter("one", sender=customer.address))
    await desk.arrived(1)
    [dialog] = await desk.dialogs()
    await desk.user.do(SendMessage(dialog_id=dialog.id, text="*Tomorrow*, 2*3*4 boxes."))
    await until(lambda: customer.messages(), 60)
    answer = read(customer.messages()[0])
    assert "*Tomorrow*, 2*3*4" in answer.get_body(("plain",)).get_content()
    rich = answer.get_body(("html",)).get_content()
    assert "<b>Tomorrow</b>, 2*3*4 boxes." in rich
    assert "Vera &lt;support&gt;" in rich


async def test_a_wrong_password_is_a_red_mark_with_words(
    opening: Opening, mailbox: Mailbox
) -> None:
    async with opening.office(mailbox, imap_password="wrong") as desk:

        async def down() -> bool:
            return await desk.state() == "down"

        await until(down, 60)
        account = await desk.user.account(desk.account_id)
        assert "password" in account.last_error
        mended = {**account.settings, "imap_password": mailbox.password}
        await desk.user.do(UpdateAccount(account_id=desk.account_id, settings=mended))

        async def works() -> bool:
            return await desk.state() == "ok"

        await until(works, 60)


async def test_letters_nobody_can_read_are_kept_and_taken_in_after_the_fix(
    desk: Office, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = mime.read

    def broken(raw: bytes, own: frozenset[str] = frozenset()) -> object:
        if b"strange" in raw:
            raise ValueError("no such form")
        return real(raw, own)

    monkeypatch.setattr(mime, "read", broken)
    # Placed, because a server that delivers would add a sender.
    headless = b"\xff\xfe no header and no sender\r\n\r\nwords\r\n"
    mailbox.dovecot.place([headless], mailbox.address)
    mailbox.deliver(letter("odd", "a strange one"))
    mailbox.deliver(letter("good"))
    await desk.arrived(1)

    async def kept() -> bool:
        return len(await desk.user.read(quarantined)) == 2

    await until(kept, 60)
    items = await desk.user.read(quarantined)
    [odd] = [one for one in items if "no such form" in one.error]
    [lost] = [one for one in items if "sender" in one.error]
    monkeypatch.setattr(mime, "read", real)
    assert await replay(desk.runtime, odd.id) == 1
    assert "a strange one" in {one.preview for one in await desk.dialogs()}
    assert [one.id for one in await desk.user.read(quarantined)] == [lost.id]

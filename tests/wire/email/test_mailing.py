"""A mailing through real Postfix to real Dovecot: signed, with a file, left by one click, bounced."""

from __future__ import annotations

import email
import email.policy
import re

import dkim
import httpx2
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from channels.email.dkim import signer
from crm_store import many
from crm_store.consents import standing
from hub import (
    Address,
    CreateContact,
    GiveConsent,
    ManyContent,
    ManyRecipient,
    PlanMany,
    SendMany,
)
from hub.app import build
from tests.houses import until
from tests.servers.fixtures import Mailbox
from tests.servers.postfix import FULL
from tests.wire.email.office import NewMailbox, Office, Opening, letter

HTML = (
    "<html><body><p>Здравствуйте, {{ contact.name }}!</p>"
    '<a href="{{ unsubscribe_url }}">Unsubscribe</a></body></html>'
)


def read(raw: bytes) -> email.message.EmailMessage:
    return email.message_from_bytes(raw, policy=email.policy.default)


async def mailed(desk: Office, addresses: list[str]) -> tuple[int, list[int]]:
    """Send a letter with a file to many; gives the send and the contacts."""
    hub = desk.user
    made = await hub.do(
        *(
            CreateContact(name=f"Person{n}", addresses=(Address(kind="email", value=one),))
            for n, one in enumerate(addresses)
        )
    )
    await hub.do(*(GiveConsent(contact_id=one, how="form") for one in made))
    blob, _, size = desk.runtime.blobs.put(b"%PDF-1.7 price list")
    content = ManyContent(
        subject="Новости для {{ contact.name }}",
        text="Здравствуйте, {{ contact.name }}! {{ unsubscribe_url }}",
        html=HTML,
        attachments=(("price.pdf", "application/pdf", size, blob),),
    )
    ((send_id, ids),) = await hub.do(PlanMany(mailing_id=5, title="Spring", contents=(content,)))
    recipients = [
        ManyRecipient(
            contact_id=one,
            address_id=(await hub.contact(one)).addresses[0].id,
            account_id=desk.account_id,
            content_id=ids[0],
        )
        for one in made
    ]
    for start in range(0, len(recipients), 500):
        await hub.do(SendMany(send_id=send_id, recipients=tuple(recipients[start : start + 500])))
    return send_id, list(made)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("count", [40, pytest.param(1_000, marks=pytest.mark.soak)])
async def test_letters_are_signed_left_and_bounced(
    opening: Opening, mailbox: Mailbox, new_mailbox: NewMailbox, count: int
) -> None:
    pem = (
        rsa.generate_private_key(public_exponent=65537, key_size=2048)
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode()
    )
    customer = new_mailbox()
    local, _, domain = customer.address.partition("@")
    addresses = [f"{local}+{n}@{domain}" for n in range(count)]
    addresses += [f"{local}@{FULL}", f"nobody.{local}@{domain}"]
    limits = {"letters_per_second": 500, "connections": 8}
    async with opening.office(
        mailbox, dkim_selector="hub", dkim_key=pem, **limits  # type: ignore[arg-type]
    ) as desk:  # fmt: skip
        send, people = await mailed(desk, addresses)
        await until(lambda: customer.count() == count, 600)
        key = signer(mailbox.address.partition("@")[2], "hub", pem)
        letters = {}
        for raw in customer.messages():
            assert dkim.verify(raw, dnsfunc=lambda name, timeout=5: key.record().encode())
            one = read(raw)
            letters[str(one["To"])] = one
        assert len(letters) == count
        for n in range(count):
            one = letters[addresses[n]]
            assert one["Subject"] == f"Новости для Person{n}"
            html = one.get_body(("html",))
            assert html is not None
            assert f"Person{n}!" in html.get_content()
            [file] = one.iter_attachments()
            assert file.get_content() == b"%PDF-1.7 price list"

        # Whom the server does not know comes back as a report, and is left alone from then on.
        async def known(person: int) -> list[str]:
            found = await desk.user.read(standing, person)
            return [one.reason for one in found.suppressions]

        await until(lambda: known(people[-1]), 60)
        assert await known(people[-1]) == ["bounced_hard"]
        # A full mailbox is a soft one, by its code: once is no reason to leave anybody alone.
        await until(lambda: known(people[-2]), 60)
        assert await known(people[-2]) == ["bounced_soft"]
        states = await desk.user.read(many.counts, [send])
        assert states.pop(("sent", "")) == count
        assert states.pop(("failed", "invalid_address")) == 1
        assert list(states.values()) == [1], states
        # One click of the mail program, as RFC 8058 says: a POST of one field, no cookie.
        first = letters[addresses[0]]
        assert first["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        [link] = re.findall(r"<(http\S+)>", first["List-Unsubscribe"])
        transport = httpx2.ASGITransport(app=build(desk.runtime.settings, desk.runtime))
        async with httpx2.AsyncClient(transport=transport) as client:
            assert (await client.get(link)).status_code == 200
            assert (await desk.user.read(standing, people[0])).current[0].state == "given"
            answer = await client.post(link, data={"List-Unsubscribe": "One-Click"})
            assert answer.status_code in (200, 202, 204)
        assert "withdrawn" in {
            one.state for one in (await desk.user.read(standing, people[0])).current
        }


async def test_a_reply_to_a_mailing_threads_with_the_letter_above_it(
    opening: Opening, mailbox: Mailbox, new_mailbox: NewMailbox
) -> None:
    customer = new_mailbox()
    async with opening.office(mailbox) as desk:
        await mailed(desk, [customer.address])
        await until(lambda: len(customer.messages()) == 1, 60)
        assert await desk.dialogs() == ()
        name = str(read(customer.messages()[0])["Message-ID"])
        reply = letter("reply", "Tell me more", customer.address, In_Reply_To=name, References=name)
        mailbox.deliver(reply, customer.address)
        await desk.arrived(1)
        [dialog] = await desk.dialogs()
        thread = await desk.user.thread(dialog.id)
        above, below = thread.messages
        assert (above.author.kind.value, above.cause.text) == ("mailing", "Spring")
        assert above.text.startswith("Здравствуйте, Person0!")
        assert (below.author.kind.value, below.text) == ("contact", "Tell me more")

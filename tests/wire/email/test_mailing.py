"""A mailing of the plugin through real Postfix to real Dovecot: blocks, signed, with a file, counted."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Sequence

import dkim
import httpx2
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from channels.email.dkim import signer
from crm_store.consents import standing
from hub import Actor, ActorKind, Address, Attachment, CreateContact, GiveConsent, SaveSegment
from hub.app import build
from hub.handle import BoundHub
from plugins import mailings
from plugins.mailings.commands import SaveMailing
from plugins.mailings.doing import mailing_of, send
from plugins.mailings.files import keep
from plugins.mailings.reports import report_of
from plugins.mailings.results import Funnel, funnel_of, state_of
from plugins.mailings.sending import tick
from tests.houses import US, until
from tests.servers.fixtures import Mailbox
from tests.servers.postfix import FULL
from tests.wire.email.office import NewMailbox, Office, Opening, letter

ORDER, SALE = "https://shop.example/order", "https://shop.example/sale"
TEXT = f"""\
# Здравствуйте, {{{{ contact.name }}}}!

::: columns background=#f4f4f4
See [our sale]({SALE}).

+++

[[Order|{ORDER}]]
:::
"""
PRICES = Attachment(name="price.pdf", media_type="application/pdf", content=b"%PDF-1.7 price list")
PERSON = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}


class Names:
    """The name servers of a domain that is set up as providers ask for it."""

    def __init__(self, domain: str, record: str) -> None:
        self._domain = domain
        self._texts = {
            domain: "v=spf1 a:localhost -all",
            f"hub._domainkey.{domain}": record,
            f"_dmarc.{domain}": f"v=DMARC1; p=none; rua=mailto:dmarc@{domain}",
        }

    def txt(self, name: str) -> Sequence[str]:
        found = self._texts.get(name.rstrip("."))
        return [found] if found else []

    def mx(self, domain: str) -> Sequence[str]:
        return [f"mail.{domain}"] if domain == self._domain else []

    def addresses(self, name: str) -> Sequence[str]:
        return []

    def pointer(self, address: str) -> Sequence[str]:
        return []


def read(raw: bytes) -> email.message.EmailMessage:
    return email.message_from_bytes(raw, policy=email.policy.default)


def new_key() -> str:
    return (
        rsa.generate_private_key(public_exponent=65537, key_size=2048)
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode()
    )


async def people(hub: BoundHub, addresses: list[str]) -> list[int]:
    """Make a person of each address, who wants letters."""
    made = await hub.do(
        *(
            CreateContact(name=f"Person{n}", addresses=(Address(kind="email", value=one),))
            for n, one in enumerate(addresses)
        )
    )
    await hub.do(*(GiveConsent(contact_id=one, how="form") for one in made))
    return list(made)


async def planned(hub: BoundHub, desk: Office) -> str:
    """Plan a letter of blocks with a file to everybody; gives the mailing's id."""
    (segment,) = await desk.user.do(SaveSegment(name="Everybody"))
    (file,) = await keep(hub, [PRICES])
    plan = {
        "segment_id": str(segment),
        "accounts": [str(desk.account_id)],
        "topic": "news",
        "files": [str(file)],
        "variants": [{"subject": "Новости для {{ contact.name }}", "text": TEXT}],
    }
    return str((await hub.do(SaveMailing(title="Spring", plan=plan)))[0])


async def standing_at(hub: BoundHub, number: str) -> tuple[str, Funnel]:
    """Give the state of a mailing and its numbers, as its page shows them."""
    mailing = await mailing_of(hub, number)
    funnel = await funnel_of(hub, mailing)
    return state_of(mailing, funnel), funnel


@pytest.mark.timeout(900)
@pytest.mark.parametrize("count", [40, pytest.param(1_000, marks=pytest.mark.soak)])
async def test_letters_are_signed_followed_answered_left_and_bounced(
    opening: Opening,
    mailbox: Mailbox,
    new_mailbox: NewMailbox,
    count: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pem, ours = new_key(), mailbox.address.partition("@")[2]
    names = Names(ours, signer(ours, "hub", pem).record())
    monkeypatch.setattr("channels.email.channel.NameServers", lambda: names)
    customer = new_mailbox()
    local, _, domain = customer.address.partition("@")
    addresses = [f"{local}+{n}@{domain}" for n in range(count)]
    addresses += [f"{local}@{FULL}", f"nobody.{local}@{domain}"]
    limits = {"letters_per_second": 500, "connections": 8}
    async with opening.office(
        mailbox, plugins=(mailings,), dkim_selector="hub", dkim_key=pem, **limits  # type: ignore[arg-type]
    ) as desk:  # fmt: skip
        hub = desk.runtime.handle(Actor(kind=ActorKind.PLUGIN, name="mailings"))
        made = await people(desk.user, addresses)
        number = await planned(hub, desk)
        # Above a thousand people the number is typed.
        await send(hub, await mailing_of(hub, number), typed=str(len(made)))
        await tick(hub, {})
        await until(lambda: customer.count() == count, 600)
        letters = {}
        for raw in customer.messages():
            assert dkim.verify(
                raw, dnsfunc=lambda name, timeout=5: names.txt(name.decode())[0].encode()
            )
            one = read(raw)
            letters[str(one["To"])] = one
        assert len(letters) == count
        counted: dict[str, set[str]] = {}
        for n in range(count):
            one = letters[addresses[n]]
            assert one["Subject"] == f"Новости для Person{n}"
            html = one.get_body(("html",))
            assert html is not None
            assert f"Person{n}!" in html.get_content()
            # Two links, each of them this person's own.
            counted[addresses[n]] = set(re.findall(r'"(http[^"]+/c/[^"]+)"', html.get_content()))
            [file] = one.iter_attachments()
            assert file.get_filename() == PRICES.name
            assert file.get_content() == PRICES.content
        assert {len(one) for one in counted.values()} == {2}
        assert len(set().union(*counted.values())) == 2 * count

        # Whom the server does not know comes back as a report, and is left alone from then on.
        async def known(person: int) -> list[str]:
            found = await desk.user.read(standing, person)
            return [one.reason for one in found.suppressions]

        await until(lambda: known(made[-1]), 60)
        assert await known(made[-1]) == ["bounced_hard"]
        # A full mailbox is a soft one, by its code: once is no reason to leave anybody alone.
        await until(lambda: known(made[-2]), 60)
        assert await known(made[-2]) == ["bounced_soft"]
        # One click of the mail program, as RFC 8058 says: a POST of one field, no cookie.
        first = letters[addresses[0]]
        assert first["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        [link] = re.findall(r"<(http\S+)>", first["List-Unsubscribe"])
        transport = httpx2.ASGITransport(app=build(desk.runtime.settings, desk.runtime))
        async with httpx2.AsyncClient(transport=transport, headers=PERSON) as client:
            assert (await client.get(link)).status_code == 200
            assert (await desk.user.read(standing, made[0])).current[0].state == "given"
            answer = await client.post(link, data={"List-Unsubscribe": "One-Click"})
            assert answer.status_code in (200, 202, 204)
            # A click in the first seconds would be a scanner's.
            opening.world.offset_us += 10 * US
            led = [await client.get(one) for one in counted[addresses[1]]]
        assert "withdrawn" in {
            one.state for one in (await desk.user.read(standing, made[0])).current
        }
        assert {one.headers["location"] for one in led} == {ORDER, SALE}
        # What was sent to many is nobody's dialog before somebody answers it.
        assert await desk.dialogs() == ()
        name = str(letters[addresses[2]]["Message-ID"])
        reply = letter("reply", "Tell me more", addresses[2], In_Reply_To=name, References=name)
        mailbox.deliver(reply, customer.address)
        await until(desk.dialogs, 60)
        [dialog] = await desk.dialogs()
        assert dialog.contact_id == made[2]
        above, below = (await desk.user.thread(dialog.id)).messages
        assert (above.author.kind.value, above.cause.text) == ("mailing", "Spring")
        assert above.text.startswith("Здравствуйте, Person2!")
        assert (below.author.kind.value, below.text) == ("contact", "Tell me more")
        # The page of the mailing knows all of it.
        state, funnel = await standing_at(hub, number)
        assert state == "finished"
        assert (funnel.planned, funnel.waiting, funnel.sent) == (count + 2, 0, count)
        assert (funnel.clicked, funnel.answered, funnel.machines) == (1, 1, 0)
        assert funnel.failed == 2
        assert ("failed", "invalid_address", 1) in funnel.reasons
        report = await report_of(hub, await mailing_of(hub, number), cuts=())
        assert (report.total.unsubscribed, report.total.failed) == (1, 2)
        assert {(one.url, one.people) for one in report.links} == {(ORDER, 1), (SALE, 1)}

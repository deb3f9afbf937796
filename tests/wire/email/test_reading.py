"""A mailbox is read without loss and without doubles, whatever happens to server and network."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from channels.email import channel as email_channel
from hub import Check, UpdateAccount
from tests.houses import US
from tests.servers.certificates import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.fixtures import Mailbox
from tests.servers.wire import Wire
from tests.wire.email.office import Office, Opening, letter, lone_channel

HOURS = 3600 * US


def big_letter(megabytes: int) -> bytes:
    return letter("big", "y" * 76 + ("\r\n" + "y" * 76) * (megabytes * 1_000_000 // 78))


async def waiting(opening: Opening, mailbox: Mailbox, number: int, seconds: float) -> None:
    async with opening.office(mailbox) as desk:
        await desk.user.do(UpdateAccount(account_id=desk.account_id, paused=True))
        letters = [letter(f"w{n}", sender=f"p{n % 40}@away.example") for n in range(number)]
        letters.insert(number // 2, big_letter(20))
        await asyncio.to_thread(opening.dovecot.place, letters, mailbox.address)
        await desk.user.do(UpdateAccount(account_id=desk.account_id, paused=False))
        await desk.arrived(number + 1, seconds)
        # One more, so that a letter that came twice has come.
        mailbox.deliver(letter("last"))
        await desk.arrived(number + 2, 60)
        expected = Counter([f"<w{n}@away.example>" for n in range(number)])
        expected.update(["<big@away.example>", "<last@away.example>"])
        assert Counter(await desk.ids()) == expected
        assert await desk.longest() > 900_000


async def test_waiting_letters_come_in_once_each_and_a_large_one_too(
    opening: Opening, mailbox: Mailbox
) -> None:
    await waiting(opening, mailbox, 120, 90)


@pytest.mark.soak
async def test_three_thousand_waiting_letters_come_in_once_each_and_a_large_one_too(
    opening: Opening, mailbox: Mailbox
) -> None:
    await waiting(opening, mailbox, 3000, 600)


async def test_three_days_of_downtime_lose_nothing(opening: Opening, mailbox: Mailbox) -> None:
    dovecot = opening.dovecot
    mailbox.deliver(letter("before"))
    async with opening.office(mailbox, import_days=5) as desk:
        await desk.arrived(1)
        mailbox.deliver(letter("seen"))
        await desk.arrived(2)
    user = mailbox.address
    for n in range(12):
        mailbox.deliver(letter(f"d{n}", sender=f"p{n}@away.example"))
    # Meanwhile people use the mailbox: they read one, delete one, move one in and one out.
    dovecot.doveadm("flags", "add", "-u", user, "\\Seen", "mailbox", "INBOX", "uid", "4")
    dovecot.doveadm("expunge", "-u", user, "mailbox", "INBOX", "uid", "5")
    dovecot.doveadm("move", "-u", user, "Sent", "mailbox", "INBOX", "uid", "6")
    dovecot.doveadm("move", "-u", user, "INBOX", "mailbox", "Sent", "all")
    opening.world.offset_us += 72 * HOURS
    async with opening.office(mailbox) as desk:
        await desk.arrived(13)
        mailbox.deliver(letter("after"))
        await desk.arrived(14)
        expected = ["before", "seen", *(f"d{n}" for n in range(12) if n != 2), "after"]
        assert Counter(await desk.ids()) == Counter(f"<{one}@away.example>" for one in expected)


async def test_a_renumbered_mailbox_loses_and_doubles_nothing(
    opening: Opening, mailbox: Mailbox
) -> None:
    dovecot = opening.dovecot
    dovecot.place([letter("older-than-the-account")], mailbox.address, days_old=3)
    async with opening.office(mailbox) as desk:
        for n in range(5):
            mailbox.deliver(letter(f"a{n}"))
        await desk.arrived(5)
        dovecot.renew_uidvalidity(mailbox.address)
        # Some were there already and lie there a second time; one is new.
        again = [letter(f"a{n}") for n in range(5)]
        dovecot.place([*again, letter("after")], mailbox.address)
        dovecot.kick(mailbox.address)
        await desk.arrived(6)
        mailbox.deliver(letter("last"))
        await desk.arrived(7)
        expected = [*(f"a{n}" for n in range(5)), "after", "last"]
        assert sorted(await desk.ids()) == sorted(f"<{one}@away.example>" for one in expected)


async def test_the_last_days_are_imported_where_one_wants_them(
    opening: Opening, mailbox: Mailbox
) -> None:
    for days in (40, 9, 3, 0):
        letters = [letter(f"{days}-days-old")]
        opening.dovecot.place(letters, mailbox.address, days_old=days)
    async with opening.office(mailbox, import_days=10) as desk:
        await desk.arrived(3)
        mailbox.deliver(letter("new"))
        await desk.arrived(4)
        assert len(await desk.ids()) == 4
        assert "<40-days-old@away.example>" not in await desk.ids()


async def test_a_kicked_connection_comes_back(
    desk: Office, mailbox: Mailbox, dovecot: Dovecot
) -> None:
    mailbox.deliver(letter("one"))
    await desk.arrived(1)
    dovecot.kick(mailbox.address)
    mailbox.deliver(letter("two"))
    await desk.arrived(2)


async def test_a_restarted_server_is_found_again(opening: Opening, authority: Authority) -> None:
    with Dovecot(authority) as dovecot:
        dovecot.add_user("shop@hub.example", "secret")
        mailbox = Mailbox(address="shop@hub.example", password="secret", dovecot=dovecot)
        opening.dovecot, opening.imap_port = dovecot, dovecot.imaps_port
        async with opening.office(mailbox) as desk:
            mailbox.deliver(letter("one"))
            await desk.arrived(1)
            await asyncio.to_thread(dovecot.restart)
            mailbox.deliver(letter("two"))
            await desk.arrived(2, 90)
            assert len(await desk.ids()) == 2


async def test_a_cut_wire_in_idle_is_noticed_and_mended(opening: Opening, mailbox: Mailbox) -> None:
    with Wire(opening.dovecot.imaps_port) as wire:
        opening.imap_port = wire.port
        async with opening.office(mailbox) as desk:
            mailbox.deliver(letter("one"))
            await desk.arrived(1)
            wire.cut()
            mailbox.deliver(letter("two"))
            await desk.arrived(2)


async def test_a_network_that_falls_silent_in_idle_is_noticed_and_mended(
    opening: Opening, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(email_channel, "IDLE_SECONDS", 1.0)
    monkeypatch.setattr("channels.email.imap.CALL_SECONDS", 2.0)
    with Wire(opening.dovecot.imaps_port) as wire:
        opening.imap_port = wire.port
        async with opening.office(mailbox) as desk:
            mailbox.deliver(letter("one"))
            await desk.arrived(1)
            # No reset, no end: the wire goes dead under an open connection.
            wire.stall()
            mailbox.deliver(letter("two"))

            while await desk.state() != "down":
                await asyncio.sleep(0.05)
            wire.flow()
            await desk.arrived(2, 90)
            assert len(await desk.ids()) == 2


@pytest.mark.parametrize("verify", [True, False])
async def test_starttls_reads_a_mailbox(opening: Opening, mailbox: Mailbox, verify: bool) -> None:
    opening.imap_port = opening.dovecot.imap_port
    async with opening.office(mailbox, imap_security="starttls", verify_tls=verify) as desk:
        mailbox.deliver(letter("one"))
        await desk.arrived(1)


async def test_starttls_does_not_trust_a_stranger(opening: Opening, mailbox: Mailbox) -> None:
    settings = opening.settings(
        mailbox, imap_security="starttls", imap_port=opening.dovecot.imap_port, ca_file=""
    )
    lines = await check(settings)
    assert not lines[0].ok
    assert "certificate" in lines[0].text


async def test_starttls_never_logs_in_in_the_clear() -> None:
    heard = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] ready\r\n")
        while line := await reader.readline():
            heard.append(line)
            writer.write(line.split(b" ")[0] + b" NO not here\r\n")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        lines = await check(
            {
                "address": "shop@hub.example",
                "imap_port": port,
                "imap_security": "starttls",
                "imap_password": "secret",
                "smtp_port": 1,
            }
        )
    assert heard == [b"h1 STARTTLS\r\n"]
    assert "STARTTLS" in lines[0].text


async def check(settings: dict[str, object]) -> list[Check]:
    channel = lone_channel(**settings)
    try:
        return await channel.check()
    finally:
        await channel.close()

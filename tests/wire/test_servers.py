"""The private servers do what the tests that lean on them take for granted."""

import asyncio
import contextlib
import smtplib
import ssl
from collections.abc import AsyncIterator, Callable
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path

import aioimaplib
import aiosmtplib
import psycopg
import pytest
from flufl.bounce import scan_message

from tests.servers.certificates import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.fixtures import Mailbox
from tests.servers.postfix import Postfix
from tests.servers.postgres import Cluster
from tests.servers.process import wait_until
from tests.servers.smtp_sink import SmtpSink
from tests.servers.wire import Wire

Imap = aioimaplib.IMAP4 | aioimaplib.IMAP4_SSL


def letter(sender: str, recipient: str, subject: str = "A question") -> EmailMessage:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = subject
    message["Message-ID"] = "<question-1@away.example>"
    message.set_content("Сколько стоит доставка?")
    return message


@contextlib.asynccontextmanager
async def inbox_of(mailbox: Mailbox, client: Imap) -> AsyncIterator[Imap]:
    await client.wait_hello_from_server()
    try:
        answer = await client.login(mailbox.address, mailbox.password)
        assert answer.result == "OK"
        await client.select("INBOX")
        yield client
    finally:
        # Logging out leaves the socket to the server; here it must be closed before the loop is.
        client.protocol.transport.abort()
        await asyncio.sleep(0.01)


async def test_a_delivered_letter_is_fetched_by_imap(mailbox: Mailbox) -> None:
    mailbox.deliver(letter("anna@away.example", mailbox.address).as_bytes())
    plain = aioimaplib.IMAP4("127.0.0.1", mailbox.dovecot.imap_port)
    async with inbox_of(mailbox, plain) as client:
        answer = await client.uid("fetch", "1", "(BODY.PEEK[])")
    assert b"question-1@away.example" in answer.lines[1]


async def test_imap_over_tls_pushes_a_new_letter(mailbox: Mailbox, authority: Authority) -> None:
    tls = authority.client_context()
    dovecot = mailbox.dovecot
    encrypted = aioimaplib.IMAP4_SSL("localhost", dovecot.imaps_port, ssl_context=tls)
    async with inbox_of(mailbox, encrypted) as client:
        idle = await client.idle_start(timeout=20)
        await asyncio.to_thread(mailbox.deliver, b"Subject: now\r\n\r\nnow\r\n")
        assert b"1 EXISTS" in await client.wait_server_push(10)
        client.idle_done()
        await asyncio.wait_for(idle, 5)


def test_lmtp_refuses_an_unknown_mailbox_and_knows_plus_addresses(mailbox: Mailbox) -> None:
    user, _, domain = mailbox.address.partition("@")
    mailbox.dovecot.deliver(b"Subject: tagged\r\n\r\nx\r\n", f"{user}+tag@{domain}")
    assert mailbox.dovecot.count(mailbox.address) == 1
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        mailbox.dovecot.deliver(b"Subject: lost\r\n\r\nx\r\n", "nobody@hub.example")


def test_a_renewed_mailbox_has_another_uidvalidity_and_the_same_letters(mailbox: Mailbox) -> None:
    mailbox.dovecot.place([b"Subject: %d\r\n\r\nx\r\n" % n for n in range(3)], mailbox.address)
    before = mailbox.dovecot.uidvalidity(mailbox.address)
    assert mailbox.dovecot.renew_uidvalidity(mailbox.address) > before
    assert mailbox.dovecot.count(mailbox.address) == 3


async def test_dovecot_can_kick_stall_and_come_back(authority: Authority) -> None:
    with Dovecot(authority) as dovecot:
        dovecot.add_user("shop@hub.example", "secret")
        mailbox = Mailbox(address="shop@hub.example", password="secret", dovecot=dovecot)
        mailbox.deliver(b"Subject: kept\r\n\r\nx\r\n")
        lost = asyncio.Event()
        client = aioimaplib.IMAP4(
            "127.0.0.1", dovecot.imap_port, conn_lost_cb=lambda *_: lost.set()
        )
        async with inbox_of(mailbox, client):
            await asyncio.to_thread(dovecot.kick, mailbox.address)
            await asyncio.wait_for(lost.wait(), 5)
        dovecot.pause()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(read_a_line(dovecot.imap_port), 0.3)
        dovecot.resume()
        await asyncio.to_thread(dovecot.restart)
        assert dovecot.count(mailbox.address) == 1


async def test_postfix_takes_a_letter_after_login_and_it_arrives(
    postfix: Postfix, mailbox: Mailbox, authority: Authority
) -> None:
    await aiosmtplib.send(
        letter(mailbox.address, mailbox.address),
        hostname="localhost",
        port=postfix.submission_port,
        start_tls=True,
        tls_context=authority.client_context(),
        username=mailbox.address,
        password=mailbox.password,
    )
    await asyncio.to_thread(wait_until, lambda: bool(mailbox.messages()), "the letter arrives")
    [raw] = mailbox.messages()
    assert b"with ESMTPSA" in raw


@pytest.mark.parametrize("kind", ["plain", "starttls", "tls"])
async def test_postfix_speaks_every_kind_of_tls(
    postfix: Postfix, mailbox: Mailbox, authority: Authority, kind: str
) -> None:
    tls = authority.client_context()
    options = {
        "plain": {"port": postfix.smtp_port, "start_tls": False},
        "starttls": {"port": postfix.smtp_port, "start_tls": True, "tls_context": tls},
        "tls": {"port": postfix.submissions_port, "use_tls": True, "tls_context": tls},
    }
    async with aiosmtplib.SMTP(hostname="localhost", **options[kind]) as client:
        assert isinstance(client.get_transport_info("sslcontext"), ssl.SSLContext | None)
        assert (client.get_transport_info("cipher") is not None) == (kind != "plain")


async def test_postfix_asks_for_the_right_password(postfix: Postfix, mailbox: Mailbox) -> None:
    client = aiosmtplib.SMTP(hostname="localhost", port=postfix.submission_port, start_tls=False)
    await client.connect()
    with pytest.raises(aiosmtplib.SMTPAuthenticationError):
        await client.login(mailbox.address, "wrong")
    client.close()


async def test_an_unknown_recipient_comes_back_as_a_delivery_report(
    postfix: Postfix, mailbox: Mailbox
) -> None:
    message = letter(mailbox.address, "nobody@away.example")
    await aiosmtplib.send(message, hostname="localhost", port=postfix.smtp_port, start_tls=False)
    await asyncio.to_thread(wait_until, lambda: bool(mailbox.messages()), "the report arrives")
    [raw] = mailbox.messages()
    assert scan_message(message_from_bytes(raw)) == {b"nobody@away.example"}


async def test_nothing_leaves_the_machine(postfix: Postfix) -> None:
    message = letter("anna@away.example", "somebody@elsewhere.example")
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
        await aiosmtplib.send(
            message, hostname="localhost", port=postfix.smtp_port, start_tls=False
        )


async def test_smtp_sink_keeps_what_it_is_told_to_keep() -> None:
    with SmtpSink(keep=True) as sink:
        message = letter("shop@hub.example", "anna@away.example")
        await aiosmtplib.send(message, hostname="127.0.0.1", port=sink.port)
        [raw] = sink.messages()
    assert b"question-1@away.example" in raw


async def test_smtp_sink_can_refuse() -> None:
    with SmtpSink("-r", "RCPT") as sink:
        message = letter("shop@hub.example", "anna@away.example")
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
            await aiosmtplib.send(message, hostname="127.0.0.1", port=sink.port)


async def test_a_wire_can_stall_flow_and_be_cut(mailbox: Mailbox) -> None:
    lost = asyncio.Event()
    with Wire(mailbox.dovecot.imap_port) as wire:
        client = aioimaplib.IMAP4("127.0.0.1", wire.port, conn_lost_cb=lambda *_: lost.set())
        async with inbox_of(mailbox, client):
            assert wire.connections == 1
            wire.stall()
            waiting = asyncio.create_task(client.noop())
            done, _ = await asyncio.wait([waiting], timeout=0.3)
            assert not done
            wire.flow()
            assert (await asyncio.wait_for(waiting, 5)).result == "OK"
            wire.cut()
            await asyncio.wait_for(lost.wait(), 5)
        wire.refuse()
        with pytest.raises(OSError):  # noqa: PT011 # a reset during or right after the greeting
            await read_a_line(wire.port)


async def read_a_line(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        if not await reader.readline():
            raise ConnectionResetError
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def test_every_database_is_fresh_and_separate(postgres_cluster: Cluster) -> None:
    urls = [postgres_cluster.create_database() for _ in range(2)]
    with psycopg.connect(urls[0]) as connection:
        connection.execute("CREATE TABLE only_here (n int)")
    with psycopg.connect(urls[1]) as connection:
        found = connection.execute("SELECT to_regclass('only_here')").fetchone()
    assert found == (None,)
    for url in urls:
        postgres_cluster.drop_database(url.rpartition("/")[2])


def test_the_chosen_database_is_empty_before_migrations(
    new_database: Callable[..., str], database_kind: str, tmp_path: Path
) -> None:
    url = new_database(migrated=False)
    assert url != new_database(migrated=False)
    if database_kind == "sqlite":
        assert url == f"sqlite:///{tmp_path}/hub.db"
    else:
        with psycopg.connect(url) as connection:
            question = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
            assert connection.execute(question).fetchone() == (0,)

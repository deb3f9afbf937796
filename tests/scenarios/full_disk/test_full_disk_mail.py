"""A disk that is full while letters come into a real Dovecot: they wait there, and come once."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.scenarios.cli.processes import CommandLine, Running
from tests.scenarios.full_disk.disk import ask, came, fill, until
from tests.servers.certificates import Authority
from tests.servers.fixtures import Mailbox
from tests.servers.postfix import Postfix

FILE = 300_000
LETTERS = 12


def letter(number: int, to: str, content: bytes) -> bytes:
    made = EmailMessage()
    made["From"] = f"Customer {number} <customer-{number}@away.example>"
    made["To"] = to
    made["Subject"] = f"Letter {number}"
    made["Message-ID"] = f"<letter-{number}@away.example>"
    made["Date"] = "Sat, 28 Nov 2026 12:00:00 +0000"
    made.set_content(f"Here is my picture number {number}.\n")
    made.add_attachment(content, maintype="image", subtype="png", filename=f"picture-{number}.png")
    return made.as_bytes()


def all_of(folder: Path) -> set[bytes]:
    return {one.read_bytes() for one in folder.rglob("*") if one.is_file()}


@pytest.mark.soak
async def test_letters_wait_in_their_mailbox_until_there_is_room(
    small_disk: Path,
    run: Callable[[CommandLine], Running],
    mailbox: Mailbox,
    authority: Authority,
    postfix: Postfix,
) -> None:
    hub = CommandLine(small_disk, "", {})
    dovecot = mailbox.dovecot
    settings = {
        "address": mailbox.address,
        "imap_host": "localhost",
        "imap_port": dovecot.imaps_port,
        "imap_password": mailbox.password,
        "smtp_host": "localhost",
        "smtp_port": postfix.smtp_port,
        "smtp_security": "none",
        "smtp_login": "false",
        "ca_file": authority.ca_file,
    }
    given = [f"{name}={value}" for name, value in settings.items()]
    hub("account", "add", "email", "--title", "Shop", *given)
    running = run(hub)
    # A mailbox that is opened for the first time gives what comes from then on.
    await until(lambda: ask(small_disk, "SELECT mark FROM accounts")[0][0], "never opened")
    contents = [os.urandom(FILE) for _ in range(LETTERS)]
    mailbox.deliver(letter(0, mailbox.address, contents[0]))
    await until(lambda: len(came(small_disk)) == 1, running.said()[-3000:])

    ballast = small_disk / "ballast"
    fill(ballast)
    for number in range(1, LETTERS // 2):
        mailbox.deliver(letter(number, mailbox.address, contents[number]))
    await asyncio.sleep(3)
    assert came(small_disk) == ["<letter-0@away.example>"]
    assert not ask(small_disk, "SELECT id FROM quarantine")
    assert not list((small_disk / "blobs").rglob("*.new"))
    # The connection goes too, and nothing says that these have been read.
    dovecot.kick(mailbox.address)
    for number in range(LETTERS // 2, LETTERS):
        mailbox.deliver(letter(number, mailbox.address, contents[number]))
    await asyncio.sleep(3)
    assert came(small_disk) == ["<letter-0@away.example>"]

    ballast.unlink()
    await until(lambda: len(came(small_disk)) >= LETTERS, running.said()[-3000:], 120)
    await asyncio.sleep(1)
    assert sorted(came(small_disk)) == sorted(f"<letter-{n}@away.example>" for n in range(LETTERS))
    assert set(contents) <= all_of(small_disk / "blobs")
    assert mailbox.count() == LETTERS
    assert ask(small_disk, "PRAGMA integrity_check") == [("ok",)]
    assert json.loads(hub("account", "list", "--json"))

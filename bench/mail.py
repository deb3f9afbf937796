"""T3: an inbound letter to a committed, searchable dialog.

    python -m bench.mail --letters 1500 --rounds 5 --database both

Letters of 8 KB, text and HTML, of 200 senders. Measured twice: from the letters' bytes through the
channel and the one inbound path (batches of 50, as the listener makes them), and the whole way
from a real mailbox of Dovecot, with its process on the same cores. The yardstick of the same run
is a floor without rights, threads, journal or rules: the classic parser, one bare row with full
text each, 50 a durable commit, through the standard library alone.
"""

from __future__ import annotations

import argparse
import asyncio
import email
import logging
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import ExitStack
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from sqlalchemy import func, select

from bench.figures import load, quantile, share
from bench.house import DURABLE
from channels import email as email_plugin
from channels.email.batches import ahead
from channels.email.channel import EmailChannel
from channels.email.imap import Letter
from channels.email.marks import Mark
from crm_store.tables.dialogs import messages
from hub import SYSTEM, AccountId, Batch, ChannelContext, CreateAccount, UpdateAccount
from hub.plugin_host import PluginHost
from hub.runtime import Runtime, system_now
from hub.settings import HubSettings
from hub.workers import Workers
from tests.servers.certificates import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.postgres import Postgres

GATE, GOAL = 0.35, 0.6
BATCH, SENDERS, SIZE = 50, 200, 8_000
WORDS = [
    "заказ",
    "доставка",
    "цена",
    "счёт",
    "оплата",
    "когда",
    "почему",
    "размер",
    "цвет",
    "вернуть",
    "order",
    "price",
    "size",
]


def letters(count: int, key: str, senders: int = SENDERS) -> list[bytes]:
    """Make letters with text and HTML, of some of so many people."""
    dice = random.Random(key)
    return [_letter(f"{key}-{n}", senders, dice) for n in range(count)]


def _letter(key: str, senders: int, dice: random.Random) -> bytes:
    words = " ".join(dice.choices(WORDS, k=120)) + f" {key}"
    style = "font-family:sans-serif;color:#222;" * 20
    html = f'<html><body><p style="{style}">{words}</p></body></html>'
    html += " " * max(0, SIZE - len(html.encode()) - len(words.encode()))
    sender = dice.randrange(senders)
    return (
        f"From: Person {sender} <p{sender}@away.example>\r\nTo: shop@hub.example\r\n"
        f"Subject: Order {key}\r\nMessage-ID: <{key}@away.example>\r\n"
        f"Date: {format_datetime(datetime.now(UTC))}\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/alternative; boundary="b"\r\n\r\n'
        f"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{words}\r\n"
        f"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html}\r\n--b--\r\n"
    ).encode()


def yardstick(raw: list[bytes], folder: Path) -> float:
    """Take letters in with nothing but a parser and a table; letters a second."""
    path = folder / "raw.db"
    path.unlink(missing_ok=True)
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA journal_mode=WAL")
    conn.execute("PRAGMA synchronous=FULL")
    conn.execute(
        "CREATE TABLE m (id INTEGER PRIMARY KEY, key TEXT UNIQUE, sender TEXT, subject TEXT,"
        " text TEXT, html TEXT)"
    )
    conn.execute("CREATE VIRTUAL TABLE f USING fts5(text, content='')")
    began = time.perf_counter()
    for start in range(0, len(raw), BATCH):
        conn.execute("BEGIN IMMEDIATE")
        for n, one in enumerate(raw[start : start + BATCH], start):
            message = email.message_from_bytes(one)
            text, html = (
                part.get_payload(decode=True).decode()  # type: ignore[union-attr]
                for part in message.walk()
                if not part.is_multipart()
            )
            row = (n, message["message-id"], message["from"], message["subject"], text, html)
            conn.execute("INSERT INTO m VALUES (?, ?, ?, ?, ?, ?)", row)
            conn.execute("INSERT INTO f (rowid, text) VALUES (?, ?)", (n, text))
        conn.execute("COMMIT")
    rate = len(raw) / (time.perf_counter() - began)
    conn.close()
    return rate


def settings(port: int = 1) -> dict[str, object]:
    """Give the settings of the mailbox."""
    return {
        "address": "shop@hub.example", "imap_host": "127.0.0.1", "imap_port": port,
        "imap_security": "none", "imap_password": "secret", "smtp_host": "127.0.0.1",
    }  # fmt: skip


async def channel_path(runtime: Runtime, account_id: AccountId, raw: list[bytes]) -> float:
    """From the letters' bytes to the commit; letters a second."""
    context = ChannelContext(
        account_id=account_id, title="Bench", http=None, log=logging.getLogger("bench"),  # type: ignore[arg-type]
        now=system_now,
    )  # fmt: skip
    channel = EmailChannel(EmailChannel.Settings.model_validate(settings()), context)
    account = await runtime.handle(SYSTEM).account(account_id)

    async def batches() -> AsyncGenerator[Batch]:
        for start in range(0, len(raw), BATCH):
            yield await channel.batch(
                [
                    Letter(uid=n, raw=one, size=len(one))
                    for n, one in enumerate(raw[start : start + BATCH])
                ],
                Mark(uidvalidity=1, uid=start),
            )

    began = time.perf_counter()
    # As the listener does it: the next batch is read while this one is committed.
    async for batch in ahead(batches()):
        await runtime.receive(account, batch.arrivals, mark=batch.mark, poison=batch.poison)
    return len(raw) / (time.perf_counter() - began)


async def mailbox_path(
    runtime: Runtime, account_id: AccountId, dovecot: Dovecot, raw: list[bytes]
) -> float:
    """From a mailbox that fills while nobody looks to the last commit; letters a second."""
    hub = runtime.handle(SYSTEM)
    await hub.do(UpdateAccount(account_id=account_id, paused=True))
    await asyncio.to_thread(dovecot.place, raw, "shop@hub.example")
    before = await count(runtime)
    began = time.perf_counter()
    await hub.do(UpdateAccount(account_id=account_id, paused=False))
    while await count(runtime) < before + len(raw):
        await asyncio.sleep(0.02)
    return len(raw) / (time.perf_counter() - began)


async def count(runtime: Runtime) -> int:
    """Say how many messages there are."""
    return await runtime.database.read(
        lambda conn: int(conn.execute(select(func.count()).select_from(messages)).scalar_one())
    )


async def run(
    kind: str, url: str, number: int, rounds: int, folder: Path, dovecot: Dovecot
) -> None:
    """Measure one database."""
    host = PluginHost()
    host.add("email", email_plugin)
    runtime = Runtime(HubSettings(data=folder / "data", database_url=url), plugins=host)
    runtime.migrate()
    await runtime.start()
    workers = Workers(runtime)
    workers.start()
    hub = runtime.handle(SYSTEM)
    by_hand, listened = await hub.do(
        CreateAccount(channel="email", title="By hand", settings=settings()),
        CreateAccount(channel="email", title="Listened", settings=settings(dovecot.imap_port)),
    )
    await hub.do(UpdateAccount(account_id=by_hand, paused=True))
    while not (await hub.account(listened)).mark:
        await asyncio.sleep(0.05)
    raw: list[float] = []
    near: list[float] = []
    whole: list[float] = []
    for n in range(rounds + 1):
        taken = (
            await asyncio.to_thread(yardstick, letters(number, f"raw{n}"), folder),
            await channel_path(runtime, by_hand, letters(number, f"near{n}")),
            await mailbox_path(runtime, listened, dovecot, letters(number, f"whole{n}")),
        )
        # The first round warms up caches and connections.
        if n:
            for kept, one in zip((raw, near, whole), taken, strict=True):
                kept.append(one)
    await workers.stop()
    await runtime.stop()
    ratios = [
        quantile([a / b for a, b in zip(one, raw, strict=True)], 0.5) for one in (near, whole)
    ]
    print(
        f"T3 {kind}: yardstick {quantile(raw, 0.5):,.0f} letters/s;"
        f" channel to commit {quantile(near, 0.5):,.0f}/s, ratio {ratios[0]:.2f} {share(ratios[0], GATE, GOAL)};"
        f" out of Dovecot {quantile(whole, 0.5):,.0f}/s, ratio {ratios[1]:.2f}; {load()}"
    )


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--letters", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    given = parser.parse_args()
    for kind in ("sqlite", "postgres") if given.database == "both" else (given.database,):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            authority = stack.enter_context(Authority())
            dovecot = stack.enter_context(Dovecot(authority))
            dovecot.add_user("shop@hub.example", "secret")
            url = ""
            if kind == "postgres":
                url = stack.enter_context(Postgres(DURABLE)).cluster.create_database()
            asyncio.run(run(kind, url, given.letters, given.rounds, folder, dovecot))
        sys.stdout.flush()


if __name__ == "__main__":
    main()

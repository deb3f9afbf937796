"""What it costs to fill in a letter: from a row of the outbox to the words that a channel sends.

    python -m bench.rendering --letters 5000 --database both

Rows are read back in batches as the dispatcher claims them, and made into messages: the person's
values read, subject, plain twin and HTML filled in, links and the one to unsubscribe signed.
Microseconds of the processor a letter, with and without counted links. Raw limit of the same run:
Jinja2 alone, with the same words compiled once and the values at hand. Laying a letter out (blocks,
MJML, HTML) is done once per wording and stands beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from jinja2 import Environment
from sqlalchemy import Connection, Row, select

from bench.figures import load
from bench.mailing import HTML, TEXT, make_people
from bench.stores import CHOICES, stores
from channels import email as email_plugin
from crm_store.tables.outbox import deliveries
from hub import SYSTEM, CreateAccount, ManyContent, ManyRecipient, PlanMany, SendMany
from hub.errors import HubError
from hub.many_rendering import Contents, many_messages
from hub.plugin_host import PluginHost
from hub.runtime import Runtime
from hub.settings import HubSettings
from plugins.mailings.letter import letter

BATCH, ROUNDS, LAID_OUT = 100, 5, 20
SUBJECT = "News for {{ contact.first_name }}"
BLOCKS = "# News\n\nHello, **you**! [Look](https://shop.example/a)\n\n[[Order|https://shop.example/o]]\n\n---"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Microseconds of the processor a letter, the least of several rounds, and its bytes."""

    used: float
    size: float


def least(call: Callable[[], int]) -> float:
    """Give the fewest microseconds a piece that a call took, which says how many it made."""
    found = []
    for _ in range(ROUNDS):
        began = time.process_time()
        made = call()
        found.append((time.process_time() - began) * 1e6 / made)
    return min(found)


async def filled(runtime: Runtime, account: int, people: Sequence[tuple[int, int]], n: int,
                 *, tracks: bool) -> Cost:  # fmt: skip
    """Queue a mailing and make its messages, again and again."""
    hub = runtime.handle(SYSTEM)
    content = ManyContent(
        subject=SUBJECT, text=TEXT, html=HTML, tracks_clicks=tracks, tracks_opens=tracks
    )
    ((send_id, ids),) = await hub.do(PlanMany(mailing_id=n, contents=(content,)))
    for start in range(0, len(people), 500):
        some = tuple(
            ManyRecipient(contact_id=person, address_id=place, account_id=account, content_id=ids[0])  # type: ignore[arg-type]
            for person, place in people[start : start + 500]
        )  # fmt: skip
        await hub.do(SendMany(send_id=send_id, recipients=some))

    def run(conn: Connection) -> Cost:
        rows = conn.execute(select(deliveries).where(deliveries.c.send_id == send_id)).all()
        contents, size = Contents(), 0

        def all_of_them() -> int:
            nonlocal size
            size = sum(_made(runtime, conn, contents, rows[at : at + BATCH])
                       for at in range(0, len(rows), BATCH))  # fmt: skip
            return len(rows)

        used = least(all_of_them)
        return Cost(used=used, size=size / len(rows))

    return await runtime.database.read(run)


def _made(runtime: Runtime, conn: Connection, contents: Contents, rows: Sequence[Row[Any]]) -> int:
    size = 0
    for one in many_messages(runtime, conn, contents, rows).values():
        if isinstance(one, HubError):
            raise one
        size += len(one.text) + len(one.html)
    return size


def raw(letters: int) -> float:
    """Let Jinja2 alone fill in the same words."""
    bare = Environment(autoescape=True)
    made = [bare.from_string(one) for one in (SUBJECT, TEXT, HTML)]
    values = {"contact": {"first_name": "Person"}, "unsubscribe_url": "https://hub.example/u/x"}

    def all_of_them() -> int:
        for _ in range(letters):
            for one in made:
                one.render(values)
        return letters

    return least(all_of_them)


def laid_out() -> float:
    """Give the microseconds of laying out one wording."""
    numbers = count()

    def some() -> int:
        for _ in range(LAID_OUT):
            # Another one each time: what is laid out once is kept.
            letter(f"{BLOCKS}\n\n{next(numbers)}", language="en", utm="utm_source=bench")
        return LAID_OUT

    return least(some)


async def measure(kind: str, url: str, folder: Path, letters: int) -> None:
    """Measure one database."""
    host = PluginHost()
    host.add("email", email_plugin)
    runtime = Runtime(
        HubSettings(data=folder, database_url=url, hold_after_hours=1e6), plugins=host
    )
    runtime.migrate()
    await runtime.start()
    settings = {
        "address": "shop@hub.example", "imap_host": "127.0.0.1", "smtp_host": "127.0.0.1",
        "smtp_security": "none", "smtp_login": False,
    }  # fmt: skip
    command = CreateAccount(channel="email", title="Mail", settings=settings)
    (account,) = await runtime.handle(SYSTEM).do(command)
    people = make_people(runtime, letters)
    bare = raw(letters)
    for n, (name, tracks) in enumerate((("links as they are", False), ("links counted", True)), 1):
        one = await filled(runtime, int(account), people, n, tracks=tracks)
        print(f"{kind:10} {name:18}: {one.used:6.1f} us a letter of {one.size:.0f} characters, "
              f"{one.used / bare:.1f} of Jinja2's own {bare:.1f}")  # fmt: skip
    await runtime.stop()


def main() -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--letters", type=int, default=5_000)
    parser.add_argument("--database", choices=CHOICES, default="both")
    given = parser.parse_args()
    print(load())
    print(f"laid out   once per wording  : {laid_out() / 1000:.1f} ms")
    for kind, url, folder in stores(given.database, "rendering"):
        asyncio.run(measure(kind, url, folder, given.letters))
    print(load())
    return 0


if __name__ == "__main__":
    sys.exit(main())

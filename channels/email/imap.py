"""Reading a mailbox: every letter once, whatever happens to the connection.

`MailSource` is the small interface that the channel knows; aioimaplib (GPL-3.0) stands behind
it and nowhere else. The library's answers are guarded: small batches (a large one kills its
parser), one task per connection, a deadline on every call, and a lost connection that ends
every wait at once.
"""

from __future__ import annotations

import asyncio
import base64
import datetime
import json
import logging
import re
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from aioimaplib import aioimaplib

from channels.email.smtp import tls_context
from hub import TemporaryFailure

log = logging.getLogger("hub.channel.email")
T = TypeVar("T")

UIDS_PER_FETCH = 50
BYTES_PER_FETCH = 4_000_000
CALL_SECONDS = 30.0
BIG_CALL_SECONDS = 300.0
IDLE_SECONDS = 240.0
MARK_SCHEMA = 1
MAX_LETTER = 64_000_000


@dataclass(frozen=True, slots=True)
class Box:
    """Where letters are read."""

    host: str
    port: int
    security: str
    user: str
    password: str
    mailbox: str = "INBOX"
    verify: bool = True
    ca_file: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter as it lies in the mailbox; `raw` is empty where it was too large."""

    uid: int
    raw: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a mailbox has been read: the generation of its numbers, and the last number."""

    uidvalidity: int = 0
    uid: int = 0
    schema: int = MARK_SCHEMA

    def text(self) -> str:
        """Give the mark as it is stored."""
        return json.dumps({"schema": self.schema, "uidvalidity": self.uidvalidity, "uid": self.uid})

    @classmethod
    def read(cls, text: str) -> Mark | None:
        """Read a stored mark; None where there is none yet."""
        if not text:
            return None
        data = json.loads(text)
        return cls(uidvalidity=int(data["uidvalidity"]), uid=int(data["uid"]))


class MailSource(Protocol):
    """What the channel needs of a mailbox."""

    uidvalidity: int
    uidnext: int

    async def open(self) -> None:
        """Connect, log in, select the mailbox; raises TemporaryFailure with the reason."""

    async def close(self) -> None:
        """Leave; never raises."""

    async def new_uids(self, after: int) -> list[int]:
        """Give the numbers of letters after one, ascending."""

    async def since(self, days: int) -> int:
        """Give the number before the first letter of the last days (0 where all are younger)."""

    async def fetch(self, uids: Sequence[int]) -> list[Letter]:
        """Read letters, as many of the first ones as fit into one batch."""

    async def wait(self, seconds: float) -> None:
        """Wait until something changes, at most so long; raises when the connection is lost."""


@dataclass(slots=True)
class ImapSource:
    """A mailbox over IMAP4rev1 with IDLE (RFC 3501, RFC 2177)."""

    box: Box
    uidvalidity: int = 0
    uidnext: int = 0
    _client: Any = None
    _lost: asyncio.Event = field(default_factory=asyncio.Event)
    _idles: bool = False

    async def open(self) -> None:
        """Connect, log in and select the mailbox."""
        self._lost = asyncio.Event()
        box = self.box
        # IMAP4_SSL cannot be told of a lost connection; its base class with a context can.
        kind = aioimaplib.IMAP4
        options: dict[str, Any] = {
            "host": box.host,
            "port": box.port,
            "timeout": CALL_SECONDS,
            "conn_lost_cb": lambda _: self._lost.set(),
        }
        if box.security == "tls":
            options["ssl_context"] = tls_context(box.verify, box.ca_file)
        try:
            self._client = kind(**options)
            await self._guard(self._client.wait_hello_from_server())
            if box.security == "starttls":
                raise TemporaryFailure("STARTTLS is not supported for IMAP: use TLS (port 993)")
            answer = await self._guard(self._client.login(box.user, box.password))
        except TemporaryFailure:
            await self.close()
            raise
        except (OSError, TimeoutError, asyncio.CancelledError, aioimaplib.Error) as error:
            await self.close()
            if isinstance(error, asyncio.CancelledError):
                raise
            raise TemporaryFailure(
                f"cannot reach {box.host}:{box.port}: {str(error)[:200] or 'no answer'}"
            ) from error
        if answer.result != "OK":
            await self.close()
            raise TemporaryFailure("the mail server refused the user name or password")
        await self._select()

    async def _select(self) -> None:
        name = _mailbox_name(self.box.mailbox)
        answer = await self._guard(self._client.select(name))
        if answer.result != "OK":
            await self.close()
            raise TemporaryFailure(f"there is no mailbox {self.box.mailbox!r}")
        text = " ".join(_text(one) for one in answer.lines)
        self.uidvalidity = _number(r"UIDVALIDITY (\d+)", text)
        self.uidnext = _number(r"UIDNEXT (\d+)", text)
        if not self.uidvalidity or not self.uidnext:
            status = await self._guard(self._client.status(name, "(UIDVALIDITY UIDNEXT)"))
            text = " ".join(_text(one) for one in status.lines)
            self.uidvalidity = self.uidvalidity or _number(r"UIDVALIDITY (\d+)", text)
            self.uidnext = self.uidnext or _number(r"UIDNEXT (\d+)", text)
        self._idles = self._client.has_capability("IDLE")

    async def close(self) -> None:
        """Leave without waiting for anybody."""
        client, self._client = self._client, None
        if client is None:
            return
        transport = getattr(getattr(client, "protocol", None), "transport", None)
        try:
            async with asyncio.timeout(3):
                if transport is not None and not transport.is_closing():
                    await client.logout()
        except Exception:  # noqa: BLE001 - the connection is given up either way
            log.debug("imap_logout_failed")
        if transport is not None:
            # The library leaves its socket open after a logout.
            transport.abort()

    async def _guard(self, call: Awaitable[T], seconds: float = CALL_SECONDS) -> T:
        """Await a call under a deadline of our own; a lost connection ends it at once."""
        task = asyncio.ensure_future(call)
        lost = asyncio.ensure_future(self._lost.wait())
        try:
            done, _ = await asyncio.wait(
                {task, lost}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if task in done:
                return task.result()
            if lost in done:
                raise TemporaryFailure("the mail server closed the connection")
            raise TemporaryFailure("the mail server does not answer")
        finally:
            for one in (task, lost):
                if not one.done():
                    one.cancel()
            await asyncio.gather(task, lost, return_exceptions=True)

    async def new_uids(self, after: int) -> list[int]:
        """Give the numbers after one; a NOOP first, else new mail is not seen."""
        await self._guard(self._client.noop())
        answer = await self._guard(
            self._client.uid_search(f"UID {after + 1}:*", charset=None), BIG_CALL_SECONDS
        )
        if answer.result != "OK":
            raise TemporaryFailure("the mail server refused to search")
        # `n:*` always names the newest letter, also when it is older than n.
        return sorted(one for one in _numbers(answer.lines) if one > after)

    async def since(self, days: int) -> int:
        """Give the number before the first letter of the last days."""
        day = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=days)
        answer = await self._guard(
            self._client.uid_search(f"SINCE {day.strftime('%d-%b-%Y')}", charset=None),
            BIG_CALL_SECONDS,
        )
        found = _numbers(answer.lines) if answer.result == "OK" else []
        return min(found) - 1 if found else self.uidnext - 1

    async def fetch(self, uids: Sequence[int]) -> list[Letter]:
        """Read letters, as many of the first ones as fit into one batch."""
        sizes = await self._sizes(uids[:UIDS_PER_FETCH])
        batch: list[int] = []
        total = 0
        for uid in sorted(sizes):
            if batch and total + sizes[uid] > BYTES_PER_FETCH:
                break
            if sizes[uid] > MAX_LETTER:
                if batch:
                    break
                return [Letter(uid=uid, raw=b"", size=sizes[uid])]
            batch.append(uid)
            total += sizes[uid]
        if not batch:
            return []
        bodies = await self._bodies(batch)
        return [Letter(uid=uid, raw=bodies[uid], size=sizes[uid]) for uid in batch if uid in bodies]

    async def _sizes(self, uids: Sequence[int]) -> dict[int, int]:
        answer = await self._guard(
            self._client.uid("fetch", _set(uids), "(UID RFC822.SIZE)"), BIG_CALL_SECONDS
        )
        if answer.result != "OK":
            raise TemporaryFailure("the mail server refused to list letters")
        found = {}
        for line in answer.lines:
            text = _text(line)
            uid, size = _number(r"UID (\d+)", text), _number(r"RFC822\.SIZE (\d+)", text)
            if uid:
                found[uid] = size
        return found

    async def _bodies(self, uids: Sequence[int]) -> dict[int, bytes]:
        # PEEK: reading here must not mark the letter as read for the people who share the box.
        answer = await self._guard(
            self._client.uid("fetch", _set(uids), "(UID BODY.PEEK[])"), BIG_CALL_SECONDS
        )
        if answer.result != "OK":
            raise TemporaryFailure("the mail server refused to give letters")
        found: dict[int, bytes] = {}
        uid = 0
        for line in answer.lines:
            if isinstance(line, bytearray):
                if uid:
                    found[uid] = bytes(line)
                    uid = 0
                continue
            uid = _number(r"UID (\d+)", _text(line)) or uid
        return found

    async def wait(self, seconds: float) -> None:
        """Idle until the server says something, at most so long."""
        if not self._idles:
            await self._guard(asyncio.sleep(min(seconds, 30.0)), seconds + 5)
            return
        idle = await self._guard(self._client.idle_start(timeout=seconds + 30))
        try:
            await self._guard(self._client.wait_server_push(seconds), seconds + 5)
        except (TimeoutError, aioimaplib.AioImapException):
            pass
        except TemporaryFailure:
            if self._lost.is_set():
                raise
        self._client.idle_done()
        await self._guard(idle)


def _set(uids: Sequence[int]) -> str:
    return ",".join(str(one) for one in uids)


def _text(line: object) -> str:
    if isinstance(line, bytes | bytearray):
        return bytes(line).decode("latin-1") if len(line) < 10_000 else ""
    return str(line)


def _number(pattern: str, text: str) -> int:
    match = re.search(pattern, text)
    return int(match.group(1)) if match else 0


def _numbers(lines: Sequence[object]) -> list[int]:
    found: list[int] = []
    for line in lines:
        text = _text(line)
        if re.fullmatch(r"[\d ]+", text.strip() or "x"):
            found += [int(one) for one in text.split()]
    return found


def _mailbox_name(name: str) -> str:
    """Give a mailbox's name as IMAP wants it: modified UTF-7 (RFC 3501 section 5.1.3), quoted."""
    out, run = [], ""

    def flush() -> None:
        nonlocal run
        if run:
            coded = base64.b64encode(run.encode("utf-16-be")).decode().rstrip("=")
            out.append("&" + coded.replace("/", ",") + "-")
            run = ""

    for one in name:
        if 0x20 <= ord(one) <= 0x7E:
            flush()
            out.append("&-" if one == "&" else one)
        else:
            run += one
    flush()
    text = "".join(out)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

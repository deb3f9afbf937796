"""Reading a mailbox: every letter once, whatever happens to the connection.

`MailSource` is the small interface that the channel knows. The library's answers are guarded:
small batches, one task per connection, a deadline on every call, and a lost connection that
ends every wait at once.
"""

from __future__ import annotations

import asyncio
import base64
import datetime
import logging
import re
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from channels.email.imap_client import Client, LibraryError
from channels.email.smtp import tls_context
from hub import TemporaryFailure

log = logging.getLogger("hub.channel.email")
T = TypeVar("T")

UIDS_PER_FETCH = 50
BYTES_PER_FETCH = 4_000_000
CALL_SECONDS = 30.0
BIG_CALL_SECONDS = 300.0
IDLE_SECONDS = 240.0
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
class Entry:
    """What a mailbox says of a letter before it is read; `arrived` is 0 where unknown."""

    uid: int
    size: int
    arrived: int


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

    async def entries(self, uids: Sequence[int]) -> list[Entry]:
        """List some of the first letters, as many as are read in one go, ascending."""

    async def fetch(self, entries: Sequence[Entry]) -> tuple[list[Letter], int]:
        """Read some of the first letters, and say up to which number.

        Letters that were deleted meanwhile are missing.
        """

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
        lost = self._lost = asyncio.Event()
        box = self.box
        encrypted = box.security != "none"
        try:
            self._client = Client(
                box.host,
                box.port,
                security=box.security,
                context=tls_context(box.verify, box.ca_file) if encrypted else None,
                seconds=CALL_SECONDS,
                on_lost=lost.set,
            )
            await self._guard(self._client.wait_hello_from_server())
            answer = await self._guard(self._client.log_in(box.user, box.password))
        except (OSError, TimeoutError, LibraryError) as error:
            await self.close()
            raise TemporaryFailure(
                f"cannot reach {box.host}:{box.port}: {str(error)[:200] or 'no answer'}"
            ) from error
        except BaseException:
            await self.close()
            raise
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
        try:
            if not self._lost.is_set() and client.protocol.transport is not None:
                async with asyncio.timeout(3):
                    await client.logout()
        except Exception:  # noqa: BLE001 - the connection is given up either way
            log.debug("imap_logout_failed")
        finally:
            # Also where the logout itself is cancelled: its socket would stay open.
            client.abort()

    async def _guard(self, call: Awaitable[T], seconds: float = 0.0) -> T:
        """Await a call under a deadline of our own; a lost connection ends it at once."""
        task = asyncio.ensure_future(call)
        lost = asyncio.ensure_future(self._lost.wait())
        try:
            done, _ = await asyncio.wait(
                {task, lost}, timeout=seconds or CALL_SECONDS, return_when=asyncio.FIRST_COMPLETED
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

    async def entries(self, uids: Sequence[int]) -> list[Entry]:
        """List some of the first letters, as many as are read in one go."""
        answer = await self._guard(
            self._client.uid(
                "fetch", _set(uids[:UIDS_PER_FETCH]), "(UID RFC822.SIZE INTERNALDATE)"
            ),
            BIG_CALL_SECONDS,
        )
        if answer.result != "OK":
            raise TemporaryFailure("the mail server refused to list letters")
        found = {}
        for line in answer.lines:
            text = _text(line)
            uid = _number(r"UID (\d+)", text)
            if uid:
                size = _number(r"RFC822\.SIZE (\d+)", text)
                found[uid] = Entry(uid=uid, size=size, arrived=_arrived(text))
        return [found[uid] for uid in sorted(found)]

    async def fetch(self, entries: Sequence[Entry]) -> tuple[list[Letter], int]:
        """Read letters, some megabytes at a time; too large ones come without their bytes."""
        batch: list[int] = []
        total = 0
        for one in entries:
            if one.size > MAX_LETTER or (batch and total + one.size > BYTES_PER_FETCH):
                break
            batch.append(one.uid)
            total += one.size
        if not batch:
            one = entries[0]
            return [Letter(uid=one.uid, raw=b"", size=one.size)], one.uid
        bodies = await self._bodies(batch)
        letters = [
            Letter(uid=uid, raw=bodies[uid], size=len(bodies[uid]))
            for uid in batch
            if uid in bodies
        ]
        return letters, batch[-1]

    async def _bodies(self, uids: Sequence[int]) -> dict[int, bytes]:
        # PEEK: reading here must not mark the letter as read for the people who share the box.
        answer = await self._guard(
            self._client.uid("fetch", _set(uids), "(UID BODY.PEEK[])"), BIG_CALL_SECONDS
        )
        if answer.result != "OK":
            raise TemporaryFailure("the mail server refused to give letters")
        found: dict[int, bytes] = {}
        uid, body = 0, None
        for line in answer.lines:
            if isinstance(line, bytearray):
                body = bytes(line)
            else:
                text = _text(line)
                if re.match(r"\d+ FETCH ", text):
                    uid, body = 0, None
                uid = _number(r"\bUID (\d+)", text) or uid
            # The number may stand before the letter or behind it.
            if uid and body is not None:
                found[uid] = body
        return found

    async def wait(self, seconds: float) -> None:
        """Idle until the server says something, at most so long."""
        if not self._idles:
            await self._guard(asyncio.sleep(min(seconds, 30.0)), seconds + 5)
            return
        idle = await self._guard(self._client.idle_start(timeout=seconds + 30))
        try:
            await self._guard(self._client.wait_server_push(seconds), seconds + 5)
        except (TimeoutError, LibraryError):
            pass
        except TemporaryFailure:
            if self._lost.is_set():
                raise
        self._client.idle_done()
        await self._guard(idle)


def _set(uids: Sequence[int]) -> str:
    return ",".join(str(one) for one in uids)


def _arrived(text: str) -> int:
    """Read INTERNALDATE (RFC 9051 section 2.3.3) as microseconds UTC; 0 where there is none."""
    match = re.search(r'INTERNALDATE "([^"]{10,40})"', text)
    if match is None:
        return 0
    try:
        when = datetime.datetime.strptime(match[1].strip(), "%d-%b-%Y %H:%M:%S %z")
    except ValueError:
        return 0
    return int(when.timestamp()) * 1_000_000


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
        # Thousands of waiting letters make one very long line.
        text = bytes(line).decode("latin-1") if isinstance(line, bytes | bytearray) else str(line)
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

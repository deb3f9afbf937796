"""Sending letters: connections kept and reused, every answer translated into what happens next.

Before the last dot of DATA nothing was handed over: a failure there is temporary. After it a
lost connection leaves the outcome unknown, and the error is let out as it is.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from time import monotonic

import aiosmtplib

from channels.email.bounces import reason_of
from channels.email.exchange import DONE, GIBBERISH, GO_ON, Answer, Exchange
from hub import OutcomeUnknown, PermanentFailure, RejectReason, TemporaryFailure, TooFast

log = logging.getLogger("hub.channel.email")
IDLE_SECONDS = 60.0
WARM_SECONDS = 5.0
"""A connection used so recently is not asked whether it lives; its next letter tells."""
CLOSING = 421
SLOWER = (CLOSING, 450, 451, 452)
_SUBJECT = re.compile(r"\b4\.(\d{1,3})\.\d")
COMMAND_SECONDS = 20.0
DATA_SECONDS = 120.0
CONTEXT_SECONDS = 60
"""Whom to trust is read so often at most: it holds the loop for 25 ms, and a mailing opens all its
connections at once."""


@dataclass(frozen=True, slots=True)
class Relay:
    """Where letters are handed over."""

    host: str
    port: int
    security: str
    user: str
    password: str
    verify: bool = True
    ca_file: str = ""


def tls_context(verify: bool, ca_file: str) -> ssl.SSLContext:
    """Give the TLS context of an account."""
    return _context(verify, ca_file, int(monotonic() // CONTEXT_SECONDS))


@lru_cache(maxsize=8)
def _context(verify: bool, ca_file: str, age: int) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file or None)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class Unreachable(TemporaryFailure):
    """A relay could not be reached or refused its login: another one may be tried."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A letter whose sender and recipients a relay was told, with its answers."""

    client: aiosmtplib.SMTP
    exchange: Exchange
    answers: Sequence[Answer]


class Sender:
    """A small pool of connections to one relay."""

    def __init__(self, relay: Relay, connections: int) -> None:
        self._relay = relay
        self._free: list[tuple[aiosmtplib.SMTP, float]] = []
        self._room = asyncio.Semaphore(connections)
        self._closed = False

    async def close(self) -> None:
        """Say goodbye on every connection; what is being handed over is, and says it then."""
        self._closed = True
        # Taken out first: a letter must not begin where goodbye is being said.
        free, self._free = self._free, []
        await asyncio.gather(*(_quit(client) for client, _ in free))

    async def connect(self) -> aiosmtplib.SMTP:
        """Open a connection and log in; raises TemporaryFailure with the reason in words."""
        relay = self._relay
        client = aiosmtplib.SMTP(
            hostname=relay.host,
            port=relay.port,
            use_tls=relay.security == "tls",
            start_tls=relay.security == "starttls",
            tls_context=tls_context(relay.verify, relay.ca_file)
            if relay.security != "none"
            else None,
            timeout=COMMAND_SECONDS,
        )
        try:
            await client.connect()
            if client.is_ehlo_or_helo_needed:
                # What the server can do (SIZE, SMTPUTF8) is only known after it was greeted.
                try:
                    await client.ehlo()
                except aiosmtplib.SMTPHeloError:
                    await client.helo()
            if relay.user:
                await client.login(relay.user, relay.password)
        except aiosmtplib.SMTPAuthenticationError as error:
            client.close()
            raise Unreachable(
                f"the mail server refused the user name or password ({error.code})"
            ) from error
        except ssl.SSLError as error:
            client.close()
            raise Unreachable(f"TLS with {relay.host} failed: {error.reason}") from error
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            client.close()
            raise Unreachable(
                f"cannot reach {relay.host}:{relay.port}: {str(error)[:200]}"
            ) from error
        return client

    async def send(self, sender: str, recipients: Sequence[str], letter: bytes) -> dict[str, str]:
        """Hand a letter over; gives the recipients that were refused while others were taken."""
        async with self._room:
            begun = await self._begun(sender, recipients, len(letter))
            try:
                with begun.exchange:
                    refused = await _hand_over(begun, recipients, letter)
            except BaseException:
                begun.client.close()
                raise
            if self._closed:
                await _quit(begun.client)
            else:
                self._free.append((begun.client, asyncio.get_running_loop().time()))
            return refused

    async def _begun(self, sender: str, recipients: Sequence[str], size: int) -> Begun:
        """Name sender and recipients to the relay, over a kept connection while one still answers.

        Nothing of the letter has left by then, so that a dead connection costs only another one.
        """
        while True:
            kept = await self._kept()
            client = kept or await self.connect()
            try:
                commands = _commands(client, sender, recipients, size)
                with Exchange(client) as exchange:
                    answers = await exchange.begin(
                        commands,
                        at_once=client.supports_extension("pipelining"),
                        seconds=COMMAND_SECONDS,
                    )
                first, named = answers[0], answers[1 : len(recipients) + 1]
                if not first.is_taken and (kept is None or first.code != CLOSING):
                    raise _judge(first)
                nobody = len(named) == len(recipients) and not any(one.is_taken for one in named)
                if nobody or (len(answers) == len(commands) and client.is_connected):
                    return Begun(client, exchange, answers)
                raise aiosmtplib.SMTPServerDisconnected("Connection lost")
            except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
                client.close()
                if kept is None:
                    raise TemporaryFailure(
                        f"the connection broke before the letter: {error}"
                    ) from error
            except BaseException:
                client.close()
                raise

    async def _kept(self) -> aiosmtplib.SMTP | None:
        """Give a connection that was used before, the newest first; None where there is none."""
        now = asyncio.get_running_loop().time()
        while self._free:
            client, since = self._free.pop()
            if not client.is_connected or now - since >= IDLE_SECONDS:
                client.close()
                continue
            if now - since >= WARM_SECONDS:
                try:
                    await client.rset(timeout=5)
                except (aiosmtplib.SMTPException, OSError, TimeoutError):
                    client.close()
                    continue
            return client
        return None


def _commands(
    client: aiosmtplib.SMTP, sender: str, recipients: Sequence[str], size: int
) -> list[bytes]:
    """Give what is said before the letter: who sends it, to whom, and that it comes."""
    options = ""
    if client.supports_extension("size"):
        options += f" size={size}"
    if not (sender + "".join(recipients)).isascii():
        if not client.supports_extension("smtputf8"):
            raise PermanentFailure(
                RejectReason.INVALID_ADDRESS,
                "the mail server takes no addresses outside ASCII (SMTPUTF8)",
            )
        options += " SMTPUTF8"
    named = [f"MAIL FROM:<{sender}>{options}", *(f"RCPT TO:<{one}>" for one in recipients), "DATA"]
    return [one.encode() for one in named]


async def _hand_over(begun: Begun, recipients: Sequence[str], letter: bytes) -> dict[str, str]:
    named = begun.answers[1 : len(recipients) + 1]
    refused = {
        one: f"{answer.code} {answer.text}"[:300]
        for one, answer in zip(recipients, named, strict=True)
        if not answer.is_taken
    }
    if len(refused) == len(recipients):
        # A relay that asks for the letter all the same gets nothing: the connection ends here.
        raise _judge(Answer(max(one.code for one in named), "; ".join(refused.values())))
    answer = begun.answers[-1]
    if answer.code == GO_ON:
        answer = await begun.exchange.hand_over(letter, seconds=DATA_SECONDS)
        if answer.code == DONE:
            return refused
        if not 400 <= answer.code < 600:
            # No answer of a mail server to a letter: it may have been taken.
            raise OutcomeUnknown(f"the mail server answered {_words(answer)}")
    # The server answered: the letter was refused, and that is known.
    raise _judge(answer)


def _judge(answer: Answer) -> Exception:
    """Translate an SMTP answer: 5xx is final (RFC 5321 section 4.2.1), all else is tried again: 4xx
    says so, and another answer refuses nothing (a server that says goodbye with 221)."""
    words = _words(answer)
    if _is_too_fast(answer):
        return TooFast(words)
    if 500 <= answer.code < 600:
        return PermanentFailure(reason_of("", words), words)
    return TemporaryFailure(words)


def _is_too_fast(answer: Answer) -> bool:
    """Say whether a server wants less of us: 421, or 45x with a code of policy (RFC 3463, x.7.x)."""
    if answer.code not in SLOWER:
        return False
    subject = _SUBJECT.search(answer.text)
    return subject[1] == "7" if subject else answer.code == CLOSING


def _words(answer: Answer) -> str:
    code = "gibberish:" if answer.code == GIBBERISH else str(answer.code)
    return f"{code} {' '.join(answer.text.split())}"[:350]


async def _quit(client: aiosmtplib.SMTP) -> None:
    try:
        async with asyncio.timeout(3):
            await client.quit()
    except (aiosmtplib.SMTPException, OSError, TimeoutError):
        client.close()

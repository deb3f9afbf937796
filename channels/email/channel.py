"""The e-mail channel: one mailbox in, one relay out."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable
from typing import ClassVar, Literal, cast

from pydantic import BaseModel, Field, SecretStr, field_validator

from channels.email import mime
from channels.email.addresses import KIND, ascii_domain, canonical, on_wire
from channels.email.build import build, message_id
from channels.email.imap import IDLE_SECONDS, UIDS_PER_FETCH, Box, ImapSource, Letter, MailSource
from channels.email.marks import Mark, begun, renumbered
from channels.email.smtp import Relay, Sender
from hub import (
    Arrival,
    Batch,
    Capabilities,
    Channel,
    ChannelContext,
    Check,
    HubError,
    MalformedPayload,
    OutboundMessage,
    PermanentFailure,
    RejectReason,
    Sent,
    in_thread,
)

Security = Literal["tls", "starttls", "none"]
MAX_FILE = 25_000_000


class Settings(BaseModel):
    """How to read and send letters of one address."""

    address: str = Field(title="E-mail address", description="Customers write to it.")
    sender_name: str = Field(default="", title="Sender name", description="Shown beside it.")
    imap_host: str = Field(title="IMAP server", description="Where letters come in.")
    imap_port: int = Field(default=993, ge=1, le=65535, title="IMAP port")
    imap_security: Security = Field(default="tls", title="IMAP encryption")
    imap_user: str = Field(default="", title="IMAP user", description="Empty: the address.")
    imap_password: SecretStr = Field(default=SecretStr(""), title="IMAP password")
    mailbox: str = Field(default="INBOX", title="Folder")
    import_days: int = Field(
        default=0,
        ge=0,
        le=3650,
        title="Import old letters, days",
        description="0: only letters that arrive from now on.",
    )
    smtp_host: str = Field(title="SMTP server", description="Where answers leave.")
    smtp_port: int = Field(default=465, ge=1, le=65535, title="SMTP port")
    smtp_security: Security = Field(default="tls", title="SMTP encryption")
    smtp_user: str = Field(default="", title="SMTP user", description="Empty: the IMAP user.")
    smtp_password: SecretStr = Field(
        default=SecretStr(""), title="SMTP password", description="Empty: the IMAP password."
    )
    smtp_login: bool = Field(default=True, title="Log in for sending")
    plus_token: bool = Field(
        default=False,
        title="Answers to address+token",
        description="Surest threads; the mail server must take plus addresses.",
    )
    verify_tls: bool = Field(default=True, title="Check certificates")
    ca_file: str = Field(default="", title="Own CA file", description="Path on this machine.")

    @field_validator("address")
    @classmethod
    def _is_address(cls, value: str) -> str:
        value = canonical(value)
        local, _, domain = value.rpartition("@")
        if not local or not domain or any(one.isspace() for one in value):
            raise ValueError("this is not an e-mail address")
        return value

    @field_validator("imap_host", "smtp_host")
    @classmethod
    def _is_host(cls, value: str) -> str:
        value = value.strip()
        if not value or any(one.isspace() or one == "/" for one in value):
            raise ValueError("this is not the name of a server")
        return ascii_domain(value)


class EmailChannel(Channel):
    """Letters of one address."""

    name = "email"
    title = "E-mail"
    icon = "mail"
    capabilities: ClassVar[Capabilities] = Capabilities(
        address_kind=KIND,
        max_attachment_bytes=MAX_FILE,
        max_attachments=30,
        html=True,
        subject=True,
        copies=True,
        threads=True,
        receipts="sent",
        initiates=True,
        rate_per_second=20.0,
        connections=4,
    )
    Settings = Settings

    def __init__(self, settings: BaseModel, context: ChannelContext) -> None:
        super().__init__(settings, context)
        self._own = cast(Settings, settings)
        self._sender = Sender(self._relay(), self.capabilities.connections)

    def _box(self) -> Box:
        own = self._own
        return Box(
            host=own.imap_host,
            port=own.imap_port,
            security=own.imap_security,
            user=own.imap_user or own.address,
            password=own.imap_password.get_secret_value(),
            mailbox=own.mailbox,
            verify=own.verify_tls,
            ca_file=own.ca_file,
        )

    def _relay(self) -> Relay:
        own = self._own
        user = own.smtp_user or own.imap_user or own.address
        password = own.smtp_password.get_secret_value() or own.imap_password.get_secret_value()
        return Relay(
            host=own.smtp_host,
            port=own.smtp_port,
            security=own.smtp_security,
            user=user if own.smtp_login else "",
            password=password,
            verify=own.verify_tls,
            ca_file=own.ca_file,
        )

    async def close(self) -> None:
        """Let the connections go."""
        await self._sender.close()

    async def check(self) -> list[Check]:
        """Try both servers; each step is a line in words."""
        found = []
        source = ImapSource(self._box())
        try:
            await source.open()
            found.append(Check(name="Reading (IMAP)", ok=True))
        except HubError as error:
            found.append(Check(name="Reading (IMAP)", ok=False, text=str(error)))
        finally:
            await source.close()
        try:
            client = await self._sender.connect()
            client.close()
            found.append(Check(name="Sending (SMTP)", ok=True))
        except HubError as error:
            found.append(Check(name="Sending (SMTP)", ok=False, text=str(error)))
        return found

    # -- sending ---------------------------------------------------------------------------

    async def send(self, message: OutboundMessage) -> Sent:
        """Hand a letter to the relay."""
        own = self._own
        people = (message.to, *message.cc, *message.bcc)
        recipients = list(dict.fromkeys(on_wire(one.value) for one in people if one.value))
        for one in recipients:
            local, _, domain = one.rpartition("@")
            if not local or not domain or any(each.isspace() or each in "<>" for each in one):
                raise PermanentFailure(
                    RejectReason.INVALID_ADDRESS, f"{one!r} is not an e-mail address"
                )
        letter = build(
            message,
            sender=own.address,
            sender_name=own.sender_name or message.sender_name,
            plus_token=own.plus_token,
            at=time.time(),
        )
        refused = await self._sender.send(own.address, recipients, letter)
        return Sent(external_ids=(message_id(message, own.address),), refused=refused)

    # -- receiving -------------------------------------------------------------------------

    def _read(self, raw: bytes) -> Arrival:
        return mime.read(raw, frozenset({self._own.address}))

    def replay(self, raw: bytes) -> Iterable[Arrival]:
        """Read one quarantined letter again."""
        return [self._read(raw)]

    async def listen(self, mark: str) -> AsyncIterator[Batch]:
        """Yield batches of letters, oldest first, for ever."""
        source: MailSource = ImapSource(self._box())
        try:
            await source.open()
            here = self._start(source, Mark.read(mark))
            yield Batch(mark=here.text())
            while True:
                uids = await source.new_uids(here.uid)
                while uids:
                    async for letters, last in _read(source, uids, here):
                        here = here.upto(last, self.context.now())
                        yield await self.batch(letters, here)
                    uids = [one for one in uids if one > here.uid]
                await source.wait(IDLE_SECONDS)
        finally:
            await source.close()

    def _start(self, source: MailSource, known: Mark | None) -> Mark:
        """Say where to read on: where we were, unless the mailbox is new or numbered anew."""
        now = self.context.now()
        if known is None:
            days = self._own.import_days
            return begun(source.uidvalidity, source.uidnext, days=days, now=now)
        if known.uidvalidity != source.uidvalidity:
            self.context.log.warning("mailbox_renumbered account=%d", self.context.account_id)
            return renumbered(known, source.uidvalidity, source.uidnext, now=now)
        return known

    async def batch(self, letters: list[Letter], mark: Mark) -> Batch:
        """Read letters into one batch; those that cannot be read are its poison."""
        return await in_thread(self._batch_now, letters, mark)

    def _batch_now(self, letters: list[Letter], mark: Mark) -> Batch:
        arrivals: list[Arrival] = []
        poison: list[tuple[bytes, str]] = []
        for letter in letters:
            if not letter.raw:
                text = f"letter {letter.uid} of {letter.size} bytes is too large to be taken in"
                poison.append((text.encode(), text))
                continue
            try:
                arrival = self._read(letter.raw)
            except MalformedPayload as error:
                poison.append((letter.raw, str(error)))
            except Exception as error:  # noqa: BLE001 - one bad letter never blocks the rest
                poison.append((letter.raw, f"{type(error).__name__}: {error}"))
            else:
                if not self._is_own(arrival):
                    arrivals.append(arrival)
        return Batch(arrivals=tuple(arrivals), mark=mark.text(), poison=tuple(poison))

    def _is_own(self, arrival: Arrival) -> bool:
        """A letter of ours that came back (a copy to ourselves) is not a customer's."""
        external_id = getattr(arrival, "external_id", "")
        sender = getattr(arrival, "sender", None)
        return (
            sender is not None
            and sender.value == self._own.address
            and external_id.startswith("<hub.")
        )


async def _read(
    source: MailSource, uids: list[int], here: Mark
) -> AsyncIterator[tuple[list[Letter], int]]:
    """Read one list of letters in small batches, each with the number up to which it goes."""
    entries = await source.entries(uids)
    # Letters deleted meanwhile are nothing to wait for.
    end = uids[min(len(uids), UIDS_PER_FETCH) - 1]
    wanted = [one for one in entries if here.wants(one.uid, one.arrived)]
    while wanted:
        letters, last = await source.fetch(wanted)
        wanted = [one for one in wanted if one.uid > last]
        yield letters, last if wanted else end
        if not wanted:
            return
    yield [], end

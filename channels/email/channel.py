"""The e-mail channel: one mailbox in, one relay out."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any, ClassVar, Literal, cast

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator

from channels.email import mime
from channels.email.addresses import KIND, ascii_domain, canonical, on_wire
from channels.email.batches import ahead, letters_of
from channels.email.build import build, message_id
from channels.email.dkim import Signer, new_key, signer
from channels.email.imap import IDLE_SECONDS, Box, ImapSource, Letter, MailSource
from channels.email.marks import Mark, begun, renumbered
from channels.email.relays import Road, Senders, read_relays
from channels.email.resolving import NameServers
from channels.email.senders import Sending, check_sender
from channels.email.smtp import Relay
from hub import (
    Arrival,
    Batch,
    Capabilities,
    Channel,
    ChannelContext,
    Check,
    HubError,
    Lane,
    MalformedPayload,
    OutboundMessage,
    PermanentFailure,
    RejectReason,
    SenderCheck,
    Sent,
    in_thread,
)

Security = Literal["tls", "starttls", "none"]
MAX_FILE = 25_000_000
DKIM_SELECTOR = "hub"
ASKED = ("true", "1", "yes", "on")
"""How a form and a program say yes."""


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
    letters_per_second: int = Field(
        default=20,
        ge=1,
        le=5_000,
        title="Letters a second",
        description="What the mail server takes.",
        json_schema_extra={"advanced": True},
    )
    connections: int = Field(
        default=4,
        ge=1,
        le=50,
        title="Connections at once",
        json_schema_extra={"advanced": True},
    )
    more_relays: SecretStr = Field(
        default=SecretStr(""),
        title="More SMTP servers",
        description="One a line, tried when the first cannot be reached:"
        " smtp://user:password@host:587?security=starttls&per_minute=100",
        json_schema_extra={"multiline": True, "advanced": True},
    )
    dkim_selector: str = Field(
        default="",
        title="DKIM selector",
        description="Empty: the mail server signs, or nobody does.",
        json_schema_extra={"advanced": True},
    )
    dkim_domain: str = Field(
        default="",
        title="DKIM domain",
        description="Empty: the domain of the address.",
        json_schema_extra={"advanced": True},
    )
    dkim_key: SecretStr = Field(
        default=SecretStr(""),
        title="DKIM private key",
        description="PEM, RSA. Its public half stands under Marketing, Senders.",
        json_schema_extra={"multiline": True, "advanced": True},
    )
    dkim_make: bool = Field(
        default=False,
        title="Make a new DKIM key when this is saved",
        description="The record to publish stands under Marketing, Senders. An old key ends here.",
        json_schema_extra={"advanced": True},
    )
    plus_token: bool = Field(
        default=False,
        title="Answers to address+token",
        description="Surest threads; the mail server must take plus addresses.",
    )
    verify_tls: bool = Field(default=True, title="Check certificates")
    ca_file: str = Field(default="", title="Own CA file", description="Path on this machine.")

    @model_validator(mode="before")
    @classmethod
    def _makes_a_key(cls, values: Any) -> Any:
        """Make the pair of keys that was asked for; what is kept asks for nothing any more."""
        if not isinstance(values, Mapping) or str(values.get("dkim_make", "")).lower() not in ASKED:
            return values
        selector = str(values.get("dkim_selector") or "").strip() or DKIM_SELECTOR
        made = {"dkim_make": False, "dkim_key": new_key(), "dkim_selector": selector}
        return {**values, **made}

    @field_validator("address")
    @classmethod
    def _is_address(cls, value: str) -> str:
        value = canonical(value)
        local, _, domain = value.rpartition("@")
        if not local or not domain or any(one.isspace() for one in value):
            raise ValueError("this is not an e-mail address")
        return value

    @field_validator("dkim_key")
    @classmethod
    def _is_key(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value().strip():
            signer("example.org", "s", value.get_secret_value())
        return value

    @field_validator("more_relays")
    @classmethod
    def _are_relays(cls, value: SecretStr) -> SecretStr:
        read_relays(value.get_secret_value(), verify=True, ca_file="")
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
        max_files_bytes=MAX_FILE,
        max_attachments=30,
        html=True,
        formatting=True,
        subject=True,
        copies=True,
        threads=True,
        receipts="sent",
        initiates=True,
        rate_per_second=20.0,
        connections=4,
    )
    Settings = Settings

    @classmethod
    def capabilities_of(cls, settings: Mapping[str, object]) -> Capabilities:
        """Give an account's own speed: the mail server of each takes another one."""
        known = cls.capabilities
        rate, connections = settings.get("letters_per_second"), settings.get("connections")
        return replace(
            known,
            rate_per_second=rate if isinstance(rate, float | int) else known.rate_per_second,
            connections=connections if isinstance(connections, int) else known.connections,
        )

    def __init__(self, settings: BaseModel, context: ChannelContext) -> None:
        super().__init__(settings, context)
        self._own = cast(Settings, settings)
        own = self._own
        more = read_relays(
            own.more_relays.get_secret_value(), verify=own.verify_tls, ca_file=own.ca_file
        )
        self._senders = Senders(
            [Road(self._relay()), *more],
            self.capabilities.connections,
            context.take,
            context.now,
        )
        self._signer = self._key()

    def _key(self) -> Signer | None:
        own = self._own
        pem = own.dkim_key.get_secret_value()
        if not own.dkim_selector.strip() or not pem.strip():
            return None
        domain = own.dkim_domain.strip() or own.address.rpartition("@")[2]
        return signer(ascii_domain(domain), own.dkim_selector.strip(), pem)

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
        await self._senders.close()

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
            client = await self._senders.first.connect()
            client.close()
            found.append(Check(name="Sending (SMTP)", ok=True))
        except HubError as error:
            found.append(Check(name="Sending (SMTP)", ok=False, text=str(error)))
        return found

    async def check_sender(self) -> list[SenderCheck]:
        """Look up what providers ask of the domain that sends."""
        own, key = self._own, self._signer
        free_relay = own.smtp_host.endswith(own.address.rpartition("@")[2])
        sending = Sending(
            address=own.address,
            relays=(own.smtp_host,),
            selector=key.selector if key is not None else "",
            signing_domain=key.domain if key is not None else "",
            record=key.record() if key is not None else "",
            encrypted=own.smtp_security != "none",
            ours=free_relay,
        )
        return await in_thread(check_sender, sending, NameServers())

    # -- sending ---------------------------------------------------------------------------

    def make(self, message: OutboundMessage) -> bytes:
        """Build a letter and sign it."""
        own, at = self._own, time.time()
        letter = build(
            message,
            sender=own.address,
            sender_name=own.sender_name or message.sender_name,
            plus_token=own.plus_token,
            at=at,
        )
        return letter if self._signer is None else self._signer.sign(letter, int(at))

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
        letter = message.made or self.make(message)
        many = message.lane == Lane.MAILING
        refused = await self._senders.send(own.address, recipients, letter, counted=many)
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
                # Nothing is deleted or marked in the mailbox, so reading on confirms nothing.
                async with aclosing(ahead(self._batches(source, uids, here))) as batches:
                    async for batch, read_to in batches:
                        here = read_to
                        yield batch
                await source.wait(IDLE_SECONDS)
        finally:
            await source.close()

    async def _batches(
        self, source: MailSource, uids: list[int], here: Mark
    ) -> AsyncGenerator[tuple[Batch, Mark]]:
        while uids:
            async for letters, last in letters_of(source, uids, here):
                here = here.upto(last, self.context.now())
                yield await self.batch(letters, here), here
            uids = [one for one in uids if one > here.uid]

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

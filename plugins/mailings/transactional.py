"""A service message by a program: a letter of the library to one person, in his dialog.

It is automatic and answers nobody: no consent to advertising is asked, nothing holds it back but what
the channel itself refuses. A repeat with its key gives the first message.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table, insert, select

from hub import (
    AccountId,
    Address,
    Attachment,
    AttachmentId,
    Capabilities,
    Command,
    ContactId,
    DialogId,
    Handler,
    Hub,
    Invalid,
    Lane,
    MessageId,
    NotFound,
    SendMessage,
    SetDialogStatus,
    StartDialog,
    UnitOfWork,
    Unsupported,
    bounded_key,
    names_of,
)
from plugins.mailings.contents import capabilities_of
from plugins.mailings.files import files_of, objections
from plugins.mailings.letter import letter, said
from plugins.mailings.library import KeptLetter

ID = BigInteger().with_variant(Integer(), "sqlite")
GIVEN = "given."

sent = Table(
    "mailings_transactional",
    MetaData(),
    Column("key", String(250), primary_key=True),
    Column("message_id", ID, nullable=False),
    Column("dialog_id", ID, nullable=False),
    Column("letter_id", ID, nullable=False),
    Column("version", ID, nullable=False),
    Column("at", ID, nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transact(Command):
    """Send filled words to one address as a service message; gives message and dialog."""

    permission: ClassVar[str] = "mailings.send"

    account_id: AccountId
    to: Address
    subject: str = ""
    text: str = field(default="", repr=False)
    html: str = field(default="", repr=False)
    attachments: tuple[AttachmentId, ...] = ()
    contact_id: ContactId = ContactId(0)
    key: str = ""
    letter_id: int = 0
    version: int = 0


def declare(metadata: object) -> None:
    """Put the table on the hub's list."""
    assert isinstance(metadata, MetaData)
    sent.to_metadata(metadata)


def handler() -> Handler:
    """Who carries it out."""
    return Handler(command=Transact, handle=give)


def give(uow: UnitOfWork, command: Transact) -> tuple[int, int]:
    """Open the person's dialog, put the message into it and into the outbox, in one transaction."""
    key = (
        bounded_key(f"{uow.actor}:{command.key}", 250) if command.key else f"message:{uow.new_id()}"
    )
    known = uow.execute(select(sent).where(sent.c.key == key)).first()
    if known is not None:
        return int(known.message_id), int(known.dialog_id)
    made = DialogId(uow.new_id())
    found: Any = uow.give(
        StartDialog(
            account_id=command.account_id,
            to=command.to,
            subject=command.subject,
            contact_id=command.contact_id,
            dialog_id=made,
        )
    )
    dialog_id = DialogId(found)
    message_id: Any = uow.give(
        SendMessage(
            dialog_id=dialog_id,
            text=command.text,
            html=command.html,
            subject=command.subject,
            attachments=command.attachments,
            lane=Lane.TRIGGER,
            automated=True,
            service=True,
            send_anyway=True,
        )
    )
    if dialog_id == made:
        # Nobody has to look at it: whoever answers opens it again.
        uow.give(SetDialogStatus(dialog_id=dialog_id, status="closed"))
    uow.execute(
        insert(sent).values(
            key=key,
            message_id=message_id,
            dialog_id=dialog_id,
            letter_id=command.letter_id,
            version=command.version,
            at=uow.now,
        )
    )
    return int(message_id), int(dialog_id)


async def transact(
    hub: Hub,
    one: KeptLetter,
    *,
    account_id: int,
    contact_id: int = 0,
    address: str = "",
    name: str = "",
    given: Mapping[str, str],
    key: str = "",
) -> tuple[MessageId, DialogId]:
    """Send a letter of the library to a person or an address; gives the message and its dialog."""
    account = await hub.account(AccountId(account_id))
    capabilities = await capabilities_of(hub, account.id)
    if capabilities is None or not capabilities.sends:
        raise Unsupported("sending")
    kind = capabilities.address_kind
    if not address and not contact_id:
        raise Invalid("say to whom: a contact or an address", field="address")
    if contact_id:
        contact = await hub.contact(ContactId(contact_id))
        own = [each.value for each in contact.addresses if each.kind == kind]
        if address and address not in own:
            raise Invalid("this address is not the person's", field="address")
        if not own:
            raise NotFound("this person has no address on this channel")
        address = address or own[0]
    else:
        contact_id = await _owner(hub, kind, address)
    values = await _values(hub, contact_id, name, given)
    subject, text, html = _filled(hub, one, values, capabilities)
    files = await _files(hub, one, capabilities)
    (made,) = await hub.do(
        Transact(
            account_id=account.id,
            to=Address(kind=kind, value=address, name=name),
            subject=subject,
            text=text,
            html=html,
            attachments=files,
            key=key,
            letter_id=one.id,
            version=one.version,
        )
    )
    return MessageId(made[0]), DialogId(made[1])


async def _owner(hub: Hub, kind: str, address: str) -> int:
    """Find whose address it is, 0 for nobody's yet."""
    found = await hub.find("contact", text=address, limit=10)
    for one in found.items:
        contact = await hub.contact(one.id)
        if any((each.kind, each.value) == (kind, address) for each in contact.addresses):
            return int(contact.id)
    return 0


async def _values(hub: Hub, contact_id: int, name: str, given: Mapping[str, str]) -> dict[str, str]:
    if contact_id:
        found = dict((await hub.values(contact_id=ContactId(contact_id))).texts)
        found = {key: text for key, text in found.items() if not key.startswith("agent.")}
    else:
        brand = await hub.brand()
        names = names_of(name)
        today = datetime.fromtimestamp(hub.now() / 1_000_000, _zone(brand.time_zone))
        found = {
            "company": brand.name,
            "working_hours": str(brand.settings.get("working_hours", "")),
            "today": today.strftime("%d.%m.%Y"),
            "contact.name": name,
            "contact.first_name": names.first,
            "contact.patronymic": names.patronymic,
            "contact.last_name": names.last,
            "contact.polite_name": names.polite,
            "contact.gender": names.gender,
        }
    return {**found, **{f"{GIVEN}{key}": text for key, text in given.items()}}


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def _filled(
    hub: Hub, one: KeptLetter, values: Mapping[str, str], capabilities: Capabilities
) -> tuple[str, str, str]:
    missing: list[str] = []

    def fill(template: str, html: bool = False) -> str:
        made = hub.fill(template, values, html=html)
        missing.extend(made.missing)
        return made.text

    subject = " ".join(fill(one.subject).split()) if capabilities.subject else ""
    if capabilities.html:
        made = letter(one.text, advertising=False, plain_twin=one.plain, service=True)
        text, html = fill(made.text), fill(made.html, html=True)
    else:
        text, html = fill(one.short.strip() or said(one.text)), ""
    if missing:
        names = ", ".join(dict.fromkeys(missing))
        raise Invalid(f"not filled in: {names}", field="given")
    return subject, text, html


async def _files(hub: Hub, one: KeptLetter, capabilities: Capabilities) -> tuple[AttachmentId, ...]:
    files = await files_of(hub, one.files)
    for words, detail in objections(capabilities, files)[:1]:
        raise Invalid(f"{words}: {detail}" if detail else words, field="files")
    return tuple(
        [
            await hub.upload(
                Attachment(
                    name=each.name,
                    media_type=each.media_type,
                    content=await hub.kept_file(each.blob),
                    size=each.size,
                ),
                DialogId(0),
            )
            for each in files
        ]
    )

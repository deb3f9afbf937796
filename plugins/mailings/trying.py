"""A letter sent to oneself: the words of a plan, filled in for one person, over the real outbox.

It leaves as the mailing will, marked as a test, and is counted nowhere. Somebody for whom a
placeholder has no value is told so, as the mailing would leave him out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, insert, select

from hub import (
    SAMPLES,
    AccountId,
    ActorKind,
    Address,
    Command,
    ContactId,
    Handler,
    Hub,
    Invalid,
    ManyContent,
    TryMany,
    UnitOfWork,
    UserId,
)
from plugins.mailings.contents import capabilities_of, contents_of, steps_of
from plugins.mailings.facts import MailingChanged
from plugins.mailings.plans import Mailing

ID = BigInteger().with_variant(Integer(), "sqlite")
MOST = 5
SHOWN = 6
OPEN = ("queued", "claimed", "sending")

tests = Table(
    "mailings_tests",
    MetaData(),
    Column("send_id", ID, primary_key=True, autoincrement=False),
    Column("mailing_id", ID, nullable=False),
    Column("account_id", ID, nullable=False),
    Column("user_id", ID, nullable=False),
    Column("at", ID, nullable=False),
    Index("ix_mailings_tests_mailing", "mailing_id", "send_id"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TryMailing(Command):
    """Send the filled words of a mailing to a few addresses; gives the ids of the sends."""

    permission: ClassVar[str] = "mailings.send"

    mailing_id: int
    account_id: AccountId
    to: tuple[Address, ...]
    content: ManyContent
    title: str
    topic: str = ""
    advertising: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A test that was sent, and what became of it."""

    send_id: int
    account_id: int
    at: int
    state: str = "queued"
    reason: str = ""


def declare(metadata: object) -> None:
    """Put the table on the hub's list."""
    assert isinstance(metadata, MetaData)
    tests.to_metadata(metadata)


def handler() -> Handler:
    """Who carries it out."""
    return Handler(command=TryMailing, handle=give)


def give(uow: UnitOfWork, command: TryMailing) -> tuple[int, ...]:
    """Put each address into the outbox, and note that it was tried."""
    found = []
    for to in command.to:
        send_id: Any = uow.give(
            TryMany(
                account_id=command.account_id,
                to=to,
                content=command.content,
                title=command.title,
                topic=command.topic,
                advertising=command.advertising,
            )
        )
        found.append(int(send_id))
        uow.execute(
            insert(tests).values(
                send_id=send_id,
                mailing_id=command.mailing_id,
                account_id=command.account_id,
                user_id=uow.actor.id,
                at=uow.now,
            )
        )
    uow.record(MailingChanged(mailing_id=command.mailing_id, what="tested"))
    return tuple(found)


def samples(language: str) -> dict[str, str]:
    """Give the values of a person who does not exist."""
    if language.startswith("ru"):
        return dict(SAMPLES)
    return {
        **SAMPLES,
        "contact.name": "Ann Smith",
        "contact.first_name": "Ann",
        "contact.polite_name": "Ann",
        "contact.last_name": "Smith",
        "contact.patronymic": "",
        "contact.position": "director",
        "client.name": "Sail Ltd",
        "company": "The Sail Loft",
        "today": "10 March 2027",
        "working_hours": "Mon to Fri, 9 to 18",
    }


async def values_for(hub: Hub, contact_id: int, language: str) -> dict[str, str]:
    """Give what placeholders stand for: a chosen person's, or a sample's."""
    if not contact_id:
        found = samples(language)
    else:
        found = dict((await hub.values(contact_id=ContactId(contact_id))).texts)
    # A mailing has no author.
    return {name: text for name, text in found.items() if not name.startswith("agent.")}


async def own_address(hub: Hub, kind: str) -> str:
    """Give the colleague's own address of a kind, "" where none is known."""
    if kind != "email" or hub.actor.kind not in (ActorKind.USER, ActorKind.TOKEN):
        return ""
    return (await hub.user(UserId(hub.actor.id))).email


async def try_out(
    hub: Hub,
    mailing: Mailing,
    *,
    to: Sequence[str] = (),
    account_id: int = 0,
    contact_id: int = 0,
    variant: int = 0,
    step: int = 0,
    language: str = "en",
) -> tuple[int, ...]:
    """Send a test; gives the ids of its sends. Without addresses it goes to the colleague's own."""
    plan = mailing.plan
    if not plan.accounts:
        raise Invalid("choose a channel first", field="accounts")
    account_id = account_id or plan.accounts[0]
    if account_id not in plan.accounts:
        raise Invalid("this mailing does not go by that channel", field="account_id")
    capabilities = await capabilities_of(hub, account_id)
    if capabilities is None:
        raise Invalid("this channel is gone", field="account_id")
    wanted = [one.strip() for one in to if one.strip()]
    own = await own_address(hub, capabilities.address_kind)
    wanted = list(dict.fromkeys(wanted or ([own] if own else [])))
    if not wanted:
        raise Invalid("say to which address the test goes", field="to")
    if len(wanted) > MOST:
        raise Invalid("a test goes to at most 5 addresses", field="to")
    content = await _content(hub, mailing, account_id, variant, step)
    filled = _filled(hub, content, await values_for(hub, contact_id, language), language)
    (made,) = await hub.do(
        TryMailing(
            mailing_id=mailing.id,
            account_id=AccountId(account_id),
            to=tuple(Address(kind=capabilities.address_kind, value=one) for one in wanted),
            content=filled,
            title=mailing.title,
            topic=plan.topic,
            advertising=plan.advertising,
        )
    )
    return tuple(made)


async def _content(
    hub: Hub, mailing: Mailing, account_id: int, variant: int, step: int
) -> ManyContent:
    plan = mailing.plan
    if step:
        later = await steps_of(hub, plan)
        if not 0 < step <= len(later):
            raise Invalid("there is no such letter in this mailing", field="step")
        contents, variant = later[step - 1], 0
    else:
        contents = await contents_of(hub, plan)
    own = 0 if account_id == plan.accounts[0] else account_id
    for one in contents:
        if one.variant == str(variant) and one.account_id == own:
            return one
    raise Invalid("there is no such letter in this mailing", field="variant")


def _filled(
    hub: Hub, content: ManyContent, values: Mapping[str, str], language: str
) -> ManyContent:
    # What a person is called must not be read as a placeholder when it leaves.
    safe = {name: text.replace("{{", "{ {").replace("{%", "{ %") for name, text in values.items()}
    safe |= {name: f"{{{{ {name} }}}}" for name in ("unsubscribe_url", "view_url")}
    missing: list[str] = []

    def fill(template: str, html: bool = False) -> str:
        made = hub.fill(template, safe, html=html)
        missing.extend(made.missing)
        return made.text

    mark = "[Проба]" if language.startswith("ru") else "[Test]"
    text = fill(content.text)
    subject = fill(content.subject)
    filled = replace(
        content,
        account_id=AccountId(0),
        subject=f"{mark} {subject}".strip() if content.html or subject else "",
        text=text if content.html or content.template else f"{mark} {text}",
        html=fill(content.html, html=True) if content.html else "",
        buttons=tuple(
            replace(one, label=fill(one.label), url=fill(one.url)) for one in content.buttons
        ),
        template_values=tuple((key, fill(value)) for key, value in content.template_values),
        tracks_clicks=False,
        tracks_opens=False,
    )
    if missing:
        names = ", ".join(dict.fromkeys(missing))
        raise Invalid(f"not filled in for this person: {names}", field="contact_id")
    return filled


async def tests_of(hub: Hub, mailing: Mailing) -> list[Tried]:
    """Give the last tests of a mailing with what became of them, the newest first."""
    rows = await hub.store.all(
        select(tests)
        .where(tests.c.mailing_id == mailing.id)
        .order_by(tests.c.send_id.desc())
        .limit(SHOWN)
    )
    found = []
    for row in rows:
        state, reason = "queued", ""
        for status, why in await hub.send_counts([row["send_id"]]):
            state, reason = status, why
        found.append(
            Tried(
                send_id=row["send_id"],
                account_id=row["account_id"],
                at=row["at"],
                state=state,
                reason=reason,
            )
        )
    return found

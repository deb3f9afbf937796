"""Letters of the library, versions, service messages."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from hub import Body, GivenId, Id, Instant, Listing, Shape, Text, Word


class GivenLetter(Body):
    """A letter of the library; what is left out stays as it is."""

    title: Word = ""
    folder: Word = ""
    scope: Literal["mine", "team", "all"] = "mine"
    team_id: GivenId = 0
    subject: Word = ""
    text: Text = Field(
        default="",
        description="Light markup (docs/letters.md), or code that begins with <mjml or <html.",
    )
    short: Text = ""
    plain: Text = ""
    files: list[GivenId] = Field(default=[])


class Letter(Shape):
    """A letter of the library."""

    id: Id
    title: str
    folder: str
    scope: str
    owner_id: Id
    team_id: Id
    subject: str
    text: str
    short: str
    plain: str
    files: list[Id]
    changed_at: Instant
    version: int


class Removed(Shape):
    """What was put away."""

    removed: Id


class Copy(Body):
    """The copy's title; empty: made of the letter's."""

    title: Word = ""


class MailingMade(Shape):
    """The draft that was made."""

    mailing_id: Id


class Version(Shape):
    """What it was before: a letter's words, or a mailing's plan."""

    version: int
    at: Instant
    user_id: Id
    title: str
    body: dict[str, Any]


class Versions(Shape):
    """The newest first."""

    items: list[Version]


class MailingVersions(Versions):
    """The same of a mailing, with the version of now and those that were sent."""

    now: int
    sent: list[int]


class Change(Shape):
    """One line that came (+), went (-) or stayed."""

    sign: str
    text: str


class ComparedVersion(Version):
    """A version, and what changed since."""

    changes: list[Change]


class Restored(Body):
    """Which version comes back."""

    version: int


class DraftRestored(Shape):
    """The draft that has its earlier words again."""

    id: Id
    title: str


class Recipient(Body):
    """An address of the account's kind, and whose it is."""

    value: Word
    name: Word = ""


class ServiceMessage(Body):
    """A letter of the library to one person: `contact_id`, or an `address`."""

    letter_id: GivenId
    account_id: GivenId
    contact_id: GivenId = 0
    address: Recipient | Word | None = None
    given: dict[str, str | int | float] = Field(
        default={}, description="Values of the letter's `{{ given.… }}`."
    )


class ServiceMessageQueued(Shape):
    """Where to look what becomes of it."""

    message_id: Id
    dialog_id: Id
    status: str


Letters = Listing[Letter]

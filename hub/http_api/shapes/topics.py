"""Topics and subscriptions as the API gives and takes them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hub.shapes import Body, GivenId, Id, Instant, OptionalId, Shape

WORD = r"^[^\x00]*$"


class Topic(Shape):
    """What a person may subscribe to; empty words are the built-in ones."""

    id: Id
    name: str = Field(description="What mailings and consents say.")
    label_en: str
    label_ru: str
    about_en: str
    about_ru: str
    confirm: bool = Field(description="A subscription counts after the button of a letter's page.")
    public: bool = Field(description="It stands on everybody's page of subscriptions.")
    account_id: OptionalId = Field(description="The letter's mailbox; null is the first one.")
    valid_hours: int
    most_letters: int
    subject_en: str
    subject_ru: str
    text_en: str
    text_ru: str
    version: int


class SaveTopic(Body):
    """A topic; the words of its letter need `{{ confirm_url }}`."""

    name: str = Field(min_length=1, max_length=100, pattern=WORD)
    label_en: str = Field(default="", max_length=400, pattern=WORD)
    label_ru: str = Field(default="", max_length=400, pattern=WORD)
    about_en: str = Field(default="", max_length=400, pattern=WORD)
    about_ru: str = Field(default="", max_length=400, pattern=WORD)
    confirm: bool = True
    public: bool = True
    account_id: GivenId | None = None
    valid_hours: int = Field(default=72, ge=1, le=1440)
    most_letters: int = Field(default=3, ge=1, le=10)
    subject_en: str = Field(default="", max_length=400, pattern=WORD)
    subject_ru: str = Field(default="", max_length=400, pattern=WORD)
    text_en: str = Field(default="", max_length=20_000, pattern=WORD)
    text_ru: str = Field(default="", max_length=20_000, pattern=WORD)


class Subscribe(Body):
    """Somebody's subscription, with the words he agreed to."""

    topic: str = Field(min_length=1, max_length=100, pattern=WORD)
    email: str = Field(min_length=3, max_length=320, pattern=WORD)
    name: str = Field(default="", max_length=200, pattern=WORD)
    language: Literal["", "en", "ru"] = ""
    evidence: str = Field(
        default="", max_length=4000, pattern=WORD, description="The words, and the page."
    )
    ip: str = Field(default="", max_length=100, pattern=WORD)


class Subscribed(Shape):
    """What became of a subscription."""

    result: Literal[
        "given", "asked", "already", "limited", "suppressed", "refused", "no_mailbox"
    ] = Field(
        description="given: it counts; asked: a letter is on its way; already: it did before; "
        "limited: enough letters were sent; suppressed: the address takes none; refused: the "
        "person said no since; no_mailbox: connect one first."
    )


class Again(Body):
    """Which question is sent once more."""

    topic: str = Field(min_length=1, max_length=100, pattern=WORD)


class Confirmation(Shape):
    """A person who was asked to confirm a subscription."""

    id: Id
    contact_id: Id
    address_id: Id
    address: str
    topic: str
    state: str = Field(description="waiting, confirmed or expired.")
    language: str
    how: str
    asked_at: Instant
    expires_at: Instant
    letters: int
    letter_at: Instant

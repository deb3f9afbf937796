"""Records of what people subscribe to, and of subscriptions that wait for their button."""

from __future__ import annotations

from dataclasses import dataclass

from hub.ids import AccountId, AddressId, ContactId, Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """What a person may subscribe to: `name` is what mailings and consents say.

    With `confirm` a subscription counts only after the button of a letter's page was pressed;
    the letter leaves over `account_id` (0: the first mailbox), its button counts `valid_hours`,
    and in that time at most `most_letters` are sent. Empty words are the built-in ones. A
    `public` topic stands on everybody's page of subscriptions.
    """

    id: int
    name: str
    label_en: str
    label_ru: str
    about_en: str
    about_ru: str
    confirm: bool
    public: bool
    account_id: AccountId
    valid_hours: int
    most_letters: int
    subject_en: str
    subject_ru: str
    text_en: str
    text_ru: str
    version: int

    def label(self, language: str) -> str:
        """Give what people read: in their language, else in the other one, else the name."""
        ours, other = (
            (self.label_ru, self.label_en) if language == "ru" else (self.label_en, self.label_ru)
        )
        return ours or other or self.name

    def about(self, language: str) -> str:
        """Give what it is about, in words, "" where nothing is said."""
        ours, other = (
            (self.about_ru, self.about_en) if language == "ru" else (self.about_en, self.about_ru)
        )
        return ours or other


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """A person who was asked to confirm a subscription; `state` is waiting, confirmed or expired."""

    id: int
    contact_id: ContactId
    address_id: AddressId
    address: str
    topic: str
    state: str
    language: str
    how: str
    asked_at: Micros
    expires_at: Micros
    letters: int
    letter_at: Micros

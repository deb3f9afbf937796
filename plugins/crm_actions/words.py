"""Actions that speak to the person, or end that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import BaseModel, Field

from hub import (
    AccountId,
    Action,
    ActionHeld,
    Address,
    AskDetails,
    BlockAddress,
    Button,
    Command,
    DialogId,
    Direction,
    Facts,
    ForwardMessage,
    Lane,
    SendElsewhere,
    SendMessage,
    ready_text,
)
from plugins.crm_actions.work import EVERYTHING


class SendText(Action):
    """Answer in the dialog; never an answer to a machine."""

    name = "send_message"
    label = "send a message in this dialog"
    translations: ClassVar = {"ru": "отправить сообщение в этот диалог"}
    group = "words"
    speaks = True
    needs = frozenset({"dialog", "contact", "client", "message"})

    class Params(BaseModel):
        """What is said; {{ contact.name | "friend" }} is filled in."""

        text: str = Field(
            "", title="Text", max_length=20_000, json_schema_extra={"multiline": True}
        )
        buttons: list[str] = Field(default_factory=list, title="Buttons", max_length=10)
        template: str = Field("", title="Template of the channel", max_length=400)
        language: str = Field("", title="Language of the template", max_length=20)
        advertising: bool = Field(False, title="It is advertising: only with consent")
        topic: str = Field("", title="Topic of the consent", max_length=60)

    def plan(self, facts: Facts, params: Params) -> Sequence[Command]:
        """Queue it behind what colleagues write."""
        if facts.dialog is None:
            raise ActionHeld("this did not happen in a dialog")
        said = facts.message
        if said is not None and said.direction is Direction.IN and said.automated:
            raise ActionHeld("no person wrote the message that would be answered")
        return [
            SendMessage(
                dialog_id=facts.dialog.id,
                text=ready_text(params.text, facts),
                buttons=tuple(Button(label=one, payload=one) for one in params.buttons),
                template=params.template,
                template_language=params.language,
                advertising=params.advertising,
                topic=params.topic,
                automated=True,
                lane=Lane.TRIGGER,
            )
        ]


class SendByAnyWay(Action):
    """Speak to the person wherever that is allowed: by the first channel that is open."""

    name = "send_elsewhere"
    label = "send a message by the first channel that is open"
    translations: ClassVar = {"ru": "отправить сообщение по первому открытому каналу"}
    group = "words"
    speaks = True
    needs = EVERYTHING

    class Params(BaseModel):
        """What is said, and by which channels, in which order (none: where he wrote last)."""

        text: str = Field(
            title="Text", min_length=1, max_length=20_000, json_schema_extra={"multiline": True}
        )
        subject: str = Field("", title="Subject", max_length=400)
        channels: list[str] = Field(default_factory=list, title="Channels", max_length=10)
        not_here: bool = Field(False, title="Not in this dialog")
        advertising: bool = Field(False, title="It is advertising: only with consent")
        topic: str = Field("", title="Topic of the consent", max_length=60)

    def plan(self, facts: Facts, params: Params) -> Sequence[Command]:
        """Send it to the person that the event is about."""
        if facts.contact is None:
            raise ActionHeld("nobody is known to write to")
        return [
            SendElsewhere(
                contact_id=facts.contact.id,
                text=ready_text(params.text, facts),
                subject=ready_text(params.subject, facts),
                channels=tuple(params.channels),
                but=facts.dialog_id if params.not_here else DialogId(0),
                advertising=params.advertising,
                topic=params.topic,
            )
        ]


class AskForData(Action):
    """Ask for what the person's card lacks; the hub takes his answer onto the card."""

    name = "ask_for_data"
    label = "ask for what the card lacks"
    translations: ClassVar = {"ru": "спросить то, чего нет в карточке"}
    group = "words"
    speaks = True
    needs = frozenset({"dialog", "contact", "client", "message"})

    class Params(BaseModel):
        """A beginning, and a question for each of what may be missing (empty: it is not asked)."""

        text: str = Field("", title="Text", max_length=4000, json_schema_extra={"multiline": True})
        name: str = Field("", title="Question for the name", max_length=1000)
        phone: str = Field("", title="Question for the phone", max_length=1000)
        email: str = Field("", title="Question for the e-mail", max_length=1000)

    def plan(self, facts: Facts, params: Params) -> Sequence[Command]:
        """Ask once in a dialog, and only for what is not known."""
        if facts.dialog is None:
            raise ActionHeld("this did not happen in a dialog")
        said = facts.message
        if said is not None and said.direction is Direction.IN and said.automated:
            raise ActionHeld("no person wrote the message that would be answered")
        given = {"name": params.name, "phone": params.phone, "email": params.email}
        questions = {kind: ready_text(one, facts) for kind, one in given.items() if one.strip()}
        if not questions:
            raise ActionHeld("the rule asks for nothing")
        return [
            AskDetails(
                dialog_id=facts.dialog.id,
                text=ready_text(params.text, facts),
                questions=questions,
            )
        ]


class ForwardByMail(Action):
    """Send what was said on to a mail address."""

    name = "forward"
    label = "forward the message by mail"
    translations: ClassVar = {"ru": "переслать сообщение по почте"}
    group = "words"
    needs = EVERYTHING

    class Params(BaseModel):
        """Where to, and from which of our mailboxes."""

        account: str = Field(
            title="Mailbox", pattern="^[0-9]{1,19}$", json_schema_extra={"ref": "account"}
        )
        to: str = Field(title="To the address", pattern=r"^[^@\s]+@[^@\s]+$", max_length=320)

    def plan(self, facts: Facts, params: Params) -> Sequence[Command]:
        """Open a dialog with the address and put the words in."""
        said = facts.message
        if said is None or not said.text.strip():
            raise ActionHeld("there are no words to forward")
        if facts.dialog is not None and params.to.casefold() == facts.dialog.address.casefold():
            raise ActionHeld("it came from that very address")
        who = facts.contact.name if facts.contact is not None else ""
        return [
            ForwardMessage(
                account_id=AccountId(int(params.account)),
                to=Address(kind="email", value=params.to.casefold(), name=""),
                subject=f"Fwd: {said.subject or who}"[:400],
                text=f"{who}\n\n{said.text}".strip(),
            )
        ]


class BlockSender(Action):
    """Reject the sender: nothing more is taken in from the address."""

    name = "block_sender"
    label = "reject the sender and remember it"
    translations: ClassVar = {"ru": "отклонить отправителя и запомнить это"}
    group = "work"

    class Params(BaseModel):
        """Why."""

        reason: str = Field("spam", title="Reason", min_length=1, max_length=200)

    def plan(self, facts: Facts, params: Params) -> Sequence[Command]:
        """Block the address of the dialog."""
        if facts.dialog is None or not facts.dialog.address_id:
            raise ActionHeld("there is no address to block")
        return [BlockAddress(address_id=facts.dialog.address_id, reason=params.reason)]

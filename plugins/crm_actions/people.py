"""Actions on the person: consents, segments, a client's card, and who is none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, Field

from hub import (
    Action,
    ActionHeld,
    Command,
    CreateClient,
    Facts,
    FillSegment,
    GiveConsent,
    SetAside,
    SuppressAddress,
    WithdrawConsent,
    ready_text,
)


class _OnPerson(Action):
    """An action that needs a person."""

    group: ClassVar[str] = "work"
    needs = frozenset({"dialog", "contact", "client"})

    def plan(self, facts: Facts, params: Any) -> Sequence[Command]:
        """Give the commands, or say that nobody is known."""
        if facts.contact is None:
            raise ActionHeld("nobody is known here")
        return self.on_person(facts, params)

    def on_person(self, facts: Facts, params: Any) -> Sequence[Command]:
        """Give the commands for the person."""
        raise NotImplementedError


class _Scope(BaseModel):
    """On which channel and about what; empty is everything."""

    channel: str = Field("", title="Kind of address", max_length=40)
    topic: str = Field("", title="Topic", max_length=60)


class Subscribe(_OnPerson):
    """Note the person's consent, of which the event is the proof."""

    name = "subscribe"
    label = "note the consent to advertising"
    translations: ClassVar = {"ru": "записать согласие на рекламу"}

    class Params(_Scope):
        """Where, and about what."""

    def on_person(self, facts: Facts, params: Params) -> Sequence[Command]:
        """Give it."""
        assert facts.contact is not None
        proof = f"event {facts.event.id}" if facts.event.id else "a rule"
        return [
            GiveConsent(
                contact_id=facts.contact.id,
                channel=params.channel,
                topic=params.topic,
                how="message",
                evidence=proof,
            )
        ]


class Unsubscribe(_OnPerson):
    """Note that the person wants no advertising."""

    name = "unsubscribe"
    label = "note the refusal of advertising"
    translations: ClassVar = {"ru": "записать отказ от рекламы"}

    class Params(_Scope):
        """Where, and about what."""

    def on_person(self, facts: Facts, params: Params) -> Sequence[Command]:
        """Withdraw it."""
        assert facts.contact is not None
        return [
            WithdrawConsent(
                contact_id=facts.contact.id,
                channel=params.channel,
                topic=params.topic,
                how="message",
                evidence=f"event {facts.event.id}" if facts.event.id else "a rule",
            )
        ]


class StopAddress(_OnPerson):
    """Send no advertising to the dialog's address any more."""

    name = "suppress_address"
    label = "send no advertising to this address"
    translations: ClassVar = {"ru": "не слать рекламу на этот адрес"}

    def on_person(self, facts: Facts, params: BaseModel) -> Sequence[Command]:
        """Suppress it."""
        if facts.dialog is None or not facts.dialog.address_id:
            raise ActionHeld("there is no address")
        return [SuppressAddress(address_id=facts.dialog.address_id, reason="by_hand")]


class _Segment(BaseModel):
    """Which one; its people are listed by hand."""

    segment: str = Field(
        title="Segment", pattern="^[0-9]{1,19}$", json_schema_extra={"ref": "segment"}
    )


class IntoSegment(_OnPerson):
    """Put the person into a segment, and so into the mailings that go to it."""

    name = "add_to_segment"
    label = "add to a segment"
    translations: ClassVar = {"ru": "добавить в сегмент"}

    class Params(_Segment):
        """Which one."""

    def on_person(self, facts: Facts, params: Params) -> Sequence[Command]:
        """Add."""
        assert facts.contact is not None
        return [FillSegment(segment_id=int(params.segment), add=(facts.contact.id,))]


class OutOfSegment(_OnPerson):
    """Take the person out of a segment."""

    name = "remove_from_segment"
    label = "take out of a segment"
    translations: ClassVar = {"ru": "убрать из сегмента"}

    class Params(_Segment):
        """Which one."""

    def on_person(self, facts: Facts, params: Params) -> Sequence[Command]:
        """Remove."""
        assert facts.contact is not None
        return [FillSegment(segment_id=int(params.segment), remove=(facts.contact.id,))]


class MakeClient(_OnPerson):
    """Make a client's card of the person, unless he belongs to one."""

    name = "create_client"
    label = "make a client, unless there is one"
    translations: ClassVar = {"ru": "создать клиента, если его нет"}

    class Params(BaseModel):
        """The card's name (empty: the person's), and whose it is."""

        name: str = Field("", title="Name", max_length=400)
        organisation: bool = Field(False, title="An organisation")
        owner: str = Field("", title="Responsible", json_schema_extra={"ref": "user"})

    def on_person(self, facts: Facts, params: Params) -> Sequence[Command]:
        """Make it."""
        assert facts.contact is not None
        if facts.contact.client_id:
            raise ActionHeld("the person belongs to a client already")
        name = ready_text(params.name, facts) or facts.contact.name
        if not name:
            raise ActionHeld("the client would have no name")
        return [
            CreateClient(
                name=name,
                organisation=params.organisation,
                contact_id=facts.contact.id,
                values={"owner_id": int(params.owner)} if params.owner else {},
            )
        ]


class Reject(_OnPerson):
    """Remember that whoever writes here is no client, and why."""

    name = "set_aside"
    label = "reject the enquiry with a reason"
    translations: ClassVar = {"ru": "отклонить обращение с причиной"}

    class Params(BaseModel):
        """Why."""

        reason: str = Field(title="Reason", min_length=1, max_length=200)

    def on_person(self, facts: Facts, params: Params) -> Sequence[Command]:
        """Set the dialog's address aside."""
        if facts.dialog is None:
            raise ActionHeld("this did not happen in a dialog")
        return [SetAside(dialog_ids=(facts.dialog.id,), reason=params.reason)]

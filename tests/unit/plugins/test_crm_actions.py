"""Actions give commands and do nothing: one equality says all."""

from __future__ import annotations

from hub import Client, ClientId, Facts, MessageReceived, Micros
from hub.ids import AccountId, ContactId, DialogId, MessageId
from plugins import crm_actions
from triggers.fields import all_fields

EVENT = MessageReceived(
    message_id=MessageId(1),
    dialog_id=DialogId(2),
    account_id=AccountId(3),
    contact_id=ContactId(4),
)


def test_a_card_is_as_complete_as_what_it_says() -> None:
    """What `register_fields` gives is a field of conditions like any other."""
    [field] = crm_actions.register_fields()
    assert all_fields((), [field])["crm_actions.completeness"] is field
    client = Client(
        id=ClientId(1), name="Anna", organisation=False, created_at=Micros(1), version=1, phone="1"
    )
    facts = Facts(now=Micros(1), event=EVENT)
    assert field.value(facts) is None
    assert field.value(Facts(now=Micros(1), event=EVENT, objects={"client": client})) == 29


def test_every_recipe_is_registered_once() -> None:
    """`register_recipes` and `register_actions` give what rules and the gallery show."""
    keys = [one.key for one in crm_actions.register_recipes()]
    assert len(set(keys)) == len(keys)
    names = {one.name for one in crm_actions.register_actions()}
    assert "send_message" in names

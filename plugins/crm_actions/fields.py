"""Fields of conditions that are worked out of a card: how complete it is, say."""

from __future__ import annotations

from hub import Facts, Field, FieldType, Where

_ASKED = ("name", "phone", "email", "source", "owner_id", "region", "industry")
"""What a card should say; the share of what is there is its completeness."""


def _completeness(facts: Facts) -> object:
    client = facts.object("client")
    if client is None:
        return None
    filled = sum(bool(getattr(client, name, "")) for name in _ASKED)
    return round(100 * filled / len(_ASKED))


FIELDS = [
    Field(
        name="crm_actions.completeness",
        label="Completeness of the client's card, %",
        type=FieldType.NUMBER,
        value=_completeness,
        where=Where.FACT,
        translations={"ru": "Заполненность карточки клиента, %"},
    )
]

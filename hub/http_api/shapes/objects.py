"""Leads and clients as the API gives and takes them; their fields are those of hub/nouns."""

from __future__ import annotations

from typing import Any

from pydantic import Field, create_model

from hub.http_api.shapes.base import (
    Body,
    GivenId,
    GivenInstant,
    Id,
    Instant,
    OptionalId,
    Shape,
    Text,
    Word,
)
from hub.kinds import Kind
from hub.nouns import CLIENTS, LEADS
from hub.properties import Property, PropertyType

_GIVEN: dict[PropertyType, Any] = {
    PropertyType.LINE: Word,
    PropertyType.TEXT: Text,
    PropertyType.CHOICE: Word,
    PropertyType.NUMBER: int,
    PropertyType.MONEY: int,
    PropertyType.FLAG: bool,
    PropertyType.INSTANT: GivenInstant,
    PropertyType.DATE: GivenInstant,
    PropertyType.REF: GivenId,
    PropertyType.TAGS: list[Word],
}
_SHOWN: dict[PropertyType, Any] = {
    PropertyType.NUMBER: int,
    PropertyType.MONEY: int,
    PropertyType.FLAG: bool,
    PropertyType.INSTANT: Instant,
    PropertyType.DATE: Instant,
    PropertyType.REF: OptionalId,
    PropertyType.TAGS: list[str],
}


def _about(prop: Property) -> str:
    words = prop.label
    if prop.choices:
        words += f": one of {', '.join(one.value for one in prop.choices)}"
    if prop.type is PropertyType.MONEY:
        words += ", in minor units (kopecks, cents)"
    return words


def _shape(kind: Kind, name: str, doc: str) -> type[Shape]:
    fields: dict[str, Any] = {"id": (Id, ...)}
    for prop in kind.properties:
        fields[prop.name] = (_SHOWN.get(prop.type, str), Field(description=_about(prop)))
    fields["deleted_at"] = (Instant, Field(description="When it went into the bin."))
    fields["version"] = (int, Field(description="It is also the ETag."))
    return create_model(name, __base__=Shape, __doc__=doc, **fields)


def _body(kind: Kind, name: str, doc: str, **more: Any) -> type[Body]:
    fields: dict[str, Any] = {
        prop.name: (_GIVEN[prop.type] | None, Field(None, description=_about(prop)))
        for prop in kind.properties
        if prop.editable
    }
    return create_model(name, __base__=Body, __doc__=doc, **fields, **more)


Lead: Any = _shape(LEADS, "Lead", "A hint of interest, and what became of it.")
Client: Any = _shape(CLIENTS, "Client", "Who buys: a person or an organisation.")
CreateLead: Any = _body(
    LEADS,
    "CreateLead",
    "A new lead; with `dialog_id` what is left out is taken from the dialog.",
    dialog_id=(GivenId | None, Field(None, description="The dialog it comes from.")),
    unless_open=(
        bool,
        Field(False, description="Give the person's open lead instead of making a second one."),
    ),
)
ChangeLead: Any = _body(
    LEADS, "ChangeLead", "What to change; what is left out stays, null empties."
)
CreateClient: Any = _body(
    CLIENTS,
    "CreateClient",
    "A new client, for an existing contact or alone.",
    contact_id=(GivenId | None, Field(None, description="A contact who belongs to it.")),
)
ChangeClient: Any = _body(
    CLIENTS, "ChangeClient", "What to change; what is left out stays, null empties."
)


class ChangeActor(Shape):
    """Who changed it."""

    kind: str
    id: Id
    name: str


class ChangeCause(Shape):
    """What provoked it; an empty kind is a person's own act."""

    kind: str
    id: Id
    text: str


class ChangeLine(Shape):
    """One property that changed; of a personal one both values are null."""

    event_id: Id
    at: Instant
    actor: ChangeActor
    cause: ChangeCause
    field: str
    before: Any
    after: Any


class RejectLead(Body):
    """Why a lead leads to nothing."""

    reason: Word = Field(min_length=1, examples=["too expensive"])


class ConvertLead(Body):
    """Whom a lead becomes: a client that is there, or a new card."""

    client_id: GivenId | None = None
    name: Word = Field("", description="Of the new client; empty: the lead's company or name.")
    organisation: bool = False

"""Objects as the API gives and takes them; their fields are those of hub/nouns."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, create_model

from hub.kinds import Kind
from hub.nouns import CLIENTS, LEADS
from hub.properties import Property, PropertyType
from hub.shapes import Body, GivenId, GivenInstant, Id, Instant, OptionalId, Shape, Text, Word


class CardAddress(Shape):
    """An address of a card; of each kind one is the main one."""

    kind: str
    value: str
    label: str
    main: bool


class GivenCardAddress(Body):
    """An address that a card is to have."""

    kind: Word = Field(description="phone, email, site, or a channel's: telegram ...")
    value: Word
    label: Word = Field("", description="What it is for: reception, accounts.")
    main: bool = Field(False, description="The main one of its kind; else the first is.")


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
    PropertyType.FILE: GivenId,
    PropertyType.ADDRESSES: list[GivenCardAddress],
}
_SHOWN: dict[PropertyType, Any] = {
    PropertyType.NUMBER: int,
    PropertyType.MONEY: int,
    PropertyType.FLAG: bool,
    PropertyType.INSTANT: Instant,
    PropertyType.DATE: Instant,
    PropertyType.REF: OptionalId,
    PropertyType.TAGS: list[str],
    PropertyType.FILE: OptionalId,
    PropertyType.ADDRESSES: list[CardAddress],
}


Custom = Annotated[
    dict[str, Any], BeforeValidator(lambda one: one.plain() if hasattr(one, "plain") else one)
]
GIVEN_CUSTOM = (
    "Values of custom fields, by name; null empties one. A file is the id of your upload, and is read "
    "as id, name, size and media_type."
)
GivenCustom = Annotated[dict[Word, Any], Field(max_length=100)]


def _about(prop: Property) -> str:
    words = prop.label
    if prop.choices_from:
        words += ": one of the organisation's own"
    elif prop.choices:
        words += f": one of {', '.join(one.value for one in prop.choices)}"
    if prop.type is PropertyType.MONEY:
        words += ", in minor units (kopecks, cents)"
    if prop.type is PropertyType.ADDRESSES:
        words += ": all of them; phone, email and site are the main ones"
    if prop.lasts:
        words += ", in microseconds" if prop.lasts == 1 else ", in minutes"
    return words


def shape_of(kind: Kind, name: str, doc: str) -> type[Shape]:
    """Make what an answer says of an object of a kind."""
    fields: dict[str, Any] = {"id": (Id, ...)}
    for prop in kind.properties:
        # A card's record keeps apart what stands in lines of its own.
        read_as = "every_address" if prop.type is PropertyType.ADDRESSES else None
        field = Field(description=_about(prop), validation_alias=read_as)
        fields[prop.name] = (_SHOWN.get(prop.type, str), field)
    if "custom" in getattr(kind.record, "__slots__", ()):
        fields["custom"] = (Custom, Field({}, description="Own fields of the organisation."))
    fields["deleted_at"] = (Instant, Field(description="When it went into the bin."))
    fields["version"] = (int, Field(description="It is also the ETag."))
    return create_model(name, __base__=Shape, __doc__=doc, **fields)


def body_of(kind: Kind, name: str, doc: str, **more: Any) -> type[Body]:
    """Make what a request may say of an object of a kind; all of it may be left out."""
    fields: dict[str, Any] = {
        prop.name: (_GIVEN[prop.type] | None, Field(None, description=_about(prop)))
        for prop in kind.properties
        if prop.editable
    }
    if "custom" in getattr(kind.record, "__slots__", ()):
        fields["custom"] = (GivenCustom | None, Field(None, description=GIVEN_CUSTOM))
    return create_model(name, __base__=Body, __doc__=doc, **fields, **more)


OF_DIALOG: tuple[Any, Any] = (
    GivenId | None,
    Field(None, description="The dialog it comes from."),
)
"""The field by which a new object is made of a dialog."""

Lead: Any = shape_of(LEADS, "Lead", "A hint of interest, and what became of it.")
Client: Any = shape_of(CLIENTS, "Client", "Who buys: a person or an organisation.")
CreateLead: Any = body_of(
    LEADS,
    "CreateLead",
    "A new lead; with `dialog_id` what is left out is taken from the dialog.",
    dialog_id=OF_DIALOG,
    unless_open=(
        bool,
        Field(False, description="Give the person's open lead instead of making a second one."),
    ),
)
ChangeLead: Any = body_of(
    LEADS, "ChangeLead", "What to change; what is left out stays, null empties."
)
CreateClient: Any = body_of(
    CLIENTS,
    "CreateClient",
    "A new client, for an existing contact or alone.",
    contact_id=(GivenId | None, Field(None, description="A contact who belongs to it.")),
)
ChangeClient: Any = body_of(
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
    interest: Word = Field("", description="Title of an interest that begins too; empty: none.")
    pipeline_id: GivenId | None = Field(None, description="Where the interest begins.")
    stage_id: GivenId | None = Field(None, description="In which stage it begins.")
    amount: int = Field(0, ge=0, le=10**15, description="Of the interest, in minor units.")

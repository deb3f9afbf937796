"""Custom fields: what the organisation adds to the cards of clients, people, leads and others."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query

from crm_store import custom_acts as store
from hub import commands as c
from hub.http_api import rights
from hub.http_api.caller import Caller
from hub.http_api.errors import failures
from hub.http_api.shapes import custom as s
from hub.ids import FieldId
from hub.records.custom import FieldChoice
from hub.shapes import GivenId

router = rights.router("Fields")

FieldKey = Annotated[GivenId, Path(alias="field_id", description="The field.")]


async def _shown(caller: Caller, field_id: int) -> s.CustomField:
    return s.CustomField.model_validate(await caller.hub.read(store.one_field, FieldId(field_id)))


def _command(body: s.ChangeField, field_id: int) -> c.SaveField:
    return c.SaveField(
        field_id=FieldId(field_id),
        kind=getattr(body, "kind", ""),
        type=getattr(body, "type", "line"),
        name=getattr(body, "name", ""),
        label=body.label,
        label_ru=body.label_ru,
        help=body.help,
        choices=tuple(
            FieldChoice(value=one.value, label=one.label, label_ru=one.label_ru)
            for one in body.choices
        ),
        group=body.group,
        required=body.required,
        personal=body.personal,
        listed=body.listed,
    )


@router.get("/fields", summary="List custom fields")
async def page(
    caller: rights.AnyCaller,
    kind: Annotated[str, Query(max_length=100, description="Only of this kind.")] = "",
    archived: Annotated[bool, Query(description="Those put away too.")] = False,
) -> list[s.CustomField]:
    """Give the fields that the organisation added, in the order of the card."""

    found = await caller.hub.read(lambda reader: store.all_fields(reader, kind, archived=archived))
    return [s.CustomField.model_validate(one) for one in found]


@router.post("/fields", status_code=201, summary="Add a custom field")
async def create(caller: rights.MayManageFields, body: s.CreateField) -> s.CustomField:
    """Add a field to the cards of a kind; it counts at once, in filters and files too."""
    made = await caller.hub.do(_command(body, 0))
    return await _shown(caller, made[0])


@router.put("/fields/order", summary="Order the fields of a kind", status_code=204)
async def order(caller: rights.MayManageFields, body: s.OrderFields) -> None:
    """Say in which order the fields of a kind stand on its card."""
    ids = tuple(FieldId(one) for one in body.field_ids)
    await caller.hub.do(c.OrderFields(kind=body.kind, field_ids=ids))


@router.get("/fields/{field_id}", summary="One custom field")
async def one(caller: rights.AnyCaller, field_id: FieldKey) -> s.CustomField:
    """Give one field."""
    return await _shown(caller, field_id)


@router.put("/fields/{field_id}", summary="Change a custom field", responses=failures(409))
async def change(
    caller: rights.MayManageFields, field_id: FieldKey, body: s.ChangeField
) -> s.CustomField:
    """Rename a field and say how it stands on the card; a choice that cards hold must stay."""
    await caller.hub.do(_command(body, field_id))
    return await _shown(caller, field_id)


@router.post("/fields/{field_id}/archive", summary="Put a custom field away")
async def archive(caller: rights.MayManageFields, field_id: FieldKey) -> s.CustomField:
    """Take a field off the cards; its values are kept."""
    await caller.hub.do(c.ArchiveField(field_id=FieldId(field_id)))
    return await _shown(caller, field_id)


@router.post("/fields/{field_id}/restore", summary="Bring a custom field back")
async def restore(caller: rights.MayManageFields, field_id: FieldKey) -> s.CustomField:
    """Put an archived field onto the cards again, with the values that they had."""
    await caller.hub.do(c.ArchiveField(field_id=FieldId(field_id), restore=True))
    return await _shown(caller, field_id)

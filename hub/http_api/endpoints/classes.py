"""The classes of clients: how they are counted, and counting them."""

from __future__ import annotations

from crm_store import client_classes as reads
from hub import commands as c
from hub.http_api import rights
from hub.http_api.caller import Caller
from hub.http_api.shapes import classes as s

router = rights.router("Clients")


async def _shown(caller: Caller) -> s.ClassRules:
    return s.ClassRules.model_validate(await caller.hub.read(reads.rules))


@router.get("/client-classes", summary="How clients get their classes")
async def rules(caller: rights.MayManagePipelines) -> s.ClassRules:
    """Give the period, the limits of ABC and XYZ, and what the last count found. A client's own
    classes stand on it as `abc` and `xyz`."""
    return await _shown(caller)


@router.put("/client-classes", summary="Change how clients get their classes")
async def change(caller: rights.MayManagePipelines, body: s.SaveClassRules) -> s.ClassRules:
    """Set the period and the limits; all classes are counted anew in the background."""
    await caller.hub.do(c.SaveClassRules(**body.model_dump()))
    return await _shown(caller)


@router.post("/client-classes/count", status_code=202, summary="Count the classes of clients now")
async def count(caller: rights.MayManagePipelines) -> s.ClassRules:
    """Count now and not at night, in the background; `counted_at` tells when it was done."""
    await caller.hub.do(c.CountClasses())
    return await _shown(caller)

"""The installation: the organisation, what is held, plugins, jobs that died."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request

from crm_store import holding
from crm_store import networks as network_reads
from crm_store import work as work_reads
from hub import commands as c
from hub.http_api import rights
from hub.http_api.caller import runtime_of
from hub.http_api.shapes import house
from hub.http_api.shapes import system as s
from hub.shapes import MAX_ID
from hub.web.networks import renew

router = rights.router("System")


@router.get("/brand", summary="The organisation")
async def brand(caller: rights.MayViewUsers) -> house.Brand:
    """Give the organisation as customers see it."""
    return house.Brand.model_validate(await caller.hub.brand())


@router.patch("/brand", summary="Change the organisation")
async def change_brand(caller: rights.MayManageSystem, body: house.UpdateBrand) -> house.Brand:
    """Change the organisation's name, public address, language and time zone."""
    known = await caller.hub.brand()
    await caller.hub.do(
        c.UpdateBrand(
            brand_id=known.id,
            name=body.name,
            public_url=body.public_url,
            language=body.language,
            time_zone=body.time_zone,
        )
    )
    return house.Brand.model_validate(await caller.hub.brand())


@router.get("/networks", summary="From where people may come in")
async def networks(caller: rights.MayManageSystem, request: Request) -> house.Networks:
    """Give the networks from which people sign in and programs call."""
    found = await caller.hub.read(network_reads.networks)
    return house.Networks(networks=list(found), seen_from=request.state.client)


@router.put("/networks", summary="Choose from where people may come in")
async def limit_networks(
    caller: rights.MayManageSystem, request: Request, body: house.LimitNetworks
) -> house.Networks:
    """Let people in from these networks only. A list without your own address is refused with
    409 `locked_out`; customers' pages and webhooks of channels stay open to all."""
    seen_from = request.state.client
    await caller.hub.do(c.LimitNetworks(networks=tuple(body.networks), seen_from=seen_from))
    await renew(runtime_of(request))
    found = await caller.hub.read(network_reads.networks)
    return house.Networks(networks=list(found), seen_from=seen_from)


@router.get("/held", summary="What is held")
async def held(caller: rights.MayManageSystem) -> s.Held:
    """Count the outgoing things that are held after a restore or a late start."""
    return s.Held.model_validate(await caller.hub.read(holding.held))


@router.get("/held/deliveries", summary="Messages that are held")
async def held_deliveries(
    caller: rights.MayManageSystem, after: Annotated[int, Query(ge=0, le=MAX_ID)] = 0
) -> list[s.HeldDelivery]:
    """Name up to a hundred held messages, oldest first, behind the id `after`."""
    found = await caller.hub.read(holding.held_deliveries, after)
    return [s.HeldDelivery.model_validate(one) for one in found]


@router.post("/held/release", summary="Let held things go, or drop them")
async def release(caller: rights.MayManageSystem, body: s.ReleaseHeld) -> s.Released:
    """Decide about held things of one kind."""
    done = await caller.hub.do(
        c.ReleaseHeld(kind=body.kind, release=body.release, ids=tuple(body.ids))
    )
    return s.Released(count=done[0])


@router.get("/plugins", summary="List plugins")
async def plugins(request: Request, caller: rights.MayViewPlugins) -> list[s.Plugin]:
    """Give every plugin of this process with its hooks and failures."""
    known = runtime_of(request).plugins.plugins
    return [s.Plugin.model_validate(known[name]) for name in sorted(known)]


@router.get("/jobs/dead", summary="Jobs that died")
async def dead_jobs(caller: rights.MayManageSystem) -> list[s.DeadJob]:
    """Give the jobs that failed for the last time."""
    found = await caller.hub.read(work_reads.dead_jobs)
    return [s.DeadJob.model_validate(one) for one in found]

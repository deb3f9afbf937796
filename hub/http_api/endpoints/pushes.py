"""Notices on one's own devices by Web Push."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Request, Response

from crm_store.push_devices import devices_of
from hub import commands as c
from hub.errors import NotFound
from hub.http_api import rights
from hub.http_api.caller import Caller, runtime_of
from hub.http_api.shapes import pushes as s
from hub.ids import PushDeviceId
from hub.push_keys import Subscription, device_name, public_key
from hub.push_sender import PushSender
from hub.shapes import GivenId

router = rights.router("Notices")

DeviceKey = Annotated[GivenId, Path(alias="device_id", description="One of your devices.")]


def _login(request: Request, caller: Caller) -> str:
    return caller.token_hash or str(request.state.session)


async def _devices(request: Request, caller: Caller) -> list[s.PushDevice]:
    login = _login(request, caller)
    return [
        s.PushDevice(
            id=str(one.id),
            name=one.name,
            active=one.active,
            is_this=one.login == login,
            created_at=one.created_at,
            pushed_at=one.pushed_at,
            last_error=one.last_error,
        )
        for one in await caller.hub.read(devices_of)
    ]


async def _one(request: Request, caller: Caller, device_id: int) -> s.PushDevice:
    for one in await _devices(request, caller):
        if one.id == str(device_id):
            return one
    raise NotFound("there is no such device")


@router.get("/notices/push", summary="Your devices")
async def state(request: Request, caller: rights.MayEditProfile) -> s.PushState:
    """Give the key that a browser subscribes with, and which of your devices are called."""
    key = await public_key(runtime_of(request))
    return s.PushState(public_key=key, devices=await _devices(request, caller))


@router.post("/notices/push/devices", status_code=201, summary="Call this device")
async def add(
    request: Request, caller: rights.MayEditProfile, body: s.AddPushDevice
) -> s.PushDevice:
    """Let a browser be called, until the login or token of this request ends. Its address and its
    keys are kept encrypted and never given out."""
    runtime = runtime_of(request)
    one = Subscription.given(
        body.endpoint,
        body.keys.p256dh,
        body.keys.auth,
        plain_http=runtime.settings.push_allow_private,
    )
    made = await caller.hub.do(
        c.AddPushDevice(
            login=_login(request, caller),
            endpoint_hash=one.endpoint_hash,
            sealed=one.sealed(runtime.keys),
            name=body.name or device_name(request.headers.get("user-agent", "")),
        )
    )
    return await _one(request, caller, made[0])


@router.patch("/notices/push/devices/{device_id}", summary="Call a device, or leave it in peace")
async def switch(
    request: Request, caller: rights.MayEditProfile, device_id: DeviceKey, body: s.SwitchPushDevice
) -> s.PushDevice:
    """Switch one of your devices off for a while, or on again."""
    command = c.SwitchPushDevice(device_id=PushDeviceId(device_id), active=body.active)
    await caller.hub.do(command)
    return await _one(request, caller, device_id)


@router.delete("/notices/push/devices/{device_id}", status_code=204, summary="Forget a device")
async def remove(caller: rights.MayEditProfile, device_id: DeviceKey) -> Response:
    """Forget one of your devices; it is not called any more."""
    await caller.hub.do(c.RemovePushDevice(device_id=PushDeviceId(device_id)))
    return Response(status_code=204)


@router.post("/notices/push/devices/{device_id}/test", summary="Push a test")
async def test(request: Request, caller: rights.MayEditProfile, device_id: DeviceKey) -> s.PushTest:
    """Push a test to one of your devices now, once, and say what its push service answered."""
    sender = PushSender(runtime_of(request))
    try:
        code, error = await sender.try_out(caller.user_id, PushDeviceId(device_id))
    finally:
        await sender.close()
    return s.PushTest(ok=not error, code=code, error=error)

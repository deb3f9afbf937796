"""One's own devices that notices reach by Web Push: trying one, switching it, forgetting it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hub.commands import RemovePushDevice, SwitchPushDevice
from hub.errors import NotFound
from hub.ids import PushDeviceId
from hub.push_sender import PushSender
from hub.web.settings.common import _, form_of, go, hub_of, needs, number, runtime_of, say
from hub.web.settings.notices import PATH, draw


@needs("profile.edit")
async def devices(request: Request) -> Response:
    """Try a device, switch it on or off, or forget it."""
    hub = hub_of(request)
    form = await form_of(request)
    do = next((one for one in ("test", "on", "off", "remove") if one in form), "")
    if not do:
        raise NotFound("there is no such action")
    device_id = PushDeviceId(number(form[do]))
    if do == "test":
        return await _try_out(request, device_id)
    if do == "remove":
        await hub.do(RemovePushDevice(device_id=device_id))
        return go(PATH, "removed")
    await hub.do(SwitchPushDevice(device_id=device_id, active=do == "on"))
    return go(PATH, "saved")


async def _try_out(request: Request, device_id: PushDeviceId) -> Response:
    sender = PushSender(runtime_of(request))
    try:
        _code, error = await sender.try_out(hub_of(request).actor.id, device_id)
    finally:
        await sender.close()
    if not error:
        return go(PATH, "released")
    words = say(request, _("The push service did not take it: {reason}"))
    return await draw(request, 422, problem=words.format(reason=say(request, error)))


def routes() -> list[BaseRoute]:
    """Give the routes of devices."""
    return [Route(f"{PATH}/devices", devices, methods=["POST"])]

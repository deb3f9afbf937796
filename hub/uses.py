"""What makes use of an object: plugins know of theirs themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.extensions import UsedBy
from hub.ids import UserId
from hub.objects import Actor, ActorKind

if TYPE_CHECKING:
    from hub.handle import BoundHub


async def uses_by_plugins(hub: BoundHub, kind: str, object_id: int) -> list[UsedBy]:
    """Ask every plugin what of its things names an object, with the eyes of who asks."""
    runtime = hub.runtime
    found: list[UsedBy] = []
    for plugin in runtime.plugins.with_hook("uses_of"):
        own = runtime.handle(Actor(kind=ActorKind.PLUGIN, name=plugin.name))
        if hub.actor.kind in (ActorKind.USER, ActorKind.TOKEN):
            own = own.as_user(UserId(hub.actor.id))
        try:
            found += await runtime.plugins.call(
                plugin, "uses_of", hub=own, kind=kind, object_id=object_id
            )
        except Exception:  # noqa: BLE001 - charged to the plugin by the host
            continue
    return found

"""VK: messages of a community become dialogs, by callback or by long poll; answers leave once."""

from __future__ import annotations

from channels.vk import names, rules
from channels.vk.channel import VkChannel
from hub import Channel, Dialog, Event, Field, Hub, Job, Panel, Recipe, hookimpl

event_types = ("message.received",)


@hookimpl
def register_channels() -> list[type[Channel]]:
    """Give the VK channel."""
    return [VkChannel]


@hookimpl
def register_jobs() -> list[Job]:
    """Give the job that asks VK for people's names."""
    return names.jobs()


@hookimpl
def register_fields() -> list[Field]:
    """What rules may ask of an order of the shop."""
    return rules.FIELDS


@hookimpl
def register_recipes() -> list[Recipe]:
    """A rule for orders, ready to be switched on."""
    return rules.RECIPES


@hookimpl
async def dialog_panels(hub: Hub, dialog: Dialog) -> list[Panel]:
    """What VK shows of the person."""
    return await names.panels(hub, dialog)


@hookimpl
async def event_occurred(hub: Hub, events: tuple[Event, ...]) -> None:
    """Notice people who came without a name."""
    await names.notice(hub, events)

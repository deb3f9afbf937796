"""What the plugins register, taken as a whole or not at all: half of a plugin is worse than none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData

from crm_store.migrate import PluginSchema
from hub.channel import Channel
from hub.commands import Command
from hub.events import EventRegistry
from hub.extensions import Handler, Job, OutboundTransform
from hub.plugin_host import Plugin, PluginHost

REGISTERS = (
    "register_channels",
    "register_events",
    "register_transforms",
    "register_jobs",
    "register_commands",
)


@dataclass(slots=True)
class Registered:
    """Everything that plugins gave; the second member of a pair is always the thing itself."""

    channels: dict[str, type[Channel]] = field(default_factory=dict)
    channel_plugin: dict[str, str] = field(default_factory=dict)
    transforms: list[OutboundTransform] = field(default_factory=list)
    jobs: dict[str, tuple[str, Job]] = field(default_factory=dict)
    handlers: dict[type[Command], tuple[str, Handler]] = field(default_factory=dict)
    schemas: list[PluginSchema] = field(default_factory=list)


def register(plugins: PluginHost, registry: EventRegistry, own_jobs: Iterable[Job]) -> Registered:
    """Ask every plugin what it gives; one that raises, or clashes with another, is left out."""
    found = Registered()
    found.jobs = {one.name: ("hub", one) for one in own_jobs}
    for plugin in plugins.alive():
        given: dict[str, list[Any]] = {}
        metadata = MetaData()
        for hook in REGISTERS:
            if hook in plugin.hooks and not plugin.error:
                given[hook] = plugins.collect_from(plugin, hook)
        if "register_tables" in plugin.hooks and not plugin.error:
            plugins.collect_from(plugin, "register_tables", metadata=metadata)
        plugin.error = plugin.error or _clash(found, plugin.name, given, metadata)
        if not plugin.error:
            _take(found, plugin, given, metadata)
            for kind in given.get("register_events", ()):
                registry.add(kind)
    return found


def _clash(
    found: Registered, plugin: str, given: Mapping[str, list[Any]], metadata: MetaData
) -> str:
    """Say what of a plugin's belongs to somebody else already."""
    for channel in given.get("register_channels", ()):
        if channel.name in found.channels:
            owner = found.channel_plugin[channel.name]
            return f"there is a channel {channel.name!r} already, of the plugin {owner!r}"
    for job in given.get("register_jobs", ()):
        if job.name in found.jobs:
            return f"there is a job {job.name!r} already, of {found.jobs[job.name][0]!r}"
    for handler in given.get("register_commands", ()):
        if handler.command in found.handlers:
            return f"{handler.command.__name__} has a handler already"
    for name in metadata.tables:
        if not name.startswith(f"{plugin}_"):
            return f"table {name} does not start with {plugin}_"
    return ""


def _take(
    found: Registered, plugin: Plugin, given: Mapping[str, list[Any]], metadata: MetaData
) -> None:
    for channel in given.get("register_channels", ()):
        found.channels[channel.name] = channel
        found.channel_plugin[channel.name] = plugin.name
    found.transforms += given.get("register_transforms", ())
    for job in given.get("register_jobs", ()):
        found.jobs[job.name] = (plugin.name, job)
    for handler in given.get("register_commands", ()):
        found.handlers[handler.command] = (plugin.name, handler)
    if metadata.tables:
        found.schemas.append(
            PluginSchema(
                plugin=plugin.name,
                tables=tuple(metadata.sorted_tables),
                versions=_versions(plugin.module),
            )
        )


def _versions(module: Any) -> Path | None:
    """Give the folder `migrations` of a plugin's package, where it has one."""
    file = Path(getattr(module, "__file__", None) or "")
    folder = file.parent / "migrations"
    return folder if file.name == "__init__.py" and folder.is_dir() else None

"""What the plugins register, taken as a whole or not at all: half of a plugin is worse than none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData, Table, UniqueConstraint

from crm_store.migrate import PluginSchema
from crm_store.nouns import Noun, noun_of
from hub.channel import Channel
from hub.commands import Command
from hub.events import EventRegistry
from hub.extensions import Ageing, Handler, Job, OutboundTransform, Reference
from hub.filters import Field
from hub.kinds import Kind
from hub.plugin_host import Plugin, PluginHost
from hub.properties import PropertyType
from hub.roles import PERMISSIONS
from hub.rules import Action, Recipe
from hub.segment_fields import ASKABLE, SegmentField

_WORD = re.compile(r"[a-z][a-z0-9_]{0,40}")
REGISTERS = (
    "register_channels",
    "register_kinds",
    "register_events",
    "register_transforms",
    "register_jobs",
    "register_commands",
    "register_fields",
    "register_segment_fields",
    "register_actions",
    "register_recipes",
    "register_ageing",
    "register_references",
)


@dataclass(slots=True)
class Registered:
    """Everything that plugins gave; the second member of a pair is always the thing itself."""

    channels: dict[str, type[Channel]] = field(default_factory=dict)
    channel_plugin: dict[str, str] = field(default_factory=dict)
    transforms: list[OutboundTransform] = field(default_factory=list)
    jobs: dict[str, tuple[str, Job]] = field(default_factory=dict)
    handlers: dict[type[Command], tuple[str, Handler]] = field(default_factory=dict)
    nouns: dict[str, Noun] = field(default_factory=dict)
    schemas: list[PluginSchema] = field(default_factory=list)
    fields: list[tuple[str, Field]] = field(default_factory=list)
    actions: list[tuple[str, type[Action]]] = field(default_factory=list)
    recipes: list[tuple[str, Recipe]] = field(default_factory=list)
    ageing: dict[str, Ageing] = field(default_factory=dict)
    references: dict[str, Table] = field(default_factory=dict)
    segment_fields: dict[str, SegmentField] = field(default_factory=dict)


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
    for one in given.get("register_fields", ()):
        if not one.name.startswith(f"{plugin}."):
            return f"field {one.name} does not start with {plugin}."
    for one in given.get("register_segment_fields", ()):
        wrong = _wrong_segment_field(plugin, one)
        if wrong:
            return wrong
    for hook, names in (
        ("register_segment_fields", [one.name for one in given.get("register_segment_fields", ())]),
        ("register_actions", [one.name for one in given.get("register_actions", ())]),
        ("register_recipes", [one.key for one in given.get("register_recipes", ())]),
    ):
        if len(set(names)) != len(names):
            return f"{hook} gives two of one name"
    for kind in given.get("register_kinds", ()):
        wrong = _wrong_kind(found, plugin, kind)
        if wrong:
            return wrong
    for one in given.get("register_ageing", ()):
        if not one.name.startswith(f"{plugin}."):
            return f"what ages is called {plugin}.<word>, not {one.name}"
    for one in given.get("register_references", ()):
        wrong = _wrong_reference(one, metadata)
        if wrong:
            return wrong
    for name in metadata.tables:
        if not name.startswith(f"{plugin}_"):
            return f"table {name} does not start with {plugin}_"
    return ""


def _wrong_reference(one: Reference, metadata: MetaData) -> str:
    """Say what keeps a table from following the people whom it names."""
    table = metadata.tables.get(one.table)
    if table is None:
        return f"register_references names {one.table!r}, which is none of its tables"
    people = {"contact_id", "client_id"} & set(table.c.keys())
    if not people:
        return f"table {one.table} names nobody: whose a row is says contact_id or client_id"
    if [column.name for column in table.primary_key] != ["id"]:
        return f"table {one.table} cannot follow: its key is not id"
    unique = [*(each.columns for each in table.constraints if isinstance(each, UniqueConstraint))]
    unique += [each.columns for each in table.indexes if each.unique]
    if any(people & set(columns.keys()) for columns in unique):
        return (
            f"table {one.table} may name a person once: listen to contact.merged and"
            " contact.unmerged, and say what becomes of two rows of one person"
        )
    return ""


def _wrong_segment_field(plugin: str, one: SegmentField) -> str:
    """Say what keeps a field of segments from being one of this plugin's."""
    own, dot, word = one.name.partition(".")
    if own != plugin or not dot or not _WORD.fullmatch(word):
        return f"segment field {one.name!r} is not called {plugin}.<word>, in small letters"
    if one.type not in ASKABLE:
        known = ", ".join(sorted(ASKABLE))
        return f"segment field {one.name}: its type is one of {known}, not {one.type}"
    if one.permission and one.permission not in PERMISSIONS:
        return f"segment field {one.name}: there is no right {one.permission!r}"
    return ""


def _wrong_kind(found: Registered, plugin: str, kind: Kind) -> str:
    """Say what keeps a kind from being one of this plugin's."""
    own, dot, word = kind.name.partition(".")
    if own != plugin or not dot or not _WORD.fullmatch(word):
        return f"kind {kind.name!r} is not called {plugin}.<word>, in small letters"
    if kind.path != kind.name:
        return f"kind {kind.name}: its path is its name, not {kind.path!r}"
    for right in (kind.read, kind.write):
        if right not in PERMISSIONS:
            return f"kind {kind.name}: there is no right {right!r}"
    names = [one.name for one in kind.properties]
    if kind.title not in names:
        return f"kind {kind.name}: no property {kind.title!r} names its objects"
    taken = sorted({"id", "version", "deleted_at", "custom"} & set(names))
    if taken:
        return f"kind {kind.name}: every object has {', '.join(taken)} already"
    if any((one.type is PropertyType.TAGS) != (one.name == "tags") for one in kind.properties):
        return f"kind {kind.name}: tags are called 'tags', and nothing else is"
    if any(one.type is PropertyType.FILE for one in kind.properties):
        return f"kind {kind.name}: only custom fields hold files"
    if any(one.type is PropertyType.ADDRESSES for one in kind.properties):
        return f"kind {kind.name}: only kinds of the hub hold addresses"
    for one in kind.properties:
        if one.ref in ("contact", "client") and one.name != f"{one.ref}_id":
            # So that merging and erasing of people find it.
            return f"kind {kind.name}: what names a {one.ref} is called {one.ref}_id"
    if kind.name in found.nouns or len(set(names)) != len(names):
        return f"kind {kind.name} is there twice, or has two properties of one name"
    missing = {"id", "version", "deleted_at", *names} - {one.name for one in fields(kind.record)}  # type: ignore[arg-type]
    if missing:
        return f"kind {kind.name}: its record has no {', '.join(sorted(missing))}"
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
    found.fields += [(plugin.name, one) for one in given.get("register_fields", ())]
    found.actions += [(plugin.name, one) for one in given.get("register_actions", ())]
    found.segment_fields |= {one.name: one for one in given.get("register_segment_fields", ())}
    found.ageing |= {one.name: one for one in given.get("register_ageing", ())}
    found.references |= {
        one.table: metadata.tables[one.table] for one in given.get("register_references", ())
    }
    found.recipes += [(plugin.name, one) for one in given.get("register_recipes", ())]
    tables = tuple(metadata.sorted_tables)
    nouns = [noun_of(one, plugin.name, metadata) for one in given.get("register_kinds", ())]
    found.nouns |= {one.kind.name: one for one in nouns}
    if tables or nouns:
        found.schemas.append(
            PluginSchema(
                plugin=plugin.name,
                tables=tables,
                versions=_versions(plugin.module) if tables else None,
                kinds=tuple(one.table for one in nouns),
            )
        )


def _versions(module: Any) -> Path | None:
    """Give the folder `migrations` of a plugin's package, where it has one."""
    file = Path(getattr(module, "__file__", None) or "")
    folder = file.parent / "migrations"
    return folder if file.name == "__init__.py" and folder.is_dir() else None

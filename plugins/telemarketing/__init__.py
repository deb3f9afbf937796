"""Telemarketing: lists of people to call, a script, a result of each call, and what follows of it.

A call made from a list is an ordinary noted call of the person's history; a refusal is an ordinary
word about advertising. This plugin keeps who is to be called, who calls now, and what was answered.
"""

from __future__ import annotations

from hub import Event, Handler, Hub, Job, NavEntry, Reference, Route, UiPart, UsedBy, hookimpl
from plugins.telemarketing import api, commands, desk, filling, hearing, pages, taking
from plugins.telemarketing.facts import CallListChanged, ListCalled
from plugins.telemarketing.hearing import segment_uses, team_uses
from plugins.telemarketing.tables import declare

event_types = (
    "consent.withdrawn",
    "contact.erased",
    "contact.merged",
    "contact.unmerged",
    "contact.unsplit",
)


@hookimpl
def register_tables(metadata: object) -> None:
    """The lists, the people on them, the calls."""
    declare(metadata)
    filling.declare(metadata)


@hookimpl
def register_commands() -> list[Handler]:
    """Saving, starting, taking the next person, keeping a result and taking it back."""
    return [*commands.handlers(), *filling.handlers(), *taking.handlers()]


@hookimpl
def register_jobs() -> list[Job]:
    """Puts on a list who is in its segment, batch by batch."""
    return [filling.job()]


@hookimpl
def register_events() -> list[type[Event]]:
    """A list changed; somebody on one was called."""
    return [CallListChanged, ListCalled]


@hookimpl
def register_references() -> list[Reference]:
    """Calls are of the person, whoever he is then; places on a list are not, see `hearing.py`."""
    return [Reference(table="telemarketing_calls")]


@hookimpl
def register_routes() -> list[Route]:
    """The pages under Marketing, the workplace, and the same for programs."""
    return [*api.routes(), *desk.routes(), *pages.routes()]


@hookimpl
def register_ui() -> list[UiPart]:
    """Calls, a tab of Marketing."""
    return [
        NavEntry(
            key="marketing",
            title="Marketing",
            path="/p/telemarketing/",
            icon="rocket",
            permission="contacts.edit",
            order=40,
            tab="Calls",
        )
    ]


@hookimpl
async def uses_of(hub: Hub, kind: str, object_id: int) -> list[UsedBy]:
    """Name the drafts that would call a segment, and the lists that a team calls."""
    if kind == "team":
        return await team_uses(hub, object_id)
    if kind != "segment" or not await hub.may("mailings.view"):
        return []
    return await segment_uses(hub, object_id)


@hookimpl
async def event_occurred(hub: Hub, events: tuple[Event, ...]) -> None:
    """Follow merges, forget who was erased, and call nobody who refused meanwhile."""
    await hearing.hear(hub, events)

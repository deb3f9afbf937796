"""CSAT: asks for a mark in the dialog's own channel, by buttons or a signed link.

A rule asks (`csat.ask`); the mark is a fact (`csat.rated`) that rules hear of. Everything is done
through the public hooks.
"""

from __future__ import annotations

from hub import (
    Action,
    Dialog,
    Event,
    Field,
    Handler,
    Hub,
    Job,
    NavEntry,
    Panel,
    Recipe,
    Reference,
    Route,
    SegmentField,
    UiPart,
    hookimpl,
)
from plugins.csat import pages
from plugins.csat.asking import JOB, Ask, ask
from plugins.csat.commands import handlers
from plugins.csat.facts import FIELDS, CsatAsked, CsatRated
from plugins.csat.hearing import hear, panels
from plugins.csat.people import SEGMENT_FIELDS
from plugins.csat.recipes import RECIPES
from plugins.csat.tables import declare

event_types = ("button.pressed", "contact.erased", "message.received")


@hookimpl
def register_tables(metadata: object) -> None:
    """What was asked, and what was answered."""
    declare(metadata)


@hookimpl
def register_commands() -> list[Handler]:
    """Asking, rating, forgetting."""
    return handlers()


@hookimpl
def register_events() -> list[type[Event]]:
    """A mark was asked for; a mark was given."""
    return [CsatAsked, CsatRated]


@hookimpl
def register_fields() -> list[Field]:
    """The mark, for the conditions of rules."""
    return FIELDS


@hookimpl
def register_segment_fields() -> list[SegmentField]:
    """The last mark of a person, its day, and the mean of late."""
    return SEGMENT_FIELDS


@hookimpl
def register_actions() -> list[type[Action]]:
    """Asking."""
    return [Ask]


@hookimpl
def register_recipes() -> list[Recipe]:
    """Asking after the end, and a task after a low mark."""
    return RECIPES


@hookimpl
def register_jobs() -> list[Job]:
    """The message itself."""
    return [Job(name=JOB, run=ask)]


@hookimpl
def register_references() -> list[Reference]:
    """Whom was asked goes where the person goes."""
    return [Reference(table="csat_asks")]


@hookimpl
def register_routes() -> list[Route]:
    """The public page of a signed link, and the report."""
    return pages.routes()


@hookimpl
def register_ui() -> list[UiPart]:
    """The report, beside those of marketing."""
    return [
        NavEntry(
            key="marketing",
            title="Marketing",
            path="/p/csat/",
            icon="rocket",
            order=60,
            tab="Marks",
            permission="rules.view",
        )
    ]


@hookimpl
async def dialog_panels(hub: Hub, dialog: Dialog) -> list[Panel]:
    """The marks of this dialog."""
    return await panels(hub, dialog)


@hookimpl
async def event_occurred(hub: Hub, events: tuple[Event, ...]) -> None:
    """Take pressed buttons and written numbers as marks; forget the words of an erased person."""
    await hear(hub, events)

"""Every hook there is: the table of contents of what a plugin may extend.

Three shapes, told apart by the first word. `register_*` is called once at start, returns
objects and does no I/O. Decisions (`screen_*`, `classify`) are plain functions: the first
answer wins, before the transaction, under a deadline. Everything else is `async def` and
runs after commit; its failures are charged to the plugin by name and never reach a sibling.
Take only the arguments you need.
"""

# mypy: disable-error-code="empty-body"
from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from hub.api import Hub
    from hub.channel import Channel
    from hub.events.base import Event
    from hub.extensions import (
        Ageing,
        Classifying,
        Handler,
        Job,
        Label,
        OutboundTransform,
        Panel,
        Reference,
        Screening,
        Suggestion,
        UiPart,
        UsedBy,
        Verdict,
    )
    from hub.filters import Field
    from hub.kinds import Kind
    from hub.pages import Route
    from hub.records.dialogs import Dialog
    from hub.rules import Action, Recipe
    from hub.segment_fields import SegmentField

PROJECT = "hub"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def register_channels() -> list[type[Channel]]:
    """Give the channel classes of this plugin."""


@hookspec
def register_kinds() -> list[Kind]:
    """Describe kinds of objects of your own; each gets its table, list, card, API, files, history."""


@hookspec
def register_commands() -> list[Handler]:
    """Give commands of your own with their handlers, over your own tables."""


@hookspec
def register_events() -> list[type[Event]]:
    """Give fact classes of your own; their type starts with your plugin's name and a dot."""


@hookspec
def register_fields() -> list[Field]:
    """Give fields of conditions; names start with your plugin's name and a dot. Values are pure."""


@hookspec
def register_segment_fields() -> list[SegmentField]:
    """Give what segments can ask of a person in your own tables, by SQL; names as of fields."""


@hookspec
def register_actions() -> list[type[Action]]:
    """Give what rules can do: classes whose `plan` returns commands."""


@hookspec
def register_recipes() -> list[Recipe]:
    """Give ready rules; one click makes an ordinary rule of one."""


@hookspec
def register_transforms() -> list[OutboundTransform]:
    """Give steps of the pipeline that every outgoing message passes before the outbox."""


@hookspec
def register_routes() -> list[Route]:
    """Give endpoints; they are mounted under /p/<plugin>/."""


@hookspec
def register_tables(metadata: object) -> None:
    """Declare your tables on SQLAlchemy's MetaData; names start with `<plugin>_`."""


@hookspec
def register_jobs() -> list[Job]:
    """Give background work, periodic or on demand."""


@hookspec
def register_ageing() -> list[Ageing]:
    """Give what of your tables a rule of retention may remove by its age."""


@hookspec
def register_references() -> list[Reference]:
    """Give which of your tables name people: their rows follow merges, splits and their undoing."""


@hookspec
def register_ui() -> list[UiPart]:
    """Give entries of the rail and sections of the accounts' pages."""


@hookspec
async def startup(hub: Hub) -> None:
    """Called once when the hub is ready."""


@hookspec
async def shutdown(hub: Hub) -> None:
    """Called once before the hub goes down."""


@hookspec
def screen_inbound(screening: Screening) -> Verdict | None:
    """Say drop or quarantine about an inbound message, or None for no opinion. Pure."""


@hookspec
def classify(classifying: Classifying) -> Label | None:
    """Say what an inbound message is about, with the reason, or None for no opinion. Pure."""


@hookspec
async def event_occurred(hub: Hub, events: tuple[Event, ...]) -> None:
    """Facts happened, in order, at least once. Name the facts you want in `event_types`."""


@hookspec
async def dialog_panels(hub: Hub, dialog: Dialog) -> list[Panel]:
    """Give sections of the card beside a dialog."""


@hookspec
async def suggest_replies(hub: Hub, dialog: Dialog, text: str) -> list[Suggestion]:
    """Give replies that fit what is looked for, or, without a text, the client's last words."""


@hookspec
async def uses_of(hub: Hub, kind: str, object_id: int) -> list[UsedBy]:
    """Give what of yours makes use of a `segment` or a `team`: it is named before that is removed.

    A team that something of yours names stays until nothing does.
    """

"""Mailings: one letter or message to a segment, planned, checked, sent, watched and counted.

What leaves goes the ordinary way: `PlanMany` and `SendMany` of the hub, which know consent, quiet
hours, caps and rates. This plugin keeps the plan, fills the outbox batch by batch with its cursor in
the same transaction, and shows what became of it.
"""

from __future__ import annotations

from datetime import timedelta

from hub import (
    Action,
    Ageing,
    Event,
    Field,
    Handler,
    Hub,
    Job,
    NavEntry,
    Route,
    UiPart,
    UsedBy,
    hookimpl,
)
from plugins.mailings import (
    api,
    files,
    finishing,
    holdouts,
    joining,
    judging,
    library,
    library_api,
    library_pages,
    looks,
    obligations,
    pages,
    pictures,
    report_pages,
    senders,
    starters,
    transactional,
    trying,
    versions,
)
from plugins.mailings.audience import segment_uses
from plugins.mailings.commands import handlers
from plugins.mailings.facts import LetterChanged, MailingChanged, MailingFinished
from plugins.mailings.library import letters_of_team
from plugins.mailings.sending import tick
from plugins.mailings.tables import declare


@hookimpl
def register_tables(metadata: object) -> None:
    """The plans, and who was kept out."""
    declare(metadata)
    holdouts.declare(metadata)
    pictures.declare(metadata)
    files.declare(metadata)
    trying.declare(metadata)
    library.declare(metadata)
    versions.declare(metadata)
    transactional.declare(metadata)
    obligations.declare(metadata)
    finishing.declare(metadata)
    judging.declare(metadata)
    starters.declare(metadata)


@hookimpl
def register_commands() -> list[Handler]:
    """Saving, starting, steering, and the step of a batch."""
    return [
        *handlers(),
        trying.handler(),
        *library.handlers(),
        transactional.handler(),
        obligations.handler(),
        finishing.handler(),
        *joining.handlers(),
    ]


@hookimpl
def register_events() -> list[type[Event]]:
    """A mailing was saved, started, paused, filled, ended; it is finished; a letter changed."""
    return [MailingChanged, MailingFinished, LetterChanged]


@hookimpl
def register_fields() -> list[Field]:
    """The numbers of a mailing that is finished, for the conditions of rules."""
    return finishing.FIELDS


@hookimpl
def register_actions() -> list[type[Action]]:
    """Rules put people into mailings."""
    return [joining.Join]


@hookimpl
def register_jobs() -> list[Job]:
    """Looks every few seconds what is due; one run at a time over all processes."""
    return [
        Job(
            name="mailings.tick",
            run=tick,
            every=timedelta(seconds=5),
            timeout=timedelta(minutes=5),
        ),
        joining.job(),
    ]


@hookimpl
def register_ageing() -> list[Ageing]:
    """What mailings and letters were before goes when a rule of retention says so."""
    return [versions.AGEING]


@hookimpl
def register_routes() -> list[Route]:
    """The pages under Marketing, and the same for programs."""
    return [
        *senders.routes(),
        *report_pages.routes(),
        *pictures.routes(),
        *api.routes(),
        *library_api.routes(),
        *looks.routes(),
        *library_pages.routes(),
        *pages.routes(),
    ]


@hookimpl
def register_ui() -> list[UiPart]:
    """Mailings, the first tab of Marketing."""
    return [
        NavEntry(
            key="marketing",
            title="Marketing",
            path="/p/mailings/",
            icon="rocket",
            permission="mailings.view",
            order=30,
            tab="Mailings",
            keys="G M",
        )
    ]


@hookimpl
async def uses_of(hub: Hub, kind: str, object_id: int) -> list[UsedBy]:
    """Name the mailings that go to a segment, or leave its people out; the letters of a team."""
    if kind == "team":
        return await letters_of_team(hub, object_id)
    if kind != "segment" or not await hub.may("mailings.view"):
        return []
    return await segment_uses(hub, object_id)

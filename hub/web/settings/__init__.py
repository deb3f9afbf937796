"""The settings: one file per screen; each gives its routes."""

from __future__ import annotations

from starlette.routing import BaseRoute

from hub.web.settings import (
    access,
    account,
    account_intake,
    audit,
    calendars,
    channels,
    classes,
    deadlines,
    desks,
    devices,
    fields,
    imports,
    notices,
    passkeys,
    people,
    pipelines,
    profile,
    quarantine,
    retention,
    roles,
    rules,
    search,
    security,
    system,
    teams,
    topics,
    trials,
)

SCREENS = (
    profile,
    passkeys,
    devices,
    channels,
    account,
    account_intake,
    trials,
    quarantine,
    people,
    teams,
    roles,
    desks,
    pipelines,
    classes,
    calendars,
    rules,
    access,
    system,
    security,
    imports,
    audit,
    fields,
    retention,
    search,
    notices,
    deadlines,
    topics,
)


def routes() -> list[BaseRoute]:
    """Give the routes of every settings screen."""
    return [route for screen in SCREENS for route in screen.routes()]

"""The settings: one file per screen; each gives its routes."""

from __future__ import annotations

from starlette.routing import BaseRoute

from hub.web.settings import (
    access,
    account,
    channels,
    people,
    profile,
    quarantine,
    search,
    system,
    trials,
)

SCREENS = (profile, channels, account, trials, quarantine, people, access, system, search)


def routes() -> list[BaseRoute]:
    """Give the routes of every settings screen."""
    return [route for screen in SCREENS for route in screen.routes()]

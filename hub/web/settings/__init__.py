"""The settings: one file per screen; each gives its routes."""

from __future__ import annotations

from starlette.routing import BaseRoute

from hub.web.settings import channels, house, profile

SCREENS = (profile, channels, house)


def routes() -> list[BaseRoute]:
    """Give the routes of every settings screen."""
    return [route for screen in SCREENS for route in screen.routes()]

"""The list and the cards of tasks: those of every kind; my day is the screen one works on."""

from __future__ import annotations

from starlette.routing import BaseRoute

from crm_store.objects import NOUNS
from hub.web.object_pages import routes_of


def routes() -> list[BaseRoute]:
    """Give the pages of tasks."""
    return routes_of([NOUNS["task"]])

"""The list, the calendar and the cards of tasks; my day is the screen one works on."""

from __future__ import annotations

from starlette.routing import BaseRoute

from crm_store.objects import NOUNS
from hub.web.months import Calendar
from hub.web.object_pages import Pages

TASK = NOUNS["task"]
CALENDAR = Calendar(
    noun=TASK,
    at="due_at",
    section="tasks",
    shown={"field": "task.status", "operator": "equals", "value": "open"},
)


def routes() -> list[BaseRoute]:
    """Give the pages of tasks."""
    return Pages(TASK, CALENDAR).routes()

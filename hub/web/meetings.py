"""The list, the calendar and the cards of meetings, and of calls noted by hand."""

from __future__ import annotations

from starlette.routing import BaseRoute

from crm_store.objects import NOUNS
from hub.web.months import Calendar
from hub.web.object_pages import Pages

MEETING = NOUNS["meeting"]
CALENDAR = Calendar(noun=MEETING, at="at", section="meetings", is_deadline=False)


def routes() -> list[BaseRoute]:
    """Give the pages of meetings."""
    return Pages(MEETING, CALENDAR).routes()

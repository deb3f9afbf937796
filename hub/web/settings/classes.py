"""Classes of clients: the period and the limits of ABC and XYZ, and counting them now."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from crm_store import client_classes as reads
from hub import commands as c
from hub.errors import Conflict, Invalid
from hub.nouns.interests import CURRENCIES
from hub.web.settings.common import _, form_of, go, hub_of, needs, say, show

PATH = "/settings/classes"
NUMBERS = ("months", "a_percent", "b_percent", "x_percent", "y_percent")


def _number(text: object) -> int:
    """Give a whole number; what is none is refused by its limits."""
    word = str(text).strip()
    return int(word) if word.isascii() and word.isdecimal() and len(word) < 6 else -1


@needs("pipelines.manage")
async def classes(request: Request) -> Response:
    """Show how clients get their classes; change it, or count them now."""
    hub, problem, field = hub_of(request), "", ""
    known = await hub.read(reads.rules)
    typed: dict[str, object] = {one: getattr(known, one) for one in (*NUMBERS, "currency")}
    if request.method == "POST":
        form = await form_of(request)
        if form.get("do") == "count":
            await hub.do(c.CountClasses())
            return go(PATH, "counting")
        typed = {one: str(form.get(one, ""))[:6] for one in (*NUMBERS, "currency")}
        numbers = {one: _number(typed[one]) for one in NUMBERS}
        command = c.SaveClassRules(
            months=numbers["months"],
            a_percent=numbers["a_percent"],
            b_percent=numbers["b_percent"],
            x_percent=numbers["x_percent"],
            y_percent=numbers["y_percent"],
            currency=str(typed["currency"]),
            version=_number(form.get("version", "")),
        )
        try:
            await hub.do(command)
            return go(PATH, "saved")
        except Invalid as error:
            problem, field = say(request, str(error)), error.field
        except Conflict as error:
            problem = say(request, str(error))
    return show(
        request,
        "classes",
        "classes",
        422 if problem else 200,
        rules=known,
        typed=typed,
        counts=await hub.read(reads.counted),
        currencies=[
            ("", say(request, _("the one used most"))),
            *((one.value, one.value) for one in CURRENCIES),
        ],
        problem=problem,
        errors={field: problem} if field else {},
    )


def routes() -> list[BaseRoute]:
    """Give the route of the classes."""
    return [Route(PATH, classes, methods=["GET", "POST"])]

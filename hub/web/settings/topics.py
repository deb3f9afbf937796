"""What people subscribe to: its words, the letter that asks for the button, and who was asked."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from crm_store import accounts as account_reads
from crm_store import topics as store
from crm_store.mailboxes import is_mailbox
from crm_store.viewer import Reader
from hub import commands as c
from hub.errors import Conflict, Invalid
from hub.ids import AccountId, AddressId
from hub.web.settings.common import _, form_of, go, hub_of, needs, number, runtime_of, say, show

PATH = "/settings/topics"
SHOWN = 30
RESULTS = {
    "limited": _("Enough letters were sent for now: wait until the question expires."),
    "suppressed": _("This address takes no letters."),
    "no_mailbox": _("Connect a mailbox first: there is nothing to send the letter from."),
    "already": _("This person is subscribed already."),
}


@needs("mailings.send")
async def topics(request: Request) -> Response:
    """Show the topics and who was asked; add, change or remove one, ask once more."""
    hub = hub_of(request)
    problem, open_id = "", 0
    if request.method == "POST":
        form = await form_of(request)
        topic_id = open_id = number(form.get("topic", "0") or "0")
        try:
            match str(form.get("do", "save")):
                case "remove":
                    await hub.do(c.RemoveTopic(topic_id=topic_id))
                    return go(PATH, "removed")
                case "again":
                    address = AddressId(number(form.get("address", "0") or "0"))
                    name = str(form.get("name", ""))
                    (result,) = await hub.do(c.AskAgain(address_id=address, topic=name))
                    if result == "asked":
                        return go(PATH, "released")
                    problem = say(request, RESULTS.get(result, result))
                case _:
                    await hub.do(_command(form, topic_id))
                    return go(PATH, "saved")
        except (Invalid, Conflict) as error:
            problem = say(request, str(error))

    channels = runtime_of(request).channels

    def load(reader: Reader) -> dict[str, Any]:
        boxes = [
            one
            for one in account_reads.all_accounts(reader)
            if not one.removed
            and (kind := channels.get(one.channel)) is not None
            and is_mailbox(kind.capabilities)
        ]
        return {
            "topics": store.all_topics(reader),
            "asked": store.asked(reader, limit=SHOWN),
            "mailboxes": boxes,
        }

    return show(
        request,
        "topics",
        "topics",
        422 if problem else 200,
        problem=problem,
        open_id=open_id,
        built_in=store.WORDS,
        **await hub.read(load),
    )


def _command(form: Any, topic_id: int) -> c.SaveTopic:
    def small(name: str, default: int) -> int:
        text = str(form.get(name, "")).strip()
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else default

    words: dict[str, Any] = {one: str(form.get(one, "")) for one in store.TEXTS}
    return c.SaveTopic(
        topic_id=topic_id,
        name=str(form.get("name", "")),
        confirm=form.get("confirm") == "yes",
        public=form.get("public") == "yes",
        account_id=AccountId(number(form.get("account", "0") or "0")),
        valid_hours=small("valid_hours", 0),
        most_letters=small("most_letters", 0),
        version=number(form["version"]) if form.get("version") else None,
        **words,
    )


def routes() -> list[BaseRoute]:
    """Give the route of topics."""
    return [Route(PATH, topics, methods=["GET", "POST"])]

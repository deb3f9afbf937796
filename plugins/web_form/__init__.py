"""Web form: what is sent from a form of a site becomes a dialog; machines are kept out.

The sender's e-mail address or telephone number is the dialog's address, so the form stands on
the same card as his letters. A form cannot answer: the card beside the dialog leads to an e-mail
dialog with the same person.
"""

from __future__ import annotations

from hub import (
    Channel,
    Dialog,
    Event,
    Hub,
    Panel,
    Route,
    Screening,
    UiPart,
    Verdict,
    VerdictKind,
    hookimpl,
)
from plugins.web_form import answering
from plugins.web_form.channel import WebFormChannel
from plugins.web_form.pages import WebFormPages
from plugins.web_form.submission import TRAP
from plugins.web_form.subscribing import hear

event_types = ("message.received",)


@hookimpl
def register_channels() -> list[type[Channel]]:
    """One kind of channel: the form of a site."""
    return [WebFormChannel]


@hookimpl
def register_routes() -> list[Route]:
    """What browsers call, how to embed it, and the way to answer by e-mail."""
    return [*answering.routes(), *WebFormPages().routes()]


@hookimpl
def register_ui() -> list[UiPart]:
    """The line for the site, on the account's page."""
    return answering.parts()


@hookimpl
async def dialog_panels(hub: Hub, dialog: Dialog) -> list[Panel]:
    """What came with the form, and the way to answer."""
    return await answering.form_panel(hub, dialog)


@hookimpl
async def event_occurred(hub: Hub, events: tuple[Event, ...]) -> None:
    """Take the subscriptions that came with a form; a machine's form never gets here."""
    await hear(hub, events)


@hookimpl
def screen_inbound(screening: Screening) -> Verdict | None:
    """Keep machines out: a filled trap is sure, haste is only suspicious and can be replayed."""
    trap = screening.message.headers.get(TRAP, "") if screening.channel == "web_form" else ""
    if trap == "trap":
        return Verdict(kind=VerdictKind.DROP, reason="the hidden field of the form was filled in")
    if trap:
        return Verdict(kind=VerdictKind.QUARANTINE, reason="the form was filled in too fast")
    return None

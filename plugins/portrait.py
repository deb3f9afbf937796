"""The portrait beside a dialog: other dialogs of the person, and what the channel told of him."""

from __future__ import annotations

from hub import Dialog, DialogQuery, Hub, MessageId, Panel, PanelLine, hookimpl

SHOWN = 5
KNOWN = {
    "page_url": "Page",
    "page_title": "Page title",
    "referrer": "Came from",
    "utm_source": "Source",
    "utm_campaign": "Campaign",
    "phone": "Phone",
    "email": "E-mail",
}
"""Entries of a message's profile that are worth a line; the labels are translated on screen."""


@hookimpl
async def dialog_panels(hub: Hub, dialog: Dialog) -> list[Panel]:
    """Give the panels of one dialog."""
    page = await hub.dialogs(
        DialogQuery(view="everything", contact_id=dialog.contact_id, limit=SHOWN + 1)
    )
    others = [one for one in page.dialogs if one.id != dialog.id][:SHOWN]
    panels = [
        Panel(
            key="other_dialogs",
            title="Other dialogs",
            lines=tuple(
                PanelLine(
                    label=one.subject or one.preview or one.channel,
                    value=one.status.value,
                    href=f"/inbox/{one.id}",
                )
                for one in others
            ),
            empty="This is the only dialog so far",
            order=50,
            folded=not others,
        )
    ]
    lines = await _visit(hub, dialog)
    if lines:
        panels.append(Panel(key="visit", title="Visit", lines=lines, order=60))
    return panels


async def _visit(hub: Hub, dialog: Dialog) -> tuple[PanelLine, ...]:
    """What the newest message that carries a profile says of where the person is."""
    thread = await hub.thread(dialog.id, before=MessageId(0), limit=20)
    for message in reversed(thread.messages):
        profile = message.extra.get("profile")
        if isinstance(profile, dict):
            return tuple(
                PanelLine(
                    label=label,
                    value=str(profile[key]),
                    href=str(profile[key])
                    if str(profile[key]).startswith(("https://", "http://"))
                    else "",
                )
                for key, label in KNOWN.items()
                if profile.get(key)
            )
    return ()

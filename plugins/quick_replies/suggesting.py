"""The replies that are offered in a dialog, filled in for its client and its channel."""

from __future__ import annotations

from hub import Button, Capabilities, Dialog, Direction, Hub, Suggestion, Values
from plugins.quick_replies.finding import fitting, score
from plugins.quick_replies.replies import QuickReply, all_replies, reader_of

MOST = 12
"""So many are offered at once, with nothing typed beside the favourites."""
FAVOURITES = 30
"""So many favourites at most, or the replies of the keys would not be among what is offered."""
FAVOURITE = 5.0
"""A favourite leads those that fit what was typed as well as it does, however often they are used."""
FIRST = 1_000.0
"""With nothing typed favourites stand first."""
SHORT_CHANNEL = 2000
"""A channel that takes no more characters than this gets the short wording."""


async def suggestions(hub: Hub, dialog: Dialog, text: str) -> list[Suggestion]:
    """Give the replies that fit, best first; with nothing typed favourites before all others."""
    user = await reader_of(hub)
    known = [
        one
        for one in await all_replies(hub, user)
        if not one.channels or dialog.channel in one.channels
    ]
    if not known:
        return []
    text = text.strip()
    said = "" if text else await _last_words(hub, dialog)
    fits = fitting(known, said) if said else {}
    ranked = []
    for one in known:
        points = score(one, text) if text else 60.0 + 30.0 * fits.get(one.id, 0.0)
        if points > 0:
            points += min(one.uses, 500) / 125
            if one.favourite:
                points += FAVOURITE if text else FIRST
            ranked.append((points, one))
    ranked.sort(key=lambda each: (-each[0], each[1].title))
    most = MOST if text else MOST + min(sum(one.favourite for one in known), FAVOURITES)
    shown = ranked[:most]
    if not text:
        # The keys work whether or not their reply is among the first.
        shown += [each for each in ranked[most:] if each[1].slot]
    values = await hub.values(dialog_id=dialog.id)
    capabilities = hub.capabilities(dialog.channel)
    return [
        filled(hub, one, values, capabilities, points, fits.get(one.id, 0.0) > 0)
        for points, one in shown
    ]


def filled(
    hub: Hub,
    reply: QuickReply,
    values: Values,
    capabilities: Capabilities | None,
    points: float = 0.0,
    fits: bool = False,
) -> Suggestion:
    """Fill one reply in."""
    wording = reply.wording(values.language)
    is_short = capabilities is not None and 0 < capabilities.max_text <= SHORT_CHANNEL
    source = wording.short if is_short and wording.short else wording.text
    made = hub.fill(source, values.texts)
    rich = ""
    if wording.html and capabilities is not None and capabilities.html:
        drawn = hub.fill(wording.html, values.texts, html=True)
        # What must be typed in is typed into the text: that leaves without the HTML.
        rich = "" if drawn.missing or made.missing else drawn.text
    takes_buttons = capabilities.buttons if capabilities is not None else 0
    has_templates = capabilities is not None and capabilities.templates
    return Suggestion(
        key=str(reply.id),
        title=reply.title,
        shortcut=reply.shortcut,
        folder=reply.folder,
        text=made.text,
        html=rich,
        missing=made.missing,
        reason="fits" if fits else "",
        buttons=tuple(
            Button(label=label, payload="" if url else label, url=url)
            for label, url in reply.buttons[:takes_buttons]
        ),
        files=tuple(name for _, name, _ in reply.files),
        attach=f"attach/{reply.id}" if reply.files else "",
        template=reply.template if has_templates else "",
        template_language=reply.template_language if has_templates else "",
        slot=reply.slot,
        score=points,
        favourite=reply.favourite,
    )


async def _last_words(hub: Hub, dialog: Dialog) -> str:
    thread = await hub.thread(dialog.id, limit=10)
    for message in reversed(thread.messages):
        if message.direction is Direction.IN and message.text:
            return message.text
    return ""

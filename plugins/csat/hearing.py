"""Pressed buttons, erased people, and the panel beside the dialog."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from sqlalchemy import select

from hub import (
    ButtonWasPressed,
    Conflict,
    ContactErased,
    Dialog,
    Event,
    Hub,
    Invalid,
    NotFound,
    Panel,
    PanelLine,
)
from plugins.csat.commands import ForgetWords, Rate
from plugins.csat.tables import asks

SHOWN = 3
LOW = 3


async def hear(hub: Hub, events: Sequence[Event]) -> None:
    """Take the facts in; each may come twice."""
    for event in events:
        match event:
            case ButtonWasPressed(payload=payload) if payload.startswith("csat:"):
                parts = payload.split(":")
                if len(parts) != 3 or not all(one.isdecimal() for one in parts[1:]):
                    continue
                # A button of long ago, or of another dialog, changes nothing.
                with contextlib.suppress(Conflict, Invalid, NotFound):
                    await hub.do(
                        Rate(
                            ask_id=int(parts[1]) % 2**63,
                            mark=int(parts[2][:3]),
                            dialog_id=event.dialog_id,
                        )
                    )
            case ContactErased():
                await hub.do(ForgetWords(contact_id=event.contact_id))
            case _:
                pass


async def panels(hub: Hub, dialog: Dialog) -> list[Panel]:
    """Show the marks of a dialog, the newest first."""
    rows = await hub.store.all(
        select(asks)
        .where(asks.c.dialog_id == dialog.id, asks.c.mark > 0)
        .order_by(asks.c.id.desc())
        .limit(SHOWN)
    )
    if not rows:
        return []
    lines = tuple(
        PanelLine(
            label=f"{row['mark']} / 5",
            value=row["comment"],
            tone="bad" if row["mark"] <= LOW else "",
        )
        for row in rows
    )
    return [Panel(key="csat", title="Marks", lines=lines, order=60)]

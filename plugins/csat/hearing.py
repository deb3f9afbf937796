"""Pressed buttons, marks that are written, erased people, and the panel beside the dialog."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence

from sqlalchemy import select

from hub import (
    ButtonWasPressed,
    Conflict,
    ContactErased,
    Dialog,
    Direction,
    Event,
    Hub,
    Invalid,
    MessageReceived,
    NotFound,
    Panel,
    PanelLine,
)
from plugins.csat.commands import ForgetWords, Rate
from plugins.csat.tables import asks

SHOWN = 3
LOW = 3
WRITTEN_US = 3 * 86_400_000_000
"""For how long a number that the client writes is taken for his mark."""
_MARK = re.compile(r"\s*([1-5])\s*(?:/\s*5|из 5|of 5|out of 5)?\s*[.!)]*\s*")


async def hear(hub: Hub, events: Sequence[Event]) -> None:
    """Take the facts in; each may come twice."""
    await _hear_written(hub, [one for one in events if isinstance(one, MessageReceived)])
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


async def _hear_written(hub: Hub, events: Sequence[MessageReceived]) -> None:
    """Take a bare number for the mark where nobody asked for anything else since."""
    events = [one for one in events if not one.automated]
    if not events:
        return
    rows = await hub.store.all(
        select(asks.c.id, asks.c.dialog_id, asks.c.asked_at)
        .where(asks.c.dialog_id.in_({one.dialog_id for one in events}), asks.c.mark == 0)
        .order_by(asks.c.id)
    )
    asked = {row["dialog_id"]: row for row in rows}
    for event in events:
        ask = asked.get(event.dialog_id)
        if ask is None or not ask["asked_at"] <= event.at < ask["asked_at"] + WRITTEN_US:
            continue
        said = await hub.message(event.message_id)
        mark = _MARK.fullmatch(said.text)
        if mark is None or await _asked_since(hub, event, ask["asked_at"]):
            continue
        with contextlib.suppress(Conflict, Invalid, NotFound):
            await hub.do(Rate(ask_id=ask["id"], mark=int(mark[1]), dialog_id=event.dialog_id))


async def _asked_since(hub: Hub, event: MessageReceived, asked_at: int) -> bool:
    """Say whether we wrote again after the ask: then a number may answer that."""
    thread = await hub.thread(event.dialog_id, before=event.message_id, limit=20)
    return any(one.direction is Direction.OUT and one.at > asked_at for one in thread.messages)


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

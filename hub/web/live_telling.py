"""What facts mean to the browsers that may see them: rows, open dialogs, mentions, what is lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from crm_store.viewer import Place
from hub.events import (
    DialogAssigned,
    DialogsMerged,
    DialogSplit,
    DialogsUnmerged,
    Event,
    MessageCancelled,
    NoteAdded,
)
from hub.ids import DialogId, UserId
from hub.objects import ActorKind
from hub.web.live_connection import Connection
from hub.web.live_counts import Standings, counts_anew
from hub.web.live_drawing import Offer, WrittenRows, draw_changed, load_changed, written_row
from hub.web.live_house import tell_house

if TYPE_CHECKING:
    from hub.runtime import Runtime
    from hub.web.render import Renderer


class Telling:
    """Reads what facts have changed, draws it once per language and puts it to browsers."""

    def __init__(self, runtime: Runtime, renderer: Renderer) -> None:
        self._runtime = runtime
        self._renderer = renderer

    async def tell(
        self, events: list[Event], connections: list[Connection], standings: Standings
    ) -> Mapping[DialogId, Place]:
        """Tell facts to browsers; gives where their dialogs stand now."""
        last = events[-1].id
        await tell_house(self._runtime, events, connections)
        moved = {
            other: DialogId(one.dialog) for one in events if (other := _other_of(one)) is not None
        }
        dialog_ids = list(dict.fromkeys([*(one.dialog for one in events if one.dialog), *moved]))
        opened = {one for connection in connections for one in connection.dialogs}
        message_ids = list(
            dict.fromkeys(
                one.subject.id
                for one in events
                if one.subject.kind == "message" and one.dialog in opened
            )
        )
        rows, found, users, places, dues = await load_changed(
            self._runtime, dialog_ids, message_ids
        )
        rendered = draw_changed(
            self._renderer, rows, found, users, {one.language for one in connections}, dues
        )
        touched = {one.dialog for one in events if one.shown and one.dialog in opened}
        gone = [one for one in events if isinstance(one, MessageCancelled)]
        mentions = {
            (user, one.dialog_id)
            for one in events
            if isinstance(one, NoteAdded)
            for user in one.mentions
        }
        whole = {*moved, *moved.values()}
        passed = [one for one in events if isinstance(one, DialogAssigned)]
        written: WrittenRows = {}
        changed = standings.changed(rows, places)
        concerned = mentions | {
            (UserId(one.actor.id), one.dialog) for one in events if one.actor.kind is ActorKind.USER
        }
        offers: dict[tuple[int, str], Offer] = {}
        for connection in connections:
            if last <= connection.last:
                continue
            connection.last = max(connection.last, last)
            # Pages of the same person have the same rights, most often as the same object.
            key = (id(connection.viewer), connection.language)
            offer = offers.get(key)
            if offer is None:
                seen = {one for one, place in places.items() if connection.sees(place)}
                shown = [one for one in rows if one.id in seen]
                me = connection.viewer.user_id
                offer = offers[key] = Offer(
                    seen=seen,
                    rows={
                        f"row:{one.id}": written_row(
                            written, rendered, connection.language, one, one.assignee_id == me
                        )
                        for one in shown
                    },
                    counts=counts_anew(me, shown, changed, concerned),
                    named=[one.id for one in shown if (me, one.id) in mentions],
                )
            connection.put_all(offer.rows)
            connection.counts = connection.counts or offer.counts
            for dialog_id in offer.named:
                connection.put(
                    f"mention:{dialog_id}", {"k": "mention", "id": str(dialog_id)}, urgent=True
                )
            if not connection.dialogs.isdisjoint(offer.seen):
                _offer_opened(connection, offer.seen, found, rendered, touched, gone, whole)
            for event in passed:
                if event.dialog_id not in offer.seen and event.dialog_id in places:
                    _take_away(connection, event, places[event.dialog_id])
        return places


def _other_of(event: Event) -> DialogId | None:
    """Give the dialog whose messages a fact brought into another one, or took from it."""
    match event:
        case DialogSplit(new_dialog_id=other):
            return other
        case DialogsMerged(merged_id=other):
            return other
        case DialogsUnmerged(restored_id=other):
            return other
    return None


def _take_away(connection: Connection, event: DialogAssigned, now: Place) -> None:
    """Tell a browser that a dialog it could see went where it cannot follow."""
    before = replace(now, assignee_id=event.before_user_id, team_id=event.before_team_id)
    if connection.sees(before):
        lost = {"k": "lost", "id": str(event.dialog_id)}
        connection.put(f"row:{event.dialog_id}", lost, urgent=True)
        connection.counts = True


def _offer_opened(
    connection: Connection,
    seen: set[DialogId],
    found: tuple[Any, ...],
    rendered: dict[tuple[str, str, int], str],
    touched: set[DialogId],
    gone: list[MessageCancelled],
    whole: set[DialogId],
) -> None:
    """Tell a browser of the dialogs that it has open: their messages and their heads."""
    opened = seen & connection.dialogs
    for dialog_id in opened:
        kind = "whole" if dialog_id in whole else "head" if dialog_id in touched else ""
        if kind:
            connection.put(f"{kind}:{dialog_id}", {"k": kind, "id": str(dialog_id)}, urgent=True)
    for message in found:
        if message.dialog_id in opened:
            connection.put(
                f"msg:{message.id}",
                {
                    "k": "msg",
                    "id": str(message.id),
                    "dialog": str(message.dialog_id),
                    "html": rendered["msg", connection.language, message.id],
                    "by": str(message.author.id),
                    "way": message.direction.value,
                },
                urgent=True,
            )
    for event in gone:
        if event.dialog_id in opened:
            connection.put(
                f"msg:{event.message_id}",
                {"k": "gone", "id": str(event.message_id)},
                urgent=True,
            )

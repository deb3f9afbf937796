"""What has changed, read once and drawn once per language for every browser that may see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crm_store import dialogs as dialog_reads
from crm_store import messages as message_reads
from crm_store.request_deadlines import dues_of
from crm_store.sql import keep_plans
from crm_store.viewer import Place, Reader, Viewer
from hub.ids import DialogId, MessageId, UserId
from hub.records.dialogs import Dialog
from hub.web.live_connection import Written, write_item

if TYPE_CHECKING:
    from hub.runtime import Runtime
    from hub.web.render import Renderer


async def load_changed(
    runtime: Runtime, dialog_ids: list[DialogId], message_ids: list[int]
) -> tuple[
    tuple[Any, ...], tuple[Any, ...], Mapping[UserId, Any], dict[DialogId, Place], dict[int, int]
]:
    """Read rows and messages as they are now, once for every browser, and who may see them."""

    def load(conn: Any) -> Any:
        reader = Reader(conn=conn, viewer=Viewer.system(), now=runtime.now())
        keep_plans(conn)
        found = dialog_reads.several(reader, dialog_ids)
        called = dialog_reads.called_into(reader, dialog_ids)
        places = {
            one.id: Place(
                account_id=one.account_id,
                assignee_id=one.assignee_id,
                team_id=one.team_id,
                called=called.get(one.id, frozenset()),
            )
            for one in found
        }
        return (
            found,
            message_reads.several(reader, [MessageId(one) for one in message_ids]),
            places,
            dues_of(conn, dialog_ids),
        )

    rows, found, places, due = await runtime.database.read(load)
    return rows, found, (await runtime.staff()).users, places, due


def draw_changed(
    renderer: Renderer,
    rows: tuple[Any, ...],
    found: tuple[Any, ...],
    users: Mapping[UserId, Any],
    languages: set[str],
    dues: dict[int, int],
) -> dict[tuple[str, str, int], str]:
    """Render each thing once per language; personal differences travel as data attributes."""
    rendered: dict[tuple[str, str, int], str] = {}
    for language in languages:
        for dialog in rows:
            rendered["row", language, dialog.id] = renderer.row(
                language, dialog, users, dues.get(dialog.id, 0)
            )
        for message in found:
            rendered["msg", language, message.id] = renderer.text(
                "inbox/message.html", language, message=message, dialog=None
            )
    return rendered


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What facts mean to all pages of one person in one language.

    `seen` are the dialogs he may see, `rows` what his list is told, `named` the dialogs in which a
    note names him; `counts` says whether his numbers are perhaps others now.
    """

    seen: set[DialogId]
    rows: Mapping[str, Written]
    counts: bool
    named: list[DialogId]


WrittenRows = dict[tuple[str, DialogId, bool], Written]


def written_row(
    written: WrittenRows,
    rendered: dict[tuple[str, str, int], str],
    language: str,
    dialog: Dialog,
    mine: bool,
) -> Written:
    """Give a row for the stream; hundreds of browsers get the very same."""
    key = (language, dialog.id, mine)
    found = written.get(key)
    if found is None:
        found = written[key] = write_item(
            {
                "k": "row",
                "id": str(dialog.id),
                "html": rendered["row", language, dialog.id],
                "mine": mine,
                "last": dialog.last_direction,
                "window": str(dialog.window_until),
            }
        )
    return found

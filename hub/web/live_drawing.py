"""What has changed, read once and drawn once per language for every browser that may see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crm_store import dialogs as dialog_reads
from crm_store import messages as message_reads
from crm_store import users as user_reads
from crm_store.viewer import Reader, Viewer
from hub.ids import DialogId, MessageId, UserId
from hub.records.dialogs import DialogPage, DialogQuery

if TYPE_CHECKING:
    from hub.runtime import Runtime
    from hub.web.render import Renderer


async def load_changed(
    runtime: Runtime, dialog_ids: list[DialogId], message_ids: list[int]
) -> tuple[tuple[Any, ...], tuple[Any, ...], dict[UserId, Any]]:
    """Read rows and messages as they are now, once for every browser."""

    def load(conn: Any) -> Any:
        reader = Reader(conn=conn, viewer=Viewer.system(), now=runtime.now())
        return (
            dialog_reads.several(reader, dialog_ids),
            message_reads.several(reader, [MessageId(one) for one in message_ids]),
            {one.id: one for one in user_reads.all_users(reader)},
        )

    answer: tuple[
        tuple[Any, ...], tuple[Any, ...], dict[UserId, Any]
    ] = await runtime.database.read(load)
    return answer


def draw_changed(
    renderer: Renderer,
    rows: tuple[Any, ...],
    found: tuple[Any, ...],
    users: dict[UserId, Any],
    languages: set[str],
) -> dict[tuple[str, str, int], str]:
    """Render each thing once per language; personal differences travel as data attributes."""
    rendered: dict[tuple[str, str, int], str] = {}
    for language in languages:
        for dialog in rows:
            rendered["row", language, dialog.id] = renderer.text(
                "inbox/rows.html",
                language,
                list=DialogPage(dialogs=(dialog,), next=""),
                users=users,
                dialog=None,
                query=DialogQuery(),
            )
        for message in found:
            rendered["msg", language, message.id] = renderer.text(
                "inbox/message.html", language, message=message, dialog=None
            )
    return rendered

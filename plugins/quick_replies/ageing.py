"""How long what a reply said before is kept: as long as a rule of retention says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, delete, func, select, tuple_

from hub import Ageing, Micros, UnitOfWork
from plugins.quick_replies.tables import old_files, replies, versions


def _due(before: Micros) -> Select[Any]:
    """Give the versions that were replaced before an instant: by the next one, or by what stands."""
    later = versions.alias("later")
    replaced = func.coalesce(later.c.at, replies.c.changed_at)
    return (
        select(versions.c.reply_id, versions.c.version)
        .join(replies, replies.c.id == versions.c.reply_id)
        .outerjoin(
            later,
            (later.c.reply_id == versions.c.reply_id) & (later.c.version == versions.c.version + 1),
        )
        .where(replaced < before)
    )


def _remove(uow: UnitOfWork, keys: Sequence[Any]) -> None:
    """Remove versions, and the files that no version left would bring back."""
    uow.execute(delete(versions).where(tuple_(versions.c.reply_id, versions.c.version).in_(keys)))
    for reply_id in sorted({one[0] for one in keys}):
        left = uow.execute(select(versions.c.body).where(versions.c.reply_id == reply_id)).scalars()
        wanted = {int(number) for body in left for number, _ in body.get("files", ())}
        uow.execute(
            delete(old_files).where(old_files.c.reply_id == reply_id, old_files.c.id.not_in(wanted))
        )


VERSIONS = Ageing(
    name="quick_replies.versions",
    label="Earlier versions of quick replies",
    due=_due,
    remove=_remove,
)

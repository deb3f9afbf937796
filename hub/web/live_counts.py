"""Which dialogs moved from one standing view to another, so that their numbers are counted anew.

Most facts change no number: the tenth message of a dialog that waits already leaves it waiting.
To count for every open page after each of them cost more than to tell the pages of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from hub.ids import DialogId, UserId
from hub.records.dialogs import Dialog
from hub.web.live_connection import Place

MOST = 20_000
Standing = tuple[object, ...]


class Standings:
    """How dialogs stood when they were last told of; what is not known has changed."""

    def __init__(self) -> None:
        self._known: dict[DialogId, Standing] = {}

    def forget(self) -> None:
        """Take everything for changed: facts went by unheard."""
        self._known.clear()

    def changed(
        self, rows: Iterable[Dialog], places: Mapping[DialogId, Place]
    ) -> frozenset[DialogId]:
        """Give those of these dialogs that stand otherwise than before, and remember them.

        Each fact is followed by a reading, so that a change may be found one fact too early but
        never goes by.
        """
        found: dict[DialogId, Standing] = {
            one.id: (
                places.get(one.id),
                one.status,
                one.snoozed_until > 0,
                one.waiting_since > 0,
                one.failed,
                one.merged_into > 0,
            )
            for one in rows
        }
        changed = frozenset(key for key, now in found.items() if self._known.get(key) != now)
        if len(self._known) + len(found) > MOST:
            self._known.clear()
        self._known |= found
        return changed


def counts_anew(
    me: UserId,
    seen: Iterable[Dialog],
    changed: frozenset[DialogId],
    concerned: AbstractSet[tuple[UserId, DialogId]],
) -> bool:
    """Say whether a person's numbers may be others now.

    What is unread is counted in his own dialogs; what he did himself changes his own marks, and a
    note that names him is one more for him: `concerned` are those people, each with the dialog.
    """
    return any(
        one.id in changed or one.assignee_id == me or (me, one.id) in concerned for one in seen
    )

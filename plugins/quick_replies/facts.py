"""Facts of quick replies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickReplyChanged(Event):
    """A quick reply was made, changed or removed (`what`: created, changed, removed).

    `favoured` and `unfavoured`: it became a favourite of the one who did it, or is none any more.
    """

    type: ClassVar[str] = "quick_replies.changed"
    subject_kind: ClassVar[str] = "quick_reply"
    subject_field: ClassVar[str] = "reply_id"

    reply_id: int
    what: str
    version: int = 0

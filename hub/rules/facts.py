"""Facts: what all rules of one event judge, a frozen snapshot of the world around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hub.events.base import Event
from hub.ids import DialogId, Micros
from hub.objects import Ref

if TYPE_CHECKING:
    from hub.records.dialogs import Dialog, Message
    from hub.records.people import Contact

_EMPTY: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One moment: the event and what stands around it.

    `trigger` is the rule's word for what happened. `objects` has the client, the lead and
    whatever else the event is about or the person has open, by kind. `more` has values that
    were counted (`contact.open_leads`). `changes` has each field that the event changed, before
    and after. Only what some rule of the event asks for is loaded. `fill` is the hub's renderer
    of texts (`ready_text`); facts that somebody makes by hand have none.
    """

    now: Micros
    event: Event
    trigger: str = ""
    dialog: Dialog | None = None
    message: Message | None = None
    contact: Contact | None = None
    objects: Mapping[str, Any] = field(default_factory=dict)
    more: Mapping[str, object] = field(default_factory=dict)
    changes: Mapping[str, tuple[object, object]] = field(default_factory=dict)
    fill: Callable[[str, Mapping[str, str]], str] | None = field(
        default=None, repr=False, compare=False
    )

    @property
    def dialog_id(self) -> DialogId:
        """The dialog it happened in, 0 where there is none."""
        return self.dialog.id if self.dialog is not None else DialogId(0)

    @property
    def subject(self) -> Ref:
        """The object that the event is about."""
        kind = getattr(self.event, "object_kind", "") or self.event.subject_kind
        number = getattr(self.event, "object_id", 0) or self.event.subject.id
        return Ref(kind=kind, id=int(number))

    def change(self, field: str) -> tuple[object, object] | None:
        """Give a field's value before and after, None when the event did not change it."""
        return self.changes.get(field)

    def object(self, kind: str) -> Any:
        """Give the object of a kind, None where there is none."""
        return self.objects.get(kind)

"""Notices in words: what is said of each kind, and where what it is about is found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from crm_store import dialogs as dialog_reads
from crm_store import objects as reads
from crm_store.nouns import Noun
from crm_store.viewer import Reader
from hub.ids import DialogId
from hub.web.i18n import translate


def _(text: str) -> str:
    return text


NOTICE_WORDS = {
    "request.assigned": _("The request is yours now"),
    "request.deadline_near": _("A deadline is near"),
    "request.deadline_missed": _("A deadline was missed"),
    "task.assigned": _("The task is yours now"),
    "task.reminder": _("The task is due"),
    "task.review": _("The task waits for your check"),
    "task.returned": _("The task came back to you"),
    "dialog.assigned": _("A colleague gave you a dialog"),
    "dialog.mentioned": _("A colleague mentions you in a note"),
    "export.done": _("Your file is ready"),
    "export.failed": _("A list could not be written"),
    "rule.paused": _("A rule of yours paused"),
    "rule.told": _("A rule calls you"),
    "rule.digest": _("Your plan for today: what waits, what is overdue"),
}
NOT_REACHED = _("its push service does not answer")
NOT_TAKEN = _("its push service answered {}")
NOT_ALLOWED = _("its push service is at an address that is not called")
NOT_READABLE = _("its keys cannot be read: add the device again")
PLACES = {
    "rule": "settings/rules",
    "dialog": "inbox",
    "export": "exports",
    "mailing": "p/mailings",
}
OVER = ("done_at", "closed_at", "solved_at", "deleted_at")
"""Columns that say, in whatever kind has them, that nothing has to be done any more."""


@dataclass(frozen=True, slots=True)
class Line:
    """One notice, told outside the pages: what happened, to what, when, and where it is found."""

    what: str
    title: str
    at: int
    path: str

    @property
    def words(self) -> str:
        """Both in one."""
        return f"{self.what}: {self.title}" if self.title else self.what


def places_of(nouns: Mapping[str, Noun]) -> dict[str, str]:
    """Give the path under which the pages of each kind stand."""
    return {**{name: noun.kind.path for name, noun in nouns.items()}, **PLACES}


def address_of(nouns: Mapping[str, Noun], kind: str, object_id: int) -> str:
    """Give the path of what a notice is about; my day for what has no page."""
    places = places_of(nouns)
    return f"/{places[kind]}/{object_id}" if kind in places and object_id else "/day"


def linked_title(reader: Reader, nouns: Mapping[str, Noun], kind: str, object_id: int) -> str:
    """Name what a task or a notice is about, where the reader may see it."""
    noun = nouns.get(kind)
    if noun is None or not object_id:
        return ""
    return reads.titles(reader, noun, [object_id]).get(object_id, "")


def linked_titles(
    reader: Reader, nouns: Mapping[str, Noun], linked: Iterable[tuple[str, int]]
) -> dict[tuple[str, int], str]:
    """Name what tasks or notices are about, by kind and id; what the reader may not see is left out."""
    ids: dict[str, set[int]] = {}
    for kind, number in linked:
        if kind in nouns and number:
            ids.setdefault(kind, set()).add(number)
    return {
        (kind, number): title
        for kind, some in ids.items()
        for number, title in reads.titles(reader, nouns[kind], sorted(some)).items()
    }


def still_matters(reader: Reader, notice: str, kind: str, object_id: int) -> bool:
    """Say whether the reader may see what a notice of a kind is about, and it is not over.

    A rule may well tell that something was closed; a deadline of what is closed is nobody's care.
    """
    if kind == "dialog":
        return bool(dialog_reads.several(reader, (DialogId(object_id),)))
    noun = reader.nouns.get(kind)
    if noun is None:
        return True
    if not reader.viewer.may(noun.kind.read):
        return False
    own = notice.startswith(f"{kind}.")
    return reads.has(reader, noun, object_id, none_of=OVER if own else OVER[-1:])


def line_of(reader: Reader, language: str, notice: Any, at: int) -> Line | None:
    """Tell a notice's row with its reader's rights; None where it is over, or out of his sight."""
    kind, object_id = notice.object_kind, notice.object_id
    if not still_matters(reader, notice.kind, kind, object_id):
        return None
    return Line(
        what=translate(language, NOTICE_WORDS.get(notice.kind, notice.kind)),
        title=" ".join(linked_title(reader, reader.nouns, kind, object_id).split())[:200],
        at=at,
        path=address_of(reader.nouns, kind, object_id),
    )

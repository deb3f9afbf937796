"""Moments: what a rule can begin with, each a word for a fact of the journal or a time that came.

A moment of the journal names the type of its fact and tests it; one of time is armed by facts and
fires later (triggers/timers.py). A plugin's facts are moments under their own type.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from hub.events import Event
from hub.kinds import Kind
from hub.rules import Facts
from triggers.crm_moments import CRM
from triggers.moment import Moment
from triggers.moment import fact_moment as _fact
from triggers.moment import time_moment as _time

__all__ = ["ASKED", "DEAF", "DIALOGS", "NEVER", "TIME", "Moment", "all_moments"]


def _new_person(facts: Facts) -> bool:
    """The contact was made by this very message: both carry the transaction's instant."""
    return facts.contact is not None and facts.contact.created_at == facts.event.at


def _has_files(facts: Facts) -> bool:
    return facts.message is not None and bool(facts.message.attachments)


def _is_command(facts: Facts) -> bool:
    return facts.message is not None and facts.message.text.startswith("/")


_MESSAGE = frozenset({"message"})
_D, _S, _C = "dialog.status_changed", "delivery.changed", "call.changed"

DIALOGS = (
    _fact("dialog.opened", "a dialog begins", "начался диалог", "dialog", "dialog.opened"),
    _fact(
        "message.received",
        "a message comes in",
        "пришло сообщение",
        "dialog",
        "message.received",
    ),
    _fact(
        "message.opening",
        "the first message of a dialog comes in",
        "пришло первое сообщение диалога",
        "dialog",
        "message.received",
        lambda e: e.first,
    ),
    _fact(
        "message.first",
        "a new person writes for the first time",
        "новый человек написал впервые",
        "dialog",
        "message.received",
        lambda e: e.first,
        holds=_new_person,
        needs=frozenset({"contact"}),
    ),
    _fact(
        "message.with_file",
        "a message with a file comes in",
        "пришло сообщение с файлом",
        "dialog",
        "message.received",
        holds=_has_files,
        needs=_MESSAGE,
    ),
    _fact(
        "message.command",
        "somebody sends a command (/start)",
        "прислали команду (/start)",
        "dialog",
        "message.received",
        holds=_is_command,
        needs=_MESSAGE,
    ),
    _fact(
        "message.answered",
        "a colleague answers",
        "сотрудник ответил",
        "dialog",
        "message.queued",
        lambda e: not e.automated,
    ),
    _fact(
        "message.sent",
        "a message of ours has left",
        "наше сообщение ушло",
        "dialog",
        _S,
        lambda e: e.after == "sent",
    ),
    _fact(
        "message.failed",
        "a message of ours was not delivered",
        "наше сообщение не доставлено",
        "dialog",
        _S,
        lambda e: e.after == "failed",
    ),
    _fact(
        "message.read",
        "a message of ours was read",
        "наше сообщение прочитано",
        "dialog",
        _S,
        lambda e: e.after == "read",
    ),
    _fact("button.pressed", "a button is pressed", "нажата кнопка", "dialog", "button.pressed"),
    _fact(
        "details.answered",
        "a person answers what we asked for his card",
        "человек ответил на вопрос для карточки",
        "dialog",
        "details.answered",
    ),
    _fact("note.added", "a note is written", "написана заметка", "dialog", "note.added"),
    _fact(
        "note.mention",
        "a colleague is mentioned",
        "упомянут сотрудник",
        "dialog",
        "note.added",
        lambda e: bool(e.mentions),
    ),
    _fact(
        "dialog.assigned",
        "a dialog is assigned",
        "диалогу назначен ответственный",
        "dialog",
        "dialog.assigned",
        lambda e: bool(e.user_id) and e.user_id != e.before_user_id,
    ),
    _fact(
        "dialog.unassigned",
        "a dialog is left without anybody",
        "диалог остался без ответственного",
        "dialog",
        "dialog.assigned",
        lambda e: not e.user_id and bool(e.before_user_id),
    ),
    _fact(
        "dialog.team_changed",
        "a dialog goes to another team",
        "диалог передан другой команде",
        "dialog",
        "dialog.assigned",
        lambda e: e.team_id != e.before_team_id,
    ),
    _fact(
        "dialog.closed",
        "a dialog is closed",
        "диалог закрыт",
        "dialog",
        _D,
        lambda e: e.after == "closed",
    ),
    _fact(
        "dialog.reopened",
        "a dialog is opened again",
        "диалог открыт снова",
        "dialog",
        _D,
        lambda e: e.before == "closed" and e.after != "closed",
    ),
    _fact(
        "dialog.snoozed",
        "a dialog is put aside",
        "диалог отложен",
        "dialog",
        _D,
        lambda e: e.after == "snoozed",
    ),
    _fact(
        "dialog.woke",
        "a dialog that was put aside comes back",
        "отложенный диалог вернулся",
        "dialog",
        _D,
        lambda e: e.before == "snoozed" and e.after == "open",
    ),
    _fact(
        "dialog.status_changed", "a dialog's status changes", "изменилось состояние", "dialog", _D
    ),
    _fact(
        "dialog.tagged",
        "a dialog is tagged",
        "диалогу добавлена метка",
        "dialog",
        "dialog.tagged",
        lambda e: bool(e.added),
    ),
    _fact(
        "dialog.untagged",
        "a tag is taken off a dialog",
        "с диалога снята метка",
        "dialog",
        "dialog.tagged",
        lambda e: bool(e.removed),
    ),
    _fact(
        "dialog.routed",
        "a dialog is given out",
        "диалог распределён",
        "dialog",
        "dialog.routed",
        lambda e: bool(e.user_id),
    ),
    _fact(
        "dialog.not_routed",
        "nobody is found for a dialog",
        "для диалога никого не нашлось",
        "dialog",
        "dialog.routed",
        lambda e: not e.user_id,
    ),
    _fact(
        "call.ringing",
        "a call rings",
        "звонит телефон",
        "dialog",
        _C,
        lambda e: e.state == "ringing",
    ),
    _fact(
        "call.missed",
        "a call is missed",
        "пропущен звонок",
        "dialog",
        _C,
        lambda e: e.state == "missed",
    ),
    _fact(
        "call.ended", "a call ends", "звонок завершён", "dialog", _C, lambda e: e.state == "ended"
    ),
    _fact(
        "outside.happened",
        "another system tells of an event",
        "другая система сообщила о событии",
        "house",
        "outside.happened",
    ),
    _fact(
        "event.published",
        "a rule publishes an event",
        "правило опубликовало событие",
        "house",
        "event.published",
    ),
    _fact(
        "account.down",
        "a channel stops working",
        "канал перестал работать",
        "house",
        "channel.down",
    ),
    _fact("account.up", "a channel works again", "канал снова работает", "house", "channel.up"),
)

TIME = (
    _time("no_answer.ours", "we do not answer for", "мы не отвечаем", "after", "working"),
    _time(
        "no_answer.client",
        "the client does not answer for",
        "клиент не отвечает",
        "after",
        "working",
    ),
    _time("not_taken", "nobody takes a dialog for", "никто не взял диалог", "after", "working"),
    _time("window.closing", "the reply window closes in", "окно ответа закроется через", "after"),
    _time("date", "a date comes", "наступает дата", "field", "offset", "at", "yearly", "zone"),
    _time("schedule", "it is time", "наступает время", "cron", "zone", "each"),
)

ASKED = _fact(
    "asked",
    "a colleague runs it by hand",
    "сотрудник запустил вручную",
    "house",
    "rule.asked",
    options=frozenset(),
)

DEAF = frozenset({"rule.changed", "rule.fired", "rule.failed", "rule.paused"})
"""Facts that no rule hears: rules about rules would never end."""
NEVER = frozenset({"dialog.idle"})
"""Facts that nothing puts on record: `no_answer.ours` says it, for each rule after its own while."""


def of_kind(kind: Kind, facts: Collection[str]) -> tuple[Moment, ...]:
    """Give the moments that every kind of object has: made, changed, removed where that can be."""
    name, label = kind.name, kind.label
    russian = kind.translations.get("ru", label)

    def mine(event: Any) -> bool:
        return bool(event.object_kind == name)

    found = [
        _fact(
            f"{name}.changed",
            f"a {label} is changed",
            f"{russian}: изменение",
            "crm",
            "object.changed",
            mine,
        ),
    ]
    if kind.binned:
        removed = (f"{name}.removed", f"a {label} is removed", f"{russian}: удаление", "crm")
        found.append(_fact(*removed, "object.removed", lambda e: mine(e) and not e.restored))
    created = f"{name}.created"
    words = (created, f"a {label} is made", f"{russian}: создание", "crm")
    # Some kinds have a fact of their own for it, the others share one.
    if created in facts:
        found.append(_fact(*words, created))
    else:
        found.append(_fact(*words, "object.created", mine))
    return tuple(found)


def of_fact(kind: type[Event]) -> Moment:
    """Give the moment of a fact that has no word of its own: a plugin's, say."""
    words = (kind.__doc__ or kind.type).strip().splitlines()[0].rstrip(".")
    return _fact(kind.type, words, kind.translations.get("ru", kind.type), "facts", kind.type)


def all_moments(kinds: Iterable[Kind], facts: Iterable[type[Event]]) -> Mapping[str, Moment]:
    """Give every moment by its name."""
    found: dict[str, Moment] = {}
    facts = tuple(facts)
    types = {one.type for one in facts}
    own = [*DIALOGS, *CRM, *TIME, ASKED]
    for kind in kinds:
        own += of_kind(kind, types)
    for one in own:
        found.setdefault(one.name, one)
    for fact in facts:
        if fact.type not in DEAF | NEVER:
            found.setdefault(fact.type, of_fact(fact))
    return found

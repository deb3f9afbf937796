"""Tasks: something to do by a date. One's own is done with one key; a check is an option."""

from __future__ import annotations

from hub.kinds import described
from hub.nouns.parts import CREATED, TAGS, TEAM, choices, prop
from hub.properties import PropertyType
from hub.records.requests import Task

_T = PropertyType
STATUSES = choices(
    ("open", "to do", "к выполнению"),
    ("review", "to check", "на проверке"),
    ("done", "done", "сделана"),
)
PRIORITIES = choices(
    ("normal", "normal", "обычный"),
    ("low", "low", "низкий"),
    ("high", "high", "высокий"),
)
REPEATS = choices(
    ("never", "does not repeat", "не повторяется"),
    ("daily", "every day", "каждый день"),
    ("workdays", "every working day", "каждый рабочий день"),
    ("weekly", "every week", "каждую неделю"),
    ("monthly", "every month", "каждый месяц"),
    ("yearly", "every year", "каждый год"),
)

TASKS = described(
    name="task",
    words=("task", "tasks", "задача", "задачи"),
    record=Task,
    read="tasks.view",
    write="tasks.edit",
    path="tasks",
    icon="check",
    over=("done",),
    shared_with=("author_id",),
    properties=(
        prop("title", "What to do", "Что сделать", required=True, personal=True, listed=True),
        prop(
            "status",
            "Status",
            "Состояние",
            _T.CHOICE,
            choices=STATUSES,
            editable=False,
            listed=True,
        ),
        prop("due_at", "Due", "Срок", _T.INSTANT, listed=True, sortable=True),
        prop("remind_at", "Remind", "Напомнить", _T.INSTANT),
        prop("priority", "Priority", "Приоритет", _T.CHOICE, choices=PRIORITIES, listed=True),
        prop("owner_id", "Executor", "Исполнитель", _T.REF, ref="user", listed=True),
        TEAM,
        prop("author_id", "Author", "Автор", _T.REF, ref="user", editable=False),
        prop("needs_review", "The author checks it", "Автор проверяет", _T.FLAG),
        prop("repeat", "Repeats", "Повторяется", _T.CHOICE, choices=REPEATS),
        prop("description", "Details", "Подробности", _T.TEXT, personal=True),
        prop("result", "Result", "Результат", _T.TEXT, personal=True),
        prop("object_kind", "Kind of the linked object", "Вид связанного объекта"),
        prop("object_id", "Linked object", "Связанный объект", _T.REF, ref="object"),
        prop("message_id", "Message", "Сообщение", _T.REF, ref="message"),
        prop("repeat_of", "Repeat of", "Повтор задачи", _T.REF, ref="task", editable=False),
        TAGS,
        prop("done_at", "Done", "Сделана", _T.INSTANT, editable=False),
        CREATED,
    ),
)

"""Ready rules: ask after the end, and look into a low mark."""

from __future__ import annotations

from hub import Recipe

TEXT = {
    "en": "How did we do? Give us a mark from 1 to 5.",
    "ru": "Как мы справились? Поставьте оценку от 1 до 5.",
}


def _asks(
    key: str,
    title: tuple[str, str],
    about: tuple[str, str],
    event: str,
    *conditions: dict[str, object],
    wait: str = "10m",
    was: tuple[str, ...] = (),
) -> Recipe:
    """A rule that asks for a mark some time after an event."""
    ask = {
        "action": "csat.ask",
        "params": {"text": TEXT, "days": 30},
        "wait": wait,
        "recheck": False,
        "cancel_on": ["client_answers"],
    }
    return Recipe(
        key=key,
        title=title[0],
        about=about[0],
        translations={"ru": (title[1], about[1])},
        group="service",
        was=was,
        rule={
            "name": {"en": title[0], "ru": title[1]},
            "when": [{"event": event}],
            "if": {"all": list(conditions)},
            "then": [ask],
            "guards": {"quiet": {"from": "21:00", "to": "09:00"}},
        },
    )


ANSWERED: dict[str, object] = {"field": "dialog.answered", "operator": "equals", "value": True}
SOLVED: dict[str, object] = {"field": "request.status", "operator": "in", "value": ["solved"]}

LOW: dict[str, object] = {"field": "csat.mark", "operator": "less", "value": 4}
CLOSED: dict[str, object] = {"field": "dialog.status", "operator": "equals", "value": "closed"}

RECIPES = [
    _asks(
        "ask_after_closing",
        ("Ask for a mark", "Попросить оценку"),
        (
            "10 minutes after the dialog was closed, once in 30 days.",
            "Через 10 минут после закрытия диалога, раз в 30 дней.",
        ),
        "dialog.closed",
        ANSWERED,
        was=("crm_actions.ask_for_mark",),
    ),
    _asks(
        "ask_after_solving",
        ("Ask for a mark of a solved request", "Попросить оценку решённой заявки"),
        (
            "10 minutes after the request was solved, once in 30 days.",
            "Через 10 минут после решения заявки, раз в 30 дней.",
        ),
        "request.status_changed",
        ANSWERED,
        SOLVED,
    ),
    _asks(
        "ask_after_winning",
        ("Won → a mark in a week", "Выиграно → оценка через неделю"),
        (
            "7 days after an interest was won, once in 30 days.",
            "Через 7 дней после выигрыша интереса, раз в 30 дней.",
        ),
        "interest.won",
        wait="7d",
    ),
    Recipe(
        key="low_mark",
        title="Low mark makes a task",
        about="A mark up to 3 is a task for the supervisor and a tag, and the supervisors are told.",
        was=("crm_actions.bad_mark",),
        translations={
            "ru": (
                "Задача по низкой оценке",
                "Оценка до 3 — задача руководителю и метка, руководители узнают.",
            )
        },
        group="service",
        rule={
            "name": {"en": "Low mark makes a task", "ru": "Задача по низкой оценке"},
            "when": [{"event": "csat.rated"}],
            "if": {"all": [LOW]},
            "then": [
                {"action": "crm_actions.tag", "params": {"tags": ["bad mark"]}},
                {
                    "action": "crm_actions.create_task",
                    "params": {
                        "title": {
                            "en": "Find out why the mark is low",
                            "ru": "Выяснить причину низкой оценки",
                        },
                        "hours": 8,
                        "head": True,
                    },
                },
                {
                    "action": "crm_actions.notify",
                    "params": {"responsible": False, "supervisors": True},
                },
            ],
            # A client may change his mark for a day: 2 for 1 is no second task.
            "guards": {"once_per": "dialog_day"},
        },
    ),
    Recipe(
        key="low_mark_reopens",
        title="Low mark opens the dialog again",
        about="A dialog that was closed is open again after a mark up to 3, with a note.",
        translations={
            "ru": (
                "Низкая оценка открывает диалог снова",
                "Закрытый диалог после оценки до 3 снова открыт, с заметкой.",
            )
        },
        group="service",
        rule={
            "name": {
                "en": "Low mark opens the dialog again",
                "ru": "Низкая оценка открывает диалог снова",
            },
            "when": [{"event": "csat.rated"}],
            "if": {"all": [LOW, CLOSED]},
            "then": [
                {"action": "crm_actions.reopen"},
                {
                    "action": "crm_actions.note",
                    "params": {
                        "text": {
                            "en": "Open again: the client gave a low mark",
                            "ru": "Открыт снова: клиент поставил низкую оценку",
                        }
                    },
                },
            ],
        },
    ),
]

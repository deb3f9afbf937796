"""Ready rules: ask after the end, and look into a low mark."""

from __future__ import annotations

from hub import Recipe

RECIPES = [
    Recipe(
        key="ask_after_closing",
        title="Ask for a mark by buttons",
        about="10 minutes after the dialog was closed, once in 30 days.",
        translations={
            "ru": (
                "Попросить оценку кнопками",
                "Через 10 минут после закрытия диалога, раз в 30 дней.",
            )
        },
        group="service",
        rule={
            "name": {"en": "Ask for a mark by buttons", "ru": "Попросить оценку кнопками"},
            "when": [{"event": "dialog.closed"}],
            "if": {"all": [{"field": "dialog.answered", "operator": "equals", "value": True}]},
            "then": [
                {
                    "action": "csat.ask",
                    "params": {
                        "text": {
                            "en": "How did we do? Give us a mark from 1 to 5.",
                            "ru": "Как мы справились? Поставьте оценку от 1 до 5.",
                        },
                        "days": 30,
                    },
                    "wait": "10m",
                    "recheck": False,
                    "cancel_on": ["client_answers"],
                }
            ],
            "guards": {"quiet": {"from": "21:00", "to": "09:00"}},
        },
    ),
    Recipe(
        key="low_mark",
        title="Low mark makes a task",
        about="A mark up to 3 is a task and a tag, and the supervisors are told.",
        translations={
            "ru": (
                "Задача по низкой оценке",
                "Оценка до 3 — задача и метка, руководители узнают.",
            )
        },
        group="service",
        rule={
            "name": {"en": "Low mark makes a task", "ru": "Задача по низкой оценке"},
            "when": [{"event": "csat.rated"}],
            "if": {"all": [{"field": "csat.mark", "operator": "less", "value": 4}]},
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
                    },
                },
                {
                    "action": "crm_actions.notify",
                    "params": {"responsible": False, "supervisors": True},
                },
            ],
        },
    ),
]

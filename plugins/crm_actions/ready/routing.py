"""Ready rules: who answers."""

from __future__ import annotations

from plugins.crm_actions.ready.making import act, all_, is_, note, recipe, when

ROUTING = [
    recipe(
        "even_distribution",
        "routing",
        ("Even distribution", "Равномерное распределение"),
        (
            "New dialogs go evenly to whoever is at work.",
            "Новые диалоги поровну тем, кто на смене.",
        ),
        when=when("dialog.opened"),
        if_=all_({"field": "dialog.assignee", "operator": "empty"}),
        then=[act("route", mode="evenly")],
    ),
    recipe(
        "own_manager",
        "routing",
        ("To the own manager first", "Сначала своему менеджеру"),
        (
            "The client's owner gets the dialog; after 5 minutes without an answer, the team.",
            "Диалог получает ответственный за клиента, через 5 минут без ответа — команда.",
        ),
        when=when("dialog.opened"),
        then=[
            act("route", mode="owner"),
            act("route", {"wait": "5m", "cancel_on": ["agent_answers"]}, mode="evenly", again=True),
        ],
    ),
    recipe(
        "nobody_took_it",
        "routing",
        ("Nobody took it", "Никто не взял"),
        (
            "After 5 minutes the next colleague gets it, and the supervisors are told.",
            "Через 5 минут диалог получает следующий, руководители узнают.",
        ),
        when=when("not_taken", after="5m", working=True),
        then=[
            act("route", mode="least_busy"),
            note("Nobody took this for 5 minutes", "Пять минут никто не брал"),
            act("notify", responsible=False, supervisors=True),
        ],
    ),
    recipe(
        "owner_absent",
        "routing",
        ("Assignee absent → substitute", "Ответственный отсутствует → замена"),
        (
            "A dialog that is given to somebody who is away goes on to whoever stands in or is free.",
            "Диалог, попавший к отсутствующему, переходит к заместителю или свободному сотруднику.",
        ),
        when=when("dialog.assigned"),
        if_=all_(is_("dialog.assignee_absent", True)),
        then=[act("to_substitute")],
    ),
]

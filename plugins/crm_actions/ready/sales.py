"""Ready rules: stages, offers, money."""

from __future__ import annotations

from plugins.crm_actions.ready.making import (
    QUIET,
    act,
    all_,
    anywhere,
    is_,
    one_of,
    recipe,
    speak,
    task,
    when,
)

SALES = [
    recipe(
        "stage_task",
        "sales",
        ("Stage → task", "Этап → задача"),
        (
            "An interest that comes to the chosen stage gives its owner a task with a checklist.",
            "Интерес, пришедший на выбранный этап, даёт ответственному задачу с чек-листом.",
        ),
        when=when("interest.stage_changed"),
        if_=all_(one_of("interest.stage", "1")),
        asks={"if.all.0.value": "stage"},
        then=[
            task(
                "Do what this stage asks for",
                "Выполнить действия этапа",
                24,
                {
                    "points": [
                        {"en": "Talk to the client", "ru": "Поговорить с клиентом"},
                        {"en": "Write down what was agreed", "ru": "Записать договорённости"},
                        {"en": "Plan the next step", "ru": "Запланировать следующий шаг"},
                    ]
                },
            )
        ],
    ),
    recipe(
        "stage_message",
        "sales",
        ("Offer sent → message and call", "Предложение отправлено → сообщение и звонок"),
        (
            (
                "At the chosen stage the client is told, if he consented; after 3 days without an "
                "answer, a task to call."
            ),
            (
                "На выбранном этапе клиент, давший согласие, получает сообщение; через 3 дня без "
                "ответа — задача позвонить."
            ),
        ),
        when=when("interest.stage_changed"),
        if_=all_(one_of("interest.stage", "1")),
        then=[
            speak(
                "We have sent you our offer.",
                "Мы отправили вам предложение.",
                **{"if": is_("dialog.advertising", True)},
            ),
            task(
                "Call about the offer",
                "Позвонить по предложению",
                8,
                wait="3d",
                cancel_on=["client_answers"],
            ),
        ],
        guards={"quiet": QUIET},
        asks={"if.all.0.value": "stage"},
    ),
    recipe(
        "paid",
        "sales",
        ("Paid → next stage", "Оплачено → следующий этап"),
        (
            (
                "Another system tells of a payment that covers the interest: it goes on to the "
                "chosen stage, and the client is thanked."
            ),
            (
                "Другая система сообщила об оплате на сумму интереса: он переходит на выбранный "
                "этап, клиента благодарят."
            ),
        ),
        when=when("outside.happened"),
        if_=all_(is_("outside.name", "payment"), is_("outside.covers", True)),
        then=[
            act("set_stage", stage="1"),
            speak("Thank you for your payment!", "Спасибо за оплату!"),
        ],
        asks={"then.0.params.stage": "stage"},
    ),
    recipe(
        "request_state",
        "sales",
        ("Request's state → tell the client", "Состояние заявки → сообщить клиенту"),
        (
            "A solved request is told to its client, by the first channel that is open.",
            "О решённой заявке узнаёт клиент, по первому открытому каналу.",
        ),
        when=when("request.status_changed"),
        if_=all_(one_of("request.status", "solved")),
        then=[
            anywhere(
                "Your request {{ request.number }} is solved.",
                "Ваша заявка {{ request.number }} решена.",
            )
        ],
    ),
    recipe(
        "stuck_card",
        "sales",
        ("Stuck card", "Застрявшая карточка"),
        (
            (
                "Every morning: interests above the norm of their stage; at twice the norm the "
                "supervisors are told too."
            ),
            (
                "Каждое утро: интересы, стоящие дольше нормы этапа; при двойной норме узнают и "
                "руководители."
            ),
        ),
        when=when(
            "schedule",
            cron="0 9 * * 1-5",
            each={
                "kind": "interest",
                "filter": all_(
                    is_("interest.status", "in_work"),
                    {"field": "interest.stage_since", "operator": "older_than", "value": "1d"},
                ),
                "most": 2000,
            },
        ),
        if_=all_({"field": "interest.norm_spent", "operator": "greater", "value": 100}),
        then=[
            act("notify"),
            act(
                "notify",
                {"if": {"field": "interest.norm_spent", "operator": "greater", "value": 200}},
                responsible=False,
                supervisors=True,
            ),
        ],
    ),
    recipe(
        "no_next_step",
        "sales",
        ("No next step", "Нет следующего шага"),
        (
            "A task was done and the interest has no next step: its owner plans one.",
            "Задача сделана, а у интереса нет шага: ответственный планирует его.",
        ),
        when=when("task.status_changed"),
        if_=all_(
            is_("task.status", "done"),
            is_("interest.exists", True),
            {"field": "interest.next_step", "operator": "empty"},
        ),
        then=[task("Plan the next step", "Запланировать следующий шаг", 8)],
    ),
    recipe(
        "lost_later",
        "sales",
        ("Lost → later", "Проиграно → позже"),
        (
            "Lost for a reason that passes: a task to ask again in 90 days.",
            "Проиграно по причине, которая пройдёт: через 90 дней задача спросить снова.",
        ),
        when=when("interest.lost"),
        if_=all_(one_of("interest.loss_reason", "1")),
        asks={"if.all.0.value": "loss_reason"},
        then=[
            act("tag_client", tags=["win back"]),
            task("Ask again", "Спросить снова", 24, wait="90d", recheck=False),
        ],
    ),
    recipe(
        "won_thanks",
        "sales",
        ("Won → thanks and follow-up", "Выиграно → спасибо и продолжение"),
        (
            "Thanks now, in 7 days we ask whether all is well, a repeat interest is made in 90.",
            "Спасибо сразу, через 7 дней вопрос, всё ли хорошо, повторный интерес через 90.",
        ),
        when=when("interest.won"),
        then=[
            speak("Thank you for choosing us!", "Спасибо, что выбрали нас!"),
            speak(
                "Is everything as you wished?",
                "Всё ли вас устраивает?",
                wait="7d",
                recheck=False,
            ),
            act(
                "create_interest",
                {"wait": "83d", "recheck": False},
                values={"title": {"en": "Repeat sale", "ru": "Повторная продажа"}},
            ),
        ],
        guards={"quiet": QUIET},
    ),
    recipe(
        "webhook_event",
        "sales",
        ("Tell another system", "Сообщить другой системе"),
        ("A won interest is posted to a webhook.", "Выигранный интерес уходит в веб-хук."),
        when=when("interest.won"),
        then=[act("call_webhook", webhook="1")],
        asks={"then.0.params.webhook": "webhook"},
    ),
]

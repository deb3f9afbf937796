"""Ready rules: answers in time, marks."""

from __future__ import annotations

from plugins.crm_actions.ready.making import (
    NOT_AUTOMATIC,
    act,
    all_,
    is_,
    note,
    one_of,
    recipe,
    speak,
    task,
    when,
)

SERVICE = [
    recipe(
        "out_of_hours",
        "service",
        ("Out of hours", "Вне рабочего времени"),
        (
            "Once a day: an answer with the hours, and a task for the morning.",
            "Раз в день: ответ о часах работы и задача на утро.",
        ),
        when=when("message.received"),
        if_=all_(NOT_AUTOMATIC, is_("time.working", False)),
        then=[
            speak(
                "We are away now and will answer in working hours.",
                "Сейчас нерабочее время, ответим в рабочие часы.",
            ),
            task("Answer what came at night", "Ответить на ночное обращение", 12),
        ],
        guards={"once_per": "dialog_day"},
    ),
    recipe(
        "slow_first_answer",
        "service",
        ("Slow first answer", "Долгий первый ответ"),
        (
            "After 3 minutes without an answer in a chat we apologise, once.",
            "Через 3 минуты без ответа в чате извиняемся, один раз.",
        ),
        when=when("no_answer.ours", after="3m"),
        if_=all_(is_("dialog.answered", False), {"none": [is_("dialog.channel", "email")]}),
        then=[speak("One moment, please: we are on it.", "Минутку, мы уже смотрим ваш вопрос.")],
    ),
    recipe(
        "deadline_near",
        "service",
        ("A deadline is near", "Срок близко"),
        ("Whoever is responsible is told.", "Ответственный получает уведомление."),
        when=when("request.deadline_near"),
        then=[act("notify")],
    ),
    recipe(
        "deadline_missed",
        "service",
        ("A deadline was missed", "Срок нарушен"),
        (
            "The priority rises; whoever is responsible and the supervisors are told.",
            "Приоритет повышается, ответственный и руководители получают уведомление.",
        ),
        when=when("request.deadline_missed"),
        then=[
            act("change_object", kind="request", values={"priority": "urgent"}),
            act("notify", supervisors=True),
        ],
    ),
    recipe(
        "client_silent",
        "service",
        ("Client silent", "Клиент молчит"),
        (
            "After 3 days we remind once; after 3 more the dialog is closed with a note.",
            "Через 3 дня напоминаем, ещё через 3 закрываем диалог с заметкой.",
        ),
        when=when("no_answer.client", after="3d"),
        if_=all_(one_of("dialog.status", "open", "waiting")),
        then=[
            speak(
                "Is your question still open?",
                "Ваш вопрос ещё актуален?",
                cancel_on=["client_answers"],
            ),
            note(
                "Closed: no answer for 6 days",
                "Закрыто: ответа нет 6 дней",
                wait="3d",
                cancel_on=["client_answers"],
            ),
            act("close"),
        ],
    ),
    recipe(
        "window_closing",
        "service",
        ("The reply window closes", "Окно ответа закрывается"),
        (
            "An hour before, whoever has the unanswered dialog is told.",
            "За час до закрытия ответственный за неотвеченный диалог узнаёт об этом.",
        ),
        when=when("window.closing", after="1h"),
        if_=all_({"field": "dialog.waiting_since", "operator": "not_empty"}),
        then=[
            note("The reply window closes within an hour", "Окно ответа закроется через час"),
            act("notify", {"if": {"field": "dialog.assignee", "operator": "not_empty"}}),
        ],
    ),
]

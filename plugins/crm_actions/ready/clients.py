"""Ready rules: cards, dates, mailings, the day."""

from __future__ import annotations

from plugins.crm_actions.ready.making import act, all_, is_, note, recipe, speak, task, when

CLIENTS = [
    recipe(
        "birthday",
        "clients",
        ("Birthday", "День рождения"),
        (
            "At 10:00 a greeting in the last dialog of whoever consented; a task for those tagged VIP.",
            "В 10:00 поздравление в последнем диалоге тем, кто согласен; задача, если есть метка VIP.",
        ),
        when=when("date", field="client.birthday", yearly=True, at="10:00"),
        if_=all_({"field": "client.status", "operator": "not_equals", "value": "lost"}),
        then=[
            speak("Happy birthday!", "С днём рождения!", **{"if": is_("dialog.advertising", True)}),
            task(
                "Congratulate the client",
                "Поздравить клиента",
                8,
                **{"if": {"field": "client.tags", "operator": "contains", "value": "VIP"}},
            ),
        ],
    ),
    recipe(
        "forgotten_clients",
        "clients",
        ("Forgotten clients", "Забытые клиенты"),
        (
            "Active clients nobody talked to for 60 days: a task for their owners, 50 a day.",
            "Действующие клиенты без общения 60 дней: задача ответственным, 50 в день.",
        ),
        when=when(
            "schedule",
            cron="0 9 * * 1-5",
            each={
                "kind": "contact",
                "filter": all_(
                    {"field": "contact.last_at", "operator": "older_than", "value": "60d"},
                    {
                        "none": [
                            {"field": "contact.last_at", "operator": "older_than", "value": "90d"}
                        ]
                    },
                ),
                "most": 50,
            },
        ),
        if_=all_(is_("client.status", "active")),
        then=[task("Call a client we forgot", "Позвонить забытому клиенту", 48)],
        guards={"once_per": "client", "again_after": "60d"},
    ),
    recipe(
        "poor_card",
        "clients",
        ("Poor card", "Неполная карточка"),
        (
            "A week after a change a card that is still poor is a task that lists what is missing.",
            "Через неделю после изменения неполная карточка — задача со списком недостающего.",
        ),
        when=[*when("client.created"), *when("client.changed")],
        if_=all_({"field": "client.completeness", "operator": "less", "value": 60}),
        then=[
            task(
                "Fill in the client's card",
                "Заполнить карточку клиента",
                48,
                {
                    "details": {
                        "en": "Missing: {{ client.lacks }}",
                        "ru": "Не хватает: {{ client.lacks }}",
                    }
                },
                wait="7d",
            )
        ],
        guards={"once_per": "client", "again_after": "30d"},
    ),
    recipe(
        "expiry",
        "clients",
        ("An expected close comes near", "Приближается ожидаемое закрытие"),
        ("30 days before the date: a task.", "За 30 дней до даты — задача."),
        when=when("date", field="interest.expected_close", offset="-30d", at="09:00"),
        then=[task("Prepare the closing", "Подготовить закрытие", 72)],
    ),
    recipe(
        "clicked_offer",
        "clients",
        ("Clicked the offer", "Кликнул предложение"),
        (
            "A click in a mailing is told to the client's owner.",
            "О клике в рассылке узнаёт ответственный.",
        ),
        when=when("mailing.clicked"),
        then=[act("notify"), act("create_interest", {"if": is_("interest.exists", False)})],
    ),
    recipe(
        "unsubscribed",
        "clients",
        ("Unsubscribed", "Отписался"),
        ("A note stands in the client's dialog.", "В диалоге клиента появляется заметка."),
        when=when("consent.withdrawn"),
        then=[note("Wants no advertising any more", "Больше не хочет рекламы")],
    ),
    recipe(
        "bounced_address",
        "clients",
        ("Bounced address", "Неверный адрес"),
        (
            "The dialog is tagged, a new address is asked for.",
            "Диалог помечается, нужен новый адрес.",
        ),
        when=when("address.bounced"),
        then=[
            act("tag", tags=["bad address"]),
            task("Find a new address", "Узнать новый адрес", 24),
        ],
    ),
    recipe(
        "new_duplicate",
        "clients",
        ("New duplicate", "Новый дубль"),
        ("Whoever is responsible looks whether to merge.", "Ответственный смотрит, объединять ли."),
        when=[{"event": "message.first"}, {"event": "contact.changed"}],
        if_=all_({"field": "contact.duplicates", "operator": "greater", "value": 0}),
        then=[
            note(
                "The same address belongs to somebody else: merge?",
                "Такой же адрес есть у другого человека: объединить?",
            ),
            act("notify", {"if": {"field": "client.owner", "operator": "not_empty"}}),
        ],
    ),
    recipe(
        "nightly_digest",
        "clients",
        ("Digest every morning", "Сводка каждое утро"),
        (
            (
                "At 8:30 every colleague gets a notice with the way to My day: what waits, what is "
                "overdue, the plan."
            ),
            (
                "В 8:30 каждый сотрудник получает уведомление со входом в «Мой день»: что ждёт, что "
                "просрочено, план."
            ),
        ),
        when=when(
            "schedule",
            cron="30 8 * * *",
            each={"kind": "user", "most": 1000},
        ),
        then=[act("notify", responsible=False, themselves=True)],
    ),
]

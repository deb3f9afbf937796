"""Ready rules: who writes becomes work."""

from __future__ import annotations

from plugins.crm_actions.ready.making import (
    NOT_AUTOMATIC,
    act,
    all_,
    anywhere,
    is_,
    note,
    recipe,
    speak,
    task,
    when,
    words,
)

INTAKE = [
    recipe(
        "new_sender",
        "intake",
        ("New sender → lead", "Новый отправитель → лид"),
        (
            "Who writes for the first time becomes a lead and is greeted.",
            "Кто написал впервые, становится лидом и получает приветствие.",
        ),
        when=when("message.first"),
        if_=all_(NOT_AUTOMATIC),
        then=[
            act("create_lead"),
            act("route"),
            speak(
                'Good day, {{ contact.name | "friend" }}! We have your message and will answer '
                "shortly.",
                "Здравствуйте, {{ contact.name }}! Мы получили ваше сообщение и скоро ответим.",
            ),
        ],
        guards={"once_per": "contact"},
    ),
    recipe(
        "ask_for_data",
        "intake",
        ("Ask for a name and a phone", "Спросить имя и телефон"),
        (
            "Once in a dialog, for what the card lacks; the answer goes onto the card, unverified.",
            "Раз в диалоге, то, чего нет в карточке; ответ попадает в карточку непроверенным.",
        ),
        when=when("message.opening"),
        if_=all_(NOT_AUTOMATIC),
        then=[
            {
                "action": "crm_actions.ask_for_data",
                "params": {
                    "text": {
                        "en": "So that we can answer you best:",
                        "ru": "Чтобы мы могли лучше вам ответить:",
                    },
                    "name": {"en": "What is your name?", "ru": "Как к вам обращаться?"},
                    "phone": {
                        "en": "At which number can we call you?",
                        "ru": "По какому номеру вам позвонить?",
                    },
                },
            }
        ],
    ),
    recipe(
        "known_client_interest",
        "intake",
        ("Known client asks for a price → interest", "Клиент спросил о цене → интерес"),
        (
            "A client without an open interest who asks for a price or an order gets one.",
            "Клиент без открытого интереса, спросивший о цене или заказе, получает интерес.",
        ),
        when=when("message.opening"),
        if_=all_(
            NOT_AUTOMATIC,
            is_("contact.known", True),
            is_("interest.exists", False),
            words("price", "order", "offer", "цена", "заказ", "стоимость", "КП"),
        ),
        then=[act("create_interest"), act("route", mode="owner")],
    ),
    recipe(
        "support_mailbox",
        "intake",
        ("Support mailbox → request with deadline", "Ящик поддержки → заявка со сроком"),
        (
            "A letter without an open request becomes one; its deadlines come from its policy.",
            "Письмо без открытой заявки становится заявкой, сроки берутся из её правил.",
        ),
        when=when("message.opening"),
        if_=all_(NOT_AUTOMATIC, is_("dialog.channel", "email"), is_("request.exists", False)),
        then=[
            act("create_request"),
            speak("We have registered your request.", "Мы зарегистрировали вашу заявку."),
        ],
    ),
    recipe(
        "append_request",
        "intake",
        ("Append to the open request", "Добавить к открытой заявке"),
        (
            "A new dialog of somebody with an open request is attached to it.",
            "Новый диалог того, у кого есть открытая заявка, привязывается к ней.",
        ),
        when=when("message.opening"),
        if_=all_(is_("request.exists", True)),
        then=[
            act("attach", kind="request"),
            act("notify", {"if": {"field": "request.owner", "operator": "not_empty"}}),
        ],
        stop=True,
    ),
    recipe(
        "reject_noise",
        "intake",
        ("Reject noise", "Отклонить шум"),
        (
            "Automatic mail, bounces and lists are tagged and closed; nobody is told.",
            "Автоответы, отказы и рассылки помечаются и закрываются без уведомлений.",
        ),
        when=when("message.opening"),
        if_=all_(is_("message.automated", True)),
        then=[act("tag", tags=["noise"]), act("close")],
        stop=True,
    ),
    recipe(
        "sort_by_meaning",
        "intake",
        ("Complaints first", "Жалобы в первую очередь"),
        (
            "Words of a complaint raise the priority and tell whoever is responsible.",
            "Слова жалобы поднимают приоритет и уведомляют ответственного.",
        ),
        when=when("message.received"),
        if_=all_(
            NOT_AUTOMATIC,
            words("complaint", "terrible", "refund", "жалоба", "претензия", "ужасно", "возврат"),
        ),
        then=[
            act("set_priority", priority=1),
            act("tag", tags=["complaint"]),
            act("notify", responsible=False, supervisors=True),
        ],
    ),
    recipe(
        "form_submission",
        "intake",
        ("Form → lead and confirmation", "Форма → лид и подтверждение"),
        (
            "A sent form becomes a lead, and its sender is told by the channel he left.",
            "Отправленная форма становится лидом, отправитель получает подтверждение.",
        ),
        when=when("message.opening"),
        if_=all_(is_("dialog.channel", "web_form")),
        then=[
            act("create_lead"),
            anywhere(
                "Thank you, we have your form and will answer within a day.",
                "Спасибо, мы получили вашу заявку и ответим в течение дня.",
                not_here=True,
            ),
        ],
    ),
    recipe(
        "ringing_call",
        "intake",
        ("Ringing call → the client's card", "Звонок → карточка клиента"),
        (
            "While it rings, whoever is responsible is told, and one press opens dialog and card.",
            "Пока звонит, ответственный видит уведомление и одним нажатием открывает диалог.",
        ),
        when=when("call.ringing"),
        then=[act("notify")],
    ),
    recipe(
        "missed_call",
        "intake",
        ("Missed call → call back", "Пропущенный звонок → перезвонить"),
        (
            "A missed call is a task for a quarter of an hour.",
            "Пропущенный звонок — задача на 15 минут.",
        ),
        when=when("call.missed"),
        then=[
            task("Call back", "Перезвонить", 0.25),
            act("create_lead", {"if": is_("contact.known", False)}),
        ],
    ),
    recipe(
        "repeat_enquiry",
        "intake",
        ("Repeat enquiry → new lead", "Повторное обращение → новый лид"),
        (
            "Who was rejected and writes again becomes a new lead, linked to the old one.",
            "Кто был отклонён и пишет снова, становится новым лидом, связанным со старым.",
        ),
        when=when("message.received"),
        if_=all_(
            NOT_AUTOMATIC,
            {"field": "contact.rejected_leads", "operator": "greater", "value": 0},
            is_("contact.open_leads", 0),
        ),
        then=[
            act("create_lead", tags=["repeat"]),
            note("Wrote before and was rejected then", "Уже обращался, тогда был отклонён"),
        ],
    ),
]

"""What happened in the demo company before you came: dialogs of several channels, as data.

Each line is (who, minutes after the line before, text). `in` is the customer, a first name is
the agent who answers, `note:` before it makes a note of it.
"""

from __future__ import annotations

from dataclasses import dataclass

CHAT, MESSENGER, MAIL = "web_chat", "demo_messenger", "demo_mail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One dialog. `outcome` is what became of the last answer: sent, failed or unknown.

    `file` comes with the customer's first message, `snooze_hours` counts from now.
    """

    channel: str
    name: str
    address: str
    language: str
    hours_ago: float
    lines: tuple[tuple[str, float, str], ...]
    subject: str = ""
    tags: tuple[str, ...] = ()
    assignee: str = ""
    status: str = ""
    outcome: str = "read"
    file: str = ""
    answer_file: str = ""
    snooze_hours: float = 0
    priority: int = 0


STORIES: tuple[Story, ...] = (
    Story(
        channel=MESSENGER,
        name="Наталья Белова",
        address="natalia.belova",
        language="ru",
        hours_ago=52,
        lines=(
            ("in", 0, "Здравствуйте! Заказ 4318 не пришёл, хотя обещали вчера."),
            ("anna", 9, "Наталья, добрый день! Проверяю в службе доставки, несколько минут."),
            ("note:anna", 2, "Посылка застряла на сортировке в Подольске, заявка 88-120."),
            (
                "anna",
                14,
                "Посылку задержали на сортировке, завтра до обеда привезут. Извините нас!",
            ),
            ("in", 6, "Хорошо, подожду. Спасибо, что быстро ответили"),
            ("in", 1490, "Привезли! Всё целое, плед замечательный 🙂"),
            ("anna", 20, "Ура! Пусть греет. Если что-то понадобится, пишите."),
        ),
        tags=("доставка",),
        assignee="anna",
        status="closed",
    ),
    Story(
        channel=MAIL,
        name="Robert Hughes",
        address="robert.hughes@customer.example",
        language="en",
        hours_ago=4.5,
        subject="Broken lamp, order 4402",
        lines=(
            (
                "in",
                0,
                (
                    "Hello,\n\nthe table lamp from order 4402 arrived with a cracked shade. "
                    "I attach a photo. I would like a replacement rather than a refund.\n\nRobert Hughes"
                ),
            ),
            (
                "james",
                35,
                (
                    "Dear Robert,\n\nthank you for the photo, and sorry about the shade. "
                    "A new lamp leaves our warehouse today; please keep the old one, there is no need "
                    "to send it back.\n\nJames"
                ),
            ),
            ("in", 180, "That is very kind, thank you. Will I get a tracking number?"),
        ),
        tags=("return", "order"),
        assignee="james",
        file="photo.png",
    ),
    Story(
        channel=CHAT,
        name="Sofia Meyer",
        address="demo-sofia",
        language="en",
        hours_ago=0.4,
        lines=(
            ("in", 0, "Hi, does the oak shelf come with screws for a concrete wall?"),
            (
                "james",
                3,
                (
                    "Hi Sofia! It comes with screws for wood. For concrete we have a set of "
                    "anchors, 4 euro."
                ),
            ),
            ("in", 2, "Good, add one to my cart please"),
        ),
        assignee="james",
    ),
    Story(
        # Nobody has looked at it: the one that is overdue.
        channel=MAIL,
        name="Виктор Орлов",
        address="v.orlov@stroy.example",
        language="ru",
        hours_ago=27,
        subject="Счёт на 40 светильников",
        lines=(
            (
                "in",
                0,
                (
                    "Добрый день.\n\nПросим выставить счёт на 40 светильников «Лён» для "
                    "гостиницы, с доставкой в Тверь. Реквизиты во вложении. Когда сможете отгрузить?\n\n"
                    "С уважением,\nВиктор Орлов, «Стройсервис»"
                ),
            ),
            ("in", 1080, "Коллеги, напоминаю о счёте: нам нужно согласовать его до пятницы."),
        ),
        tags=("опт",),
        file="rekvizity.txt",
        priority=1,
    ),
    Story(
        channel=MESSENGER,
        name="Дмитрий Ким",
        address="dkim",
        language="ru",
        hours_ago=3,
        lines=(
            ("in", 0, "Добрый день, а можно поменять размер коврика? Заказ 4455, ещё не отправлен"),
            ("anna", 7, "Дмитрий, здравствуйте! Да, пока не отправлен, можно. Какой размер нужен?"),
            ("in", 4, "160 на 230"),
            ("anna", 5, "Поменяла. Доплата 900 ₽, ссылка на оплату в письме."),
            ("in", 12, "Оплатил"),
        ),
        tags=("заказ",),
        assignee="anna",
    ),
    Story(
        channel=MESSENGER,
        name="Chloe Martin",
        address="blocked-chloe",
        language="en",
        hours_ago=8,
        lines=(
            ("in", 0, "Please cancel my order 4390"),
            ("james", 15, "Done, Chloe: the order is cancelled and the money is on its way back."),
        ),
        tags=("order",),
        assignee="james",
        outcome="failed",
    ),
    Story(
        channel=MESSENGER,
        name="Артём Носов",
        address="lost-artem",
        language="ru",
        hours_ago=5,
        lines=(
            ("in", 0, "Во сколько вы сегодня закрываетесь?"),
            ("anna", 4, "Сегодня до восьми вечера. Приходите!"),
        ),
        assignee="anna",
        outcome="unknown",
    ),
    Story(
        channel=MAIL,
        name="Hannah Schmidt",
        address="hannah@cafe-linde.example",
        language="en",
        hours_ago=75,
        subject="Tablecloths for a café",
        lines=(
            (
                "in",
                0,
                (
                    "Good morning,\n\nwe are opening a café in May and need twenty linen "
                    "tablecloths, 140 x 140, in one shade. Could you make an offer?\n\nHannah Schmidt"
                ),
            ),
            (
                "james",
                130,
                (
                    "Dear Hannah,\n\nhappy to. Twenty pieces in one dye lot take three weeks. "
                    "The offer is attached and stands until the end of the month.\n\nJames"
                ),
            ),
            ("note:james", 3, "Bigger customer: if she takes twenty, offer 12 % off."),
            ("in", 1500, "Thank you! I will talk to my partner and come back to you next week."),
            ("james", 60, "Of course, Hannah. I will write again on Monday."),
        ),
        tags=("wholesale",),
        assignee="james",
        status="waiting",
        answer_file="offer.txt",
        snooze_hours=40,
    ),
    Story(
        channel=CHAT,
        name="Посетитель",
        address="demo-guest",
        language="ru",
        hours_ago=0.1,
        lines=(("in", 0, "Здравствуйте, а самовывоз у вас есть?"),),
    ),
    Story(
        channel=MESSENGER,
        name="Елена Громова",
        address="egromova",
        language="ru",
        hours_ago=1.5,
        lines=(
            ("in", 0, "Подскажите, шторы «Туман» можно стирать в машинке?"),
            ("in", 1, "И ещё: подшиваете под нужную длину?"),
        ),
        tags=("вопрос",),
    ),
    Story(
        channel=MAIL,
        name="Karim Haddad",
        address="karim.haddad@customer.example",
        language="en",
        hours_ago=20,
        subject="Invoice for order 4377",
        lines=(
            ("in", 0, "Hi, I need an invoice with my company's name for order 4377. Thanks, Karim"),
            ("james", 25, "Hi Karim,\n\nhere it is, with the company's name and number.\n\nJames"),
            ("in", 15, "Perfect, thank you."),
        ),
        tags=("invoice",),
        assignee="james",
        status="closed",
        answer_file="invoice-4377.txt",
    ),
    Story(
        channel=MESSENGER,
        name="Юлия Сафина",
        address="ysafina",
        language="ru",
        hours_ago=26,
        lines=(
            ("in", 0, "Здравствуйте, чайник пришёл без крышки :("),
            ("anna", 18, "Юлия, извините! Крышку отправим завтра отдельной посылкой."),
            (
                "note:olga",
                40,
                "Третья жалоба на чайники за неделю: Анна, собери, пожалуйста, список.",
            ),
            ("in", 30, "Спасибо, буду ждать"),
            ("anna", 10, "Напишу сразу, как только отправим."),
        ),
        tags=("возврат", "чайники"),
        assignee="anna",
        status="waiting",
    ),
)

"""Eight replies to begin with, in both languages: examples of what a reply can hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from hub import Command, Hub
from plugins.quick_replies.commands import ShareQuickReply
from plugins.quick_replies.tables import replies

STARTERS = (
    (
        "hello",
        ("Приветствие", "Greeting"),
        'Здравствуйте, {{ contact.polite_name }}! Меня зовут {{ agent.first_name | default("менеджер") }}, чем могу помочь?',
        'Hello, {{ contact.first_name }}! My name is {{ agent.first_name | default("an assistant") }}, how can I help you?',
    ),
    (
        "wait",
        ("Уточняем", "Looking into it"),
        "{{ contact.polite_name }}, спасибо за вопрос! Уточняю и скоро вернусь с ответом.",
        "{{ contact.first_name }}, thank you for asking! I am looking into it and will be back soon.",
    ),
    (
        "hours",
        ("Часы работы", "Working hours"),
        'Мы работаем: {{ working_hours | default("пн–пт с 9 до 18") }}. Напишите в любое время: ответим, как только откроемся.',
        'We are open: {{ working_hours | default("Mon to Fri, 9 to 18") }}. Write at any time: we answer as soon as we open.',
    ),
    (
        "phone",
        ("Попросить телефон", "Ask for a telephone"),
        "Оставьте, пожалуйста, номер телефона: позвоню и всё расскажу.",
        "Please leave a telephone number: I will call and tell you everything.",
    ),
    (
        "price",
        ("Цена", "Price"),
        "{{ contact.polite_name }}, стоимость зависит от комплектации. Расскажите, что именно нужно, и я посчитаю.",
        "{{ contact.first_name }}, the price depends on what you need. Tell me more, and I will work it out.",
    ),
    (
        "delivery",
        ("Доставка", "Delivery"),
        "Доставляем по всей стране. Назовите город, и я скажу срок и стоимость доставки.",
        "We deliver everywhere. Name your town, and I will tell you when it arrives and what it costs.",
    ),
    (
        "sorry",
        ("Извинение", "Apology"),
        "{{ contact.polite_name }}, приносим извинения за неудобства! Уже разбираемся и напишем, когда всё исправим.",
        "{{ contact.first_name }}, we are sorry for the trouble! We are on it and will write when it is mended.",
    ),
    (
        "bye",
        ("Прощание", "Goodbye"),
        'Спасибо, что обратились в {{ company | default("нашу компанию") }}! Если появятся вопросы, пишите, {{ contact.polite_name }}.',
        'Thank you for writing to {{ company | default("us") }}! Should you have more questions, we are here, {{ contact.first_name }}.',
    ),
)


async def starter_commands(hub: Hub) -> Sequence[Command]:
    """Give what makes the starters, once: not when there was ever a reply."""
    if await hub.store.first(select(replies.c.id)) is not None:
        return []
    return _in((await hub.brand()).language, {})


async def renamed(hub: Hub) -> Sequence[Command]:
    """Give what renames the starters into the organisation's language, as long as all are as they came.

    A hub starts, and makes them, before it is told its language.
    """
    rows = await hub.store.all(
        select(replies.c.id, replies.c.shortcut, replies.c.title).where(
            replies.c.version == 1, ~replies.c.removed
        )
    )
    known = {shortcut: titles for shortcut, titles, _, _ in STARTERS}
    mine = {
        one["shortcut"]: int(one["id"])
        for one in rows
        if one["title"] in known.get(one["shortcut"], ())
    }
    if len(mine) < len(STARTERS):
        return []
    wanted = _in((await hub.brand()).language, mine)
    now = {one["title"] for one in rows}
    return [] if all(one.title in now for one in wanted) else wanted


def _in(language: str, ids: Mapping[str, int]) -> list[ShareQuickReply]:
    n = 0 if language.startswith("ru") else 1
    return [
        ShareQuickReply(
            reply_id=ids.get(shortcut, 0),
            title=titles[n],
            shortcut=shortcut,
            folder=("Для начала", "To begin with")[n],
            scope="all",
            slot=number if number <= 3 else 0,
            texts={"ru": {"text": russian}, "en": {"text": english}},
        )
        for number, (shortcut, titles, russian, english) in enumerate(STARTERS, 1)
    ]

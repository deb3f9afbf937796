"""What simulated people say, in Russian and English."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody who writes for the first time."""

    language: str
    name: str
    login: str
    subject: str
    text: str


PHRASES: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "details": (
            "Sure, it is order 4471, placed on Tuesday.",
            "The second one, please. The linen, not the cotton.",
            "To my home address, after six in the evening if possible.",
            "Yes, that would be perfect. Shall I pay by card?",
            "I am not quite sure. What would you recommend for a small room?",
        ),
        "thanks": (
            "Great, thank you for the quick answer!",
            "Oh, good to know. And how long does the delivery take?",
            "Thanks! One more thing: can I return it if it does not fit?",
            "Understood. I will wait for the parcel then.",
            "Perfect. Could you send me the invoice as well?",
        ),
        "closing": (
            "That is all I needed. Have a nice day!",
            "Wonderful, thanks for your help. Bye!",
            "Got it, everything is clear now. Thank you!",
        ),
    },
    "ru": {
        "details": (
            "Да, это заказ 4471, оформляла во вторник.",
            "Второй вариант, пожалуйста. Льняной, не хлопковый.",
            "На домашний адрес, если можно, после шести вечера.",
            "Да, так будет отлично. Оплатить картой можно?",
            "Честно говоря, не знаю. Что посоветуете для небольшой комнаты?",
        ),
        "thanks": (
            "Отлично, спасибо за быстрый ответ!",
            "О, хорошо. А сколько по времени идёт доставка?",
            "Спасибо! И ещё вопрос: можно будет вернуть, если не подойдёт?",
            "Поняла вас, тогда жду посылку.",
            "Замечательно. А счёт тоже пришлёте?",
        ),
        "closing": (
            "Это всё, что хотела узнать. Хорошего дня!",
            "Чудесно, спасибо за помощь. До свидания!",
            "Всё ясно, вопросов больше нет. Спасибо!",
        ),
    },
}

NEWCOMERS: tuple[Newcomer, ...] = (
    Newcomer("en", "Emily Carter", "emily", "Wool blanket", "Hi! Is the grey wool blanket back in stock?"),
    Newcomer("en", "Tom Becker", "tom", "Wrong colour", "Hello, I ordered green curtains and got blue ones. What now?"),
    Newcomer("en", "Aisha Khan", "aisha", "Gift wrapping", "Do you wrap presents? I need one by Friday."),
    Newcomer("en", "Luca Rossi", "luca", "Delivery to Italy", "Good morning, do you deliver to Bologna and what does it cost?"),
    Newcomer("en", "Grace Liu", "grace", "Price of ten", "We furnish a small hotel. Is there a discount for ten lamps?"),
    Newcomer("ru", "Марина Соколова", "marina", "Плед", "Здравствуйте! Серый шерстяной плед ещё будет в продаже?"),
    Newcomer("ru", "Игорь Лебедев", "igor", "Не тот цвет", "Добрый день. Заказывал зелёные шторы, пришли синие. Что делать?"),
    Newcomer("ru", "Алина Фёдорова", "alina", "Подарок", "А вы упаковываете в подарок? Нужно к пятнице."),
    Newcomer("ru", "Пётр Зайцев", "petr", "Доставка в Казань", "Подскажите, сколько стоит доставка в Казань?"),
    Newcomer("ru", "Ольга Крылова", "olga", "Скидка", "Оформляем кафе, нужно двенадцать ламп. Будет ли скидка?"),
)  # fmt: skip

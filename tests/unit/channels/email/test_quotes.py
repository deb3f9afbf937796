"""What a person wrote himself, out of every common client's letter, Russian and English."""

from __future__ import annotations

import time

import pytest

from channels.email.quotes import strip

OWN = "Спасибо, жду."
SAMPLES = {
    "gmail en": "Thanks!\n\nOn Mon, 23 Nov 2026 at 10:00, Support <us@hub.example> wrote:\n> Hello\n> there\n",
    "gmail wrapped": "Thanks!\n\nOn Mon, Nov 23, 2026 at 10:00 AM Support Department of Things <\nus@hub.example> wrote:\n\n> Hello\n",
    "gmail ru": "Спасибо, жду.\n\nпн, 23 нояб. 2026 г. в 10:00, Поддержка <us@hub.example>:\n\n> Добрый день\n> Вот ответ\n",
    "yandex": 'Спасибо, жду.\n\n23.11.2026, 10:00, "Поддержка" <us@hub.example>:\n> Добрый день\n',
    "mail.ru": "Спасибо, жду.\n\n>Понедельник, 23 ноября 2026, 10:00 +03:00 от Поддержка <us@hub.example>:\n> \n>Добрый день\n",
    "outlook en": "Thanks!\n\n-----Original Message-----\nFrom: Support\nSent: Monday\nTo: Anna\nSubject: Order\n\nHello\n",
    "outlook block": "Thanks!\n\nFrom: Support <us@hub.example>\nSent: Monday, November 23, 2026 10:00\nTo: Anna <a@b.c>\nSubject: RE: Order\n\nHello there\n",
    "outlook ru": "Спасибо, жду.\n\nОт: Поддержка <us@hub.example>\nОтправлено: 23 ноября 2026 г. 10:00\nКому: Анна <a@b.c>\nТема: Re: Заказ\n\nДобрый день\n",
    "thunderbird ru": "Спасибо, жду.\n\n23.11.2026 10:00, Поддержка пишет:\n> Добрый день\n",
    "iphone ru": "Спасибо, жду.\n\nОтправлено с iPhone\n\n> 23 нояб. 2026 г., в 10:00, Поддержка <us@hub.example> написал(а):\n> \n> Добрый день\n",
    "apple en": "Thanks!\n\nSent from my iPhone\n\n> On 23 Nov 2026, at 10:00, Support <us@hub.example> wrote:\n> \n> Hello\n",
    "signature": "Thanks!\n\n-- \nAnna\nAccounting\n",
    "original ru": "Спасибо, жду.\n\n-------- Исходное сообщение --------\nОт: Поддержка\nДата: 23.11.26\n\nДобрый день\n",
}


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_only_the_own_words_are_left(name: str) -> None:
    own = OWN if OWN in SAMPLES[name] else "Thanks!"
    assert strip(SAMPLES[name]) == own


def test_answers_between_quotes_are_kept() -> None:
    text = "On Mon, 23 Nov 2026, Support <us@hub.example> wrote:\n> Which size?\n\nLarge.\n\n> Which colour?\n\nBlue.\n"
    assert strip(text) == "Large.\n\nBlue."


def test_a_letter_is_never_stripped_to_nothing() -> None:
    text = "> only a quote\n> and nothing else"
    assert strip(text) == text
    assert strip("-- \nAnna") == "-- \nAnna"


def test_long_lines_and_long_letters_are_kept_whole() -> None:
    paragraph = "word " * 1000 + "end"
    assert strip(f"{paragraph}\n\n> quoted") == paragraph
    letter = "\n".join(f"line {n}" for n in range(9000))
    assert strip(letter) == letter


def test_words_that_look_a_little_like_a_quote_stay() -> None:
    text = "From: the heart, thank you.\nIt costs > 100.\nSee: the page"
    assert strip(text) == text


@pytest.mark.parametrize(
    "hostile",
    ["a" * 200_000, "on " * 60_000, "> " * 100_000, ("<a@b> " * 50 + "\n") * 3000, "12.12.2026 " * 20_000,
     "From: x\nSent: y\n" * 20_000, "пишет " * 40_000, ("On 1 jan " + "x" * 900 + "\n") * 3000],
)  # fmt: skip
def test_hostile_letters_cost_little(hostile: str) -> None:
    started = time.process_time()
    strip(hostile)
    assert time.process_time() - started < 5

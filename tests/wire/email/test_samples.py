"""Every letter in `samples`, named by what it is, is read as a person would read it.

A letter that ever breaks something becomes a file here and a line below. They are written in
the forms that the programs write; people, addresses and words are made up.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from channels.email import mime
from hub import DeliveryReceipt, DeliveryStatus, InboundMessage, RejectReason

SAMPLES = Path(__file__).parent / "samples"
OWN = frozenset({"us@hub.example"})
RU, EN = "Спасибо, буду ждать.", "Thanks, that works for me."
WORDS = {
    "apple-mail-en": EN,
    "attachment-name-encoded-word-in-quotes": "Счёт во вложении.",
    "attachment-name-rfc2231-in-pieces": "Счёт во вложении.",
    "gmail-en-long-name-wrapped": EN,
    "gmail-en-reply": EN,
    "gmail-mobile-ru-inline-answers": "Сорок второй.\n\nСиний.",
    "gmail-ru-reply": RU,
    "iphone-ru": RU,
    "japanese-iso-2022-jp": "注文はどこですか。",
    "mailing-list-post": "A post.",
    "mailru-ru-reply": RU,
    "out-of-office-exchange-ru": "Я в отпуске до 1 декабря.",
    "out-of-office-old-vacation": "I am away.",
    "outlook-en-reply": f"{EN}\n\n \n\nAnna Petrova\n\nAccounting",
    "outlook-express-ru-original-message": RU,
    "outlook-inline-no-cid": "Look at the picture",
    "outlook-mobile-en": EN,
    "outlook-ru-reply-cp1251": RU,
    "raw-cp1251-headers-without-labels": "Где мой заказ? Жду ответа.",
    "the-bat-ru-koi8": RU,
    "thunderbird-en-inline-answers": "Forty-two.\n\nBlue.",
    "thunderbird-ru": RU,
    "yandex-mobile-ru": RU,
    "yandex-ru-html-only": RU,
}
REPORTS = {
    "report-exchange-mailbox-full": RejectReason.PROVIDER_ERROR,
    # The last word after five days of trying: failed, though its code is of a passing trouble.
    "report-postfix-gave-up": RejectReason.EXPIRED,
    "report-postfix-unknown-user": RejectReason.INVALID_ADDRESS,
    "report-qmail-without-parts": RejectReason.PROVIDER_ERROR,
    "report-spam-refused": RejectReason.SPAM,
}
AUTOMATIC = {
    "mailing-list-post",
    "out-of-office-exchange-ru",
    "out-of-office-old-vacation",
}


def read(name: str) -> object:
    return mime.read((SAMPLES / f"{name}.eml").read_bytes(), OWN)


def test_every_sample_is_looked_at() -> None:
    names = {one.stem for one in SAMPLES.glob("*.eml")}
    assert names == set(WORDS) | set(REPORTS) | {"report-delay-warning"}


@pytest.mark.parametrize("name", sorted(WORDS))
def test_the_persons_own_words_are_found(name: str) -> None:
    found = read(name)
    assert isinstance(found, InboundMessage)
    assert found.text == WORDS[name]
    assert found.full_text.strip()
    assert "us@hub.example" not in found.text
    assert found.automated is (name in AUTOMATIC)
    assert found.sender.value in ("anna@away.example", "hanako@away.example")
    assert found.sender.name in ("Anna Petrova", "Анна Петрова", "Анна", "Hanako")
    if found.in_reply_to:
        assert found.in_reply_to == "<hub.0a1b2c@hub.example>"
        assert found.references[-1] == found.in_reply_to


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_a_report_says_which_letter_failed_and_why(name: str) -> None:
    found = read(name)
    assert isinstance(found, DeliveryReceipt)
    assert found.external_id == "<hub.0a1b2c@hub.example>"
    assert found.recipient == "anna@away.example"
    assert (found.status, found.reason) == (DeliveryStatus.FAILED, REPORTS[name])


def test_a_warning_of_delay_fails_nothing() -> None:
    found = read("report-delay-warning")
    assert isinstance(found, DeliveryReceipt)
    assert found.external_id == "<hub.0a1b2c@hub.example>"
    assert (found.status, found.reason) == (DeliveryStatus.SENT, RejectReason.DELAYED)
    assert found.text == "smtp; connect to away.example: Connection timed out"


def test_names_and_pictures_of_the_samples_are_whole() -> None:
    for name in ("attachment-name-rfc2231-in-pieces", "attachment-name-encoded-word-in-quotes"):
        found = read(name)
        assert isinstance(found, InboundMessage)
        [file] = found.attachments
        assert (file.name, file.content) == ("Счёт № 12.pdf", b"%PDF-1.4")
    picture = read("outlook-inline-no-cid")
    assert isinstance(picture, InboundMessage)
    assert picture.attachments[0].name == "image001.png"
    subject = read("raw-cp1251-headers-without-labels")
    assert isinstance(subject, InboundMessage)
    assert subject.subject == "Вопрос о заказе"

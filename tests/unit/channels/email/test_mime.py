"""Letters as they really come: wrong labels, broken parts, tricks."""

from __future__ import annotations

import contextlib
import email
import email.policy
import random
import time
from collections.abc import Iterable

import pytest

from channels.email import mime
from channels.email.build import build, message_id
from channels.email.charsets import decode, header
from hub import (
    AccountId,
    Address,
    Attachment,
    DeliveryId,
    DeliveryReceipt,
    DeliveryStatus,
    DialogId,
    InboundMessage,
    MalformedPayload,
    MessageId,
    OutboundMessage,
    RejectReason,
)

HELLO = "Здравствуйте, подскажите пожалуйста, где мой заказ?"
OWN = frozenset({"us@hub.example"})


def make(body: bytes, *lines: str, sender: str = "Anna <anna@away.example>") -> bytes:
    head = [f"From: {sender}", "To: us@hub.example", "Message-ID: <m@away.example>", *lines]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def read(raw: bytes) -> InboundMessage:
    found = mime.read(raw, OWN)
    assert isinstance(found, InboundMessage)
    return found


@pytest.mark.parametrize(
    ("real", "label"),
    [
        ("utf-8", "utf-8"), ("cp1251", "windows-1251"), ("koi8-r", "koi8-r"), ("cp866", "cp866"),
        ("cp1251", "utf-8"), ("koi8-r", "us-ascii"), ("cp1251", "iso-8859-1"), ("cp1251", ""),
        ("utf-8", "x-unknown"), ("koi8-r", "nonsense-9"), ("utf-8", "cp1251-typo"),
    ],
)  # fmt: skip
def test_russian_is_read_whatever_the_label_says(real: str, label: str) -> None:
    kind = f"text/plain; charset={label}" if label else "text/plain"
    assert read(make(HELLO.encode(real), f"Content-Type: {kind}")).text == HELLO


def test_no_letter_is_read_by_an_escape_of_python() -> None:
    raw = make("Путь C:\\ d".encode(), "Content-Type: text/plain; charset=unicode_escape")
    assert read(raw).text == "Путь C:\\ d"


def test_japanese_keeps_its_own_charset() -> None:
    text = "注文はどこですか"
    raw = make(text.encode("iso-2022-jp"), "Content-Type: text/plain; charset=iso-2022-jp")
    assert read(raw).text == text


def test_headers_are_decoded_also_when_a_character_is_cut_between_words() -> None:
    import base64

    content = "Вопрос".encode()
    one, two = base64.b64encode(content[:5]).decode(), base64.b64encode(content[5:]).decode()
    assert header(f"=?utf-8?B?{one}?= =?utf-8?B?{two}?=") == "Вопрос"
    raw = b"From: a@b.example\r\nSubject: " + "Заказ".encode("cp1251") + b"\r\n\r\nx"
    assert read(raw).subject == "Заказ"


def test_names_with_commas_and_domains_of_other_alphabets() -> None:
    raw = "From: =?utf-8?B?0JjQstCw0L0sINCf0YPQv9C60LjQvQ==?= <Ivan@почта.рф>\r\n\r\nx".encode()
    sender = read(raw).sender
    assert sender.name == "Иван, Пупкин"
    assert sender.value == "ivan@xn--80a1acny.xn--p1ai"


def test_attachments_lose_their_paths_and_tricks() -> None:
    part = (
        "--b\r\nContent-Type: application/pdf; name*=utf-8''%D1%81%D1%87%D1%91%D1%82.pdf\r\n"
        "Content-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n"
        '--b\r\nContent-Type: application/x; name="../../etc/passwd"\r\n\r\nx\r\n'
        '--b\r\nContent-Type: application/x; name="C:\\\\win\\\\a.exe"\r\n\r\nx\r\n--b--\r\n'
    )
    files = read(make(part.encode(), 'Content-Type: multipart/mixed; boundary="b"')).attachments
    assert [one.name for one in files] == ["счёт.pdf", "passwd", "a.exe"]
    assert files[0].content == b"%PDF"


def test_html_alone_becomes_text_without_scripts() -> None:
    html = "<style>x{}</style><p>Hello <b>there</b></p><script>alert(1)</script><div>Bye</div>"
    found = read(make(html.encode(), "Content-Type: text/html; charset=utf-8"))
    assert "Hello there" in found.text
    assert "alert" not in found.text
    assert found.html == html


def test_uuencoded_files_are_taken_out_of_the_text() -> None:
    import binascii

    body = (
        b"See:\r\nbegin 644 a.txt\r\n"
        + binascii.b2a_uu(b"hello").replace(b"\n", b"\r\n")
        + b"end\r\n"
    )
    found = read(make(body))
    assert found.attachments[0].content == b"hello"
    assert "begin" not in found.text


def test_the_same_letter_over_another_way_is_the_same() -> None:
    plain = make(b"words", "Subject: x")
    travelled = b"Received: from here\r\n by there\r\nX-Spam-Status: No\r\n" + plain
    other = make(b"other words", "Subject: x")
    assert read(plain).dedupe_key == read(travelled).dedupe_key
    assert read(plain).dedupe_key != read(other).dedupe_key
    assert read(plain).external_id == read(other).external_id


@pytest.mark.parametrize(
    "line",
    ["Auto-Submitted: auto-replied", "Precedence: bulk", "List-Id: <x>", "X-Autoreply: yes",
     "Return-Path: <>"],
)  # fmt: skip
def test_automatic_letters_are_known(line: str) -> None:
    assert read(make(b"I am away", line)).automated
    assert not read(make(b"hello", "Auto-Submitted: no")).automated


def test_our_token_is_found_in_the_plus_address_as_it_was_written() -> None:
    token = "1.20000.AbCdEfGhIjKlMnOpQrStUv"
    raw = b"From: a@b.example\r\nTo: us+" + token.encode() + b"@hub.example\r\n\r\nx"
    found = read(raw)
    assert found.dialog_token == token
    assert found.to == ()


def report(action: str = "failed", status: str = "5.1.1") -> bytes:
    return (
        "From: MAILER-DAEMON@x.example\r\nTo: us@hub.example\r\nSubject: Undelivered\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\n\r\nsorry\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; bad@y.example\r\n"
        f"Action: {action}\r\nStatus: {status}\r\nDiagnostic-Code: smtp; 550 no such user\r\n\r\n"
        "--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <hub.1@hub.example>\r\n\r\n--b--\r\n"
    ).encode()


def test_a_delivery_report_becomes_a_receipt() -> None:
    found = mime.read(report(), OWN)
    assert isinstance(found, DeliveryReceipt)
    assert found.external_id == "<hub.1@hub.example>"
    assert (found.status, found.reason) == (DeliveryStatus.FAILED, RejectReason.INVALID_ADDRESS)
    assert found.recipient == "bad@y.example"


def test_a_delay_is_no_failure() -> None:
    found = mime.read(report("delayed", "4.4.1"), OWN)
    assert isinstance(found, DeliveryReceipt)
    assert (found.status, found.reason) == (DeliveryStatus.SENT, RejectReason.DELAYED)


def answer(**more: object) -> OutboundMessage:
    values: dict[str, object] = {
        "id": DeliveryId(1), "message_id": MessageId(1), "dialog_id": DialogId(1),
        "account_id": AccountId(1), "to": Address(kind="email", value="anna@away.example"),
        "text": "Hello", "idempotency_key": "9",
    }  # fmt: skip
    return OutboundMessage(**{**values, **more})  # type: ignore[arg-type]


def written(message: OutboundMessage) -> email.message.EmailMessage:
    raw = build(message, sender="us@hub.example", sender_name="Поддержка", plus_token=True, at=1e9)
    return email.message_from_bytes(raw, policy=email.policy.default)  # type: ignore[return-value]


def test_what_is_built_reads_back_equal() -> None:
    long = "слово " * 400 + "\n.\nFrom here\n" + "x" * 3000
    file = Attachment(name="счёт №1.pdf", media_type="application/pdf", content=bytes(range(256)))
    found = written(
        answer(text=long, html="<b>Привет</b>", subject="Заказ " * 30, attachments=(file,))
    )
    assert found["Subject"] == ("Заказ " * 30).strip()
    body = found.get_body(("plain",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n").rstrip("\n") == long.rstrip("\n")
    rich = found.get_body(("html",))
    assert rich is not None
    assert "<b>Привет</b>" in rich.get_content()
    parts = list(found.iter_attachments())
    assert parts[0].get_content() == bytes(range(256))
    assert not found.defects
    assert found["Message-ID"] == message_id(answer(), "us@hub.example")


@pytest.mark.parametrize("field", ["subject", "name", "in_reply_to", "dialog_token"])
def test_nobody_adds_a_header(field: str) -> None:
    evil = "x\r\nBcc: victim@away.example\r\n\r\nbody"
    more: dict[str, object] = {field: evil}
    if field == "name":
        more = {"to": Address(kind="email", value="a@b.example", name=evil)}
    found = written(answer(**more))
    assert found["Bcc"] is None
    assert "victim" not in str(found["To"]) or field == "name"
    body = found.get_body(("plain",))
    assert body is not None
    assert body.get_content().strip() == "Hello"


def test_an_answer_keeps_one_re_in_any_language() -> None:
    assert written(answer(subject="Отв: Заказ", in_reply_to="<a@b>"))["Subject"] == "Отв: Заказ"
    assert written(answer(subject="Order", in_reply_to="<a@b>"))["Subject"] == "Re: Order"
    assert written(answer(subject="Order"))["Subject"] == "Order"


def samples() -> Iterable[bytes]:
    yield make(HELLO.encode("koi8-r"), "Content-Type: text/plain; charset=koi8-r")
    yield report()
    yield make(b"<p>x</p>", 'Content-Type: text/html; charset="utf-8"')
    nested = b"x"
    for n in range(60):
        nested = (
            f'Content-Type: multipart/mixed; boundary="b{n}"\r\n\r\n--b{n}\r\n'.encode()
            + nested + f"\r\n--b{n}--\r\n".encode()
        )  # fmt: skip
    yield b"From: a@b.example\r\n" + nested
    yield build(
        answer(html="<i>x</i>", attachments=(Attachment(name="a", content=b"x"),)),
        sender="us@hub.example", sender_name="S", plus_token=True, at=1e9,
    )  # fmt: skip


def test_mutated_letters_are_read_or_refused_but_never_crash() -> None:
    chance = random.Random(20261123)
    for raw in samples():
        for _ in range(250):
            broken = bytearray(raw)
            for _ in range(chance.randint(1, 12)):
                place = chance.randrange(len(broken))
                broken[place : place + chance.randint(0, 4)] = bytes(
                    chance.randrange(256) for _ in range(chance.randint(0, 4))
                )
            try:
                mime.read(bytes(broken), OWN)
            except MalformedPayload:
                continue


@pytest.mark.parametrize(
    "raw",
    [
        b"From: a@b.example\r\nSubject: " + b"=?utf-8?B?" * 50_000 + b"\r\n\r\nx",
        b"From: " + b"a@b.example, " * 100_000 + b"\r\n\r\nx",
        b"From: a@b.example\r\nReferences: " + b"<x@y> " * 100_000 + b"\r\n\r\nx",
        make(b"<a href=http://t.example>x</a>" * 5000, "Content-Type: text/html"),
        make(b"<div>" * 200_000, "Content-Type: text/html"),
        make(b"begin 644 a\r\n" * 50_000),
        b"From: a@b.example\r\n" + b"X-Y: z\r\n" * 100_000 + b"\r\nx",
    ],
)
def test_letters_built_to_hurt_cost_seconds_at_most(raw: bytes) -> None:
    started = time.process_time()
    with contextlib.suppress(MalformedPayload):
        mime.read(raw, OWN)
    assert time.process_time() - started < 10


def test_bytes_are_always_text_in_the_end() -> None:
    assert decode(b"\xff\xfe\x00", "nonsense")
    assert decode(b"", "") == ""

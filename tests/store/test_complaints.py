"""Complaints (RFC 5965) and refusals at the operator: the address takes no advertising any more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from channels.email import mime
from crm_store import many
from crm_store.consents import standing
from hub import DeliveryReceipt, ManyContent, PermanentFailure, RecordReceipt, RejectReason
from tests.houses import House, house, until
from tests.store.test_many import given, people, planned

SAMPLES = Path(__file__).parents[1] / "wire" / "email" / "samples"
REPORT = """From: <feedback@mail.example>
To: <shop@example.org>
Subject: FW: News
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: text/plain

This is an email abuse report.
--b
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: Feedback/1.0
Version: 1
Original-Rcpt-To: anna@example.com

--b
Content-Type: message/rfc822

From: shop@example.org
Message-ID: {name}
Subject: News

Hello
--b--
"""


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url, workers=True) as one:
        yield one


def told(kind: str, name: str) -> object:
    raw = REPORT.format(kind=kind, name=name).replace("\n", "\r\n").encode()
    return mime.read(raw, frozenset({"shop@example.org"}))


async def finished(home: House, send: tuple[int, int]) -> bool:
    return many.is_finished(await home.user.read(many.counts, [send[0]]))


async def test_who_calls_it_spam_gets_nothing_more(home: House) -> None:
    [anna] = await people(home, "Anna", kind="email")
    words = ManyContent(subject="News", text="Hello")
    send = await planned(home, words)
    await given(home, send, [anna], home.letter)
    await until(lambda: finished(home, send))
    name = f"<out-{home.world.sent[0].idempotency_key}@example.org>"
    receipt = told("abuse", name)
    assert isinstance(receipt, DeliveryReceipt)
    assert (receipt.reason, receipt.external_id) == (RejectReason.COMPLAINED, name)
    assert not isinstance(told("not-spam", name), DeliveryReceipt)
    # The scripted channel knows its letters without the brackets of a Message-ID.
    known = DeliveryReceipt(
        dedupe_key=receipt.dedupe_key, external_id=f"out-{home.world.sent[0].idempotency_key}",
        status=receipt.status, reason=receipt.reason,
    )  # fmt: skip
    waiting = await planned(home, words, number=2)
    later = home.system.now() + 10**12
    await given(home, waiting, [anna], home.letter, due_at=later)
    await home.system.do(RecordReceipt(account_id=home.letter, receipt=known))
    assert [one.reason for one in (await home.user.read(standing, anna)).suppressions] == [
        "complained"
    ]
    assert await home.user.read(many.counts, [send[0]]) == {("delivered", ""): 1}
    # What waited for her is ended in the same transaction.
    assert await home.user.read(many.counts, [waiting[0]]) == {("suppressed", "unsubscribed"): 1}


async def test_who_refused_at_the_operator_gets_no_more_of_this_channel(home: House) -> None:
    [anna] = await people(home, "Anna")
    home.world.outcomes = [PermanentFailure(RejectReason.OPERATOR_REFUSED, "refused by subscriber")]
    send = await planned(home)
    await given(home, send, [anna])
    await until(lambda: finished(home, send))
    second = await planned(home, number=2)
    await given(home, second, [anna])
    assert await home.user.read(many.counts, [second[0]]) == {("suppressed", "operator_refused"): 1}


async def test_a_letter_of_a_mailing_that_is_delayed_was_sent_and_hurts_no_address(
    home: House,
) -> None:
    [anna] = await people(home, "Anna", kind="email")
    send = await planned(home, ManyContent(subject="News", text="Hello"))
    await given(home, send, [anna], home.letter)
    await until(lambda: finished(home, send))
    receipt = mime.read((SAMPLES / "report-delay-warning.eml").read_bytes(), frozenset())
    assert isinstance(receipt, DeliveryReceipt)
    known = f"out-{home.world.sent[0].idempotency_key}"
    await home.system.do(
        RecordReceipt(account_id=home.letter, receipt=replace(receipt, external_id=known))
    )
    assert await home.user.read(many.counts, [send[0]]) == {("sent", "delayed"): 1}
    assert (await home.user.read(standing, anna)).suppressions == ()
    gave_up = mime.read((SAMPLES / "report-postfix-gave-up.eml").read_bytes(), frozenset())
    assert isinstance(gave_up, DeliveryReceipt)
    await home.system.do(
        RecordReceipt(account_id=home.letter, receipt=replace(gave_up, external_id=known))
    )
    assert await home.user.read(many.counts, [send[0]]) == {("failed", "expired"): 1}
    assert [one.reason for one in (await home.user.read(standing, anna)).suppressions] == [
        "bounced_soft"
    ]

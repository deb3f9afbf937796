"""An answer to a mailing: an ordinary dialog with the mailing above it, and an end of the chain."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from crm_store import many
from crm_store.tables.dialogs import dialogs
from crm_store.tables.many import many_touches
from hub import Button, ButtonPressed, ManyContent, ManyRecipient, PlanMany, SendMany
from hub.many_rendering import link_target
from tests.houses import House, house, letter, message, until
from tests.store.test_many import address_of, given, people, planned


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url, workers=True) as one:
        yield one


async def test_a_message_after_a_mailing_stands_below_it(home: House) -> None:
    [anna] = await people(home, "Anna")
    [before] = await home.receive(message("k0", "anna", text="an older word"))
    words = "Здравствуйте, {{ contact.first_name }}! https://x.example/{{ contact.first_name }}."
    send = await planned(home, ManyContent(text=words))
    await given(home, send, [anna])
    await until(lambda: home.world.sent)
    await until(lambda: sent_all(home, send))
    assert "/c/" in home.world.sent[0].text
    kept = await home.user.dialog(before.dialog_id)
    assert (kept.message_count, kept.preview) == (1, "an older word")
    [after] = await home.receive(message("k1", "anna", text="Yes, please"))
    [again] = await home.receive(message("k2", "anna", text="And soon"))
    assert after.dialog_id == again.dialog_id == before.dialog_id
    thread = await home.user.thread(after.dialog_id)
    assert [(one.author.kind.value, one.text) for one in thread.messages] == [
        ("contact", "an older word"),
        ("mailing", "Здравствуйте, Anna! https://x.example/Anna."),
        ("contact", "Yes, please"),
        ("contact", "And soon"),
    ]
    assert thread.messages[1].cause.text == "News"
    shown = await home.user.dialog(after.dialog_id)
    assert (shown.message_count, shown.preview) == (4, "And soon")
    touched = await home.user.read(
        lambda r: r.conn.execute(select(many_touches.c.n, many_touches.c["count"])).all()
    )
    assert touched == [(-1, 1)]


async def test_a_button_of_a_mailing_is_counted_or_answers(home: House) -> None:
    anna, boris = await people(home, "Anna", "Boris")
    words = ManyContent(
        text="Come!",
        buttons=(
            Button(label="For {{ contact.first_name }}", url="https://x.example/{{ contact.first_name }}?a=1"),
            Button(label="Yes, {{ contact.first_name }}", payload="yes"),
        ),
    )  # fmt: skip
    send = await planned(home, words)
    await given(home, send, [anna, boris])
    newer = await planned(home, ManyContent(text="Newer"), number=2)
    await until(lambda: sent_all(home, send))
    await given(home, newer, [anna])
    await until(lambda: sent_all(home, newer))
    got = {one.to.value: one for one in home.world.sent if one.buttons}
    sent = got["anna"]
    link, answer = sent.buttons
    assert (link.label, answer.label, answer.payload) == ("For Anna", "Yes, Anna", "yes")
    # A link is counted as one in the words, and leads where it is filled in.
    address = link.url.removeprefix(home.runtime.public_url)
    assert address.startswith("/c/")
    assert link.url != got["boris"].buttons[0].url
    row = await home.user.read(lambda r: many.delivery(r.conn, sent.id))
    where = await home.user.read(lambda r: link_target(home.runtime, r.conn, row, 1))
    assert where == "https://x.example/Anna?a=1"
    # What is pressed answers the mailing it stands under, also where a newer one came since.
    pressed = ButtonPressed(
        dedupe_key="p1", external_id=f"out-{sent.idempotency_key}", sender=sent.to, payload="yes"
    )
    await home.runtime.receive(await home.system.account(home.pigeon), [pressed])
    dialog = await home.user.read(lambda r: r.conn.execute(select(dialogs.c.id)).scalar_one())
    thread = await home.user.thread(dialog)
    assert [(one.author.kind.value, one.text) for one in thread.messages] == [
        ("mailing", "Come!"),
        ("contact", "yes"),
    ]
    assert thread.messages[0].extra["buttons"][0] == ["For Anna", "", "https://x.example/Anna?a=1"]
    counted = [await home.user.read(many.touches, [one[0]]) for one in (send, newer)]
    assert [one["answered"] for one in counted] == [1, 0]


async def sent_all(home: House, send: tuple[int, int]) -> bool:
    return many.is_finished(await home.user.read(many.counts, [send[0]]))


async def test_a_letter_answers_only_what_it_names_and_an_absence_answers_nothing(
    home: House,
) -> None:
    anna, boris = await people(home, "Anna", "Boris", kind="email")
    send = await planned(home, ManyContent(subject="News", text="Hello"))
    await given(home, send, [anna, boris], home.letter)
    await until(lambda: sent_all(home, send))
    name = {one.to.value: f"out-{one.idempotency_key}" for one in home.world.sent}
    await home.receive(letter("k1", "boris@example.com", text="Something else"), letter=True)
    away = letter(
        "k2", "anna@example.com", text="I am away", automated=True,
        in_reply_to=name["anna@example.com"], references=(name["anna@example.com"],),
    )  # fmt: skip
    await home.receive(away, letter=True)
    count = lambda r: r.conn.execute(select(func.count()).select_from(many_touches)).scalar()  # noqa: E731
    assert await home.user.read(count) == 0
    answer = letter(
        "k3", "anna@example.com", text="Tell me more",
        in_reply_to=name["anna@example.com"], references=(name["anna@example.com"],),
    )  # fmt: skip
    [place] = await home.receive(answer, letter=True)
    assert await home.user.read(count) == 1
    thread = await home.user.thread(place.dialog_id)
    assert [one.subject for one in thread.messages if one.author.kind.value == "mailing"] == [
        "News"
    ]
    # The next step of the chain keeps away from who answered, and not from the other.
    step = PlanMany(
        mailing_id=1, step=1, topic="news", stops_when_answered=True,
        contents=(ManyContent(subject="Again", text="Hello again"),),
    )  # fmt: skip
    ((second, ids),) = await home.user.do(step)
    recipients = [
        ManyRecipient(
            contact_id=one,  # type: ignore[arg-type]
            address_id=await address_of(home, one),  # type: ignore[arg-type]
            account_id=home.letter,
            content_id=ids[0],
        )
        for one in (anna, boris)
    ]
    await home.user.do(SendMany(send_id=second, recipients=tuple(recipients)))
    await until(lambda: sent_all(home, (second, 0)))
    states = await home.user.read(many.counts, [second])
    assert states == {("suppressed", "answered"): 1, ("sent", ""): 1}

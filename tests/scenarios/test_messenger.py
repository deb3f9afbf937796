"""What messengers do beside messages: edits, reactions, buttons, albums, windows, templates."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from crm_store import dialogs as dialog_reads
from crm_store import messages as message_reads
from crm_store.tables.dialogs import messages as message_table
from hub import (
    Attachment,
    Button,
    ButtonPressed,
    CallEvent,
    Conflict,
    DeliveryReceipt,
    DeliveryStatus,
    DialogId,
    DialogQuery,
    EditMessage,
    Invalid,
    Message,
    MessageDeleted,
    MessageEdited,
    MessageId,
    Micros,
    PeerChange,
    PeerEvent,
    PermanentFailure,
    Reaction,
    ReactToMessage,
    RejectReason,
    RetractMessage,
    SaveTemplates,
    SendMessage,
    StartDialog,
    Template,
    TemplateState,
    TemporaryFailure,
    Unsupported,
    UploadAttachment,
)
from hub.workers import Workers
from tests.houses import until
from tests.parrots import US, Aviary, aviary, parrot, says

HOUR = 3_600 * US


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[Aviary]:
    """Parrots whose messages nobody carries."""
    async with aviary(tmp_path, database_url) as one:
        yield one


@pytest.fixture
async def lively(tmp_path: Path, database_url: str) -> AsyncIterator[Aviary]:
    """Parrots with a hub at work."""
    async with aviary(tmp_path, database_url, workers=True) as one:
        yield one


async def message(home: Aviary, message_id: int) -> Message:
    return await home.user.message(MessageId(message_id))


async def sent(home: Aviary, dialog_id: DialogId, text: str, **more: Any) -> MessageId:
    """Send, and wait until the provider has it."""
    made = (await home.user.do(SendMessage(dialog_id=dialog_id, text=text, **more)))[0]

    async def done() -> bool:
        return (await message(home, made)).status == "sent"

    await until(done)
    return MessageId(made)


async def test_an_edit_keeps_what_was_written_before(home: Aviary) -> None:
    given = (await home.arrive(says("1", "Hell", sent_at=Micros(home.user.now() - HOUR))))[0]
    now = home.user.now()
    for n, text in enumerate(("Hello", "Hello!")):
        edit = MessageEdited(dedupe_key=f"e{n}", external_id="in-1", text=text, at=Micros(now + n))
        assert await home.arrive(edit) == [True]
    # One that was overtaken is a version of the past, not what stands there now.
    late = MessageEdited(dedupe_key="e9", external_id="in-1", text="Hel", at=Micros(now - 1))
    await home.arrive(late)
    found = await message(home, given.message_id)
    assert (found.text, found.edited_at) == ("Hello!", now + 1)
    versions = await home.user.read(message_reads.versions, given.message_id)
    assert sorted(text for _, text in versions) == ["Hel", "Hell", "Hello"]
    assert (await home.user.dialog(given.dialog_id)).preview == "Hello!"
    assert await home.arrive(late) == [False]


async def test_what_was_taken_back_is_marked_and_stays_readable(home: Aviary) -> None:
    given = (await home.arrive(says("1", "my card is 4000 0012")))[0]
    gone = MessageDeleted(dedupe_key="d1", external_id="in-1")
    await home.arrive(gone)
    found = await message(home, given.message_id)
    assert (found.text, found.extra["taken_back"]) == ("my card is 4000 0012", True)
    assert (await home.user.dialog(given.dialog_id)).preview == "🗑"


async def test_what_overtakes_its_message_waits_for_it(lively: Aviary) -> None:
    """Edit, reaction and delete before the message; a reaction and a receipt before our settle."""
    await lively.arrive(MessageEdited(dedupe_key="e", external_id="in-1", text="second"))
    await lively.arrive(
        Reaction(dedupe_key="r", external_id="in-1", sender=parrot("polly"), emoji="🦜")
    )
    given = (await lively.arrive(says("1", "first")))[0]
    found = await message(lively, given.message_id)
    assert (found.text, found.reactions) == ("second", (("🦜", "parrot:polly"),))

    async def early(_: object, out: Any) -> Any:
        name = f"out-{out.message_id}"
        await lively.arrive(
            Reaction(dedupe_key="r2", external_id=name, sender=parrot("polly"), emoji="👍"),
            DeliveryReceipt(dedupe_key="s", external_id=name, status=DeliveryStatus.READ),
        )
        return await plain(channel, out)

    _, channel = await lively.runtime.channel_host.get(lively.account)
    plain = type(channel).send
    type(channel).send = early  # type: ignore[method-assign, assignment]
    made = (await lively.user.do(SendMessage(dialog_id=given.dialog_id, text="hi")))[0]

    async def done() -> bool:
        one = await message(lively, made)
        return one.status == "read" and one.reactions == (("👍", "parrot:polly"),)

    await until(done)


async def test_a_reaction_replaces_the_persons_earlier_one(home: Aviary) -> None:
    given = (await home.arrive(says("1")))[0]
    for n, emoji in enumerate(("👍", "🦜", "")):
        await home.arrive(
            Reaction(dedupe_key=f"r{n}", external_id="in-1", sender=parrot("polly"), emoji=emoji)
        )
        found = await message(home, given.message_id)
        assert [one for one, _ in found.reactions] == ([emoji] if emoji else [])


async def test_an_album_is_one_entry_whose_parts_can_be_named(home: Aviary) -> None:
    photos = [
        says(
            f"{n}",
            "Look" if n == 2 else "",
            album="a1",
            attachments=(Attachment(name=f"{n}.png", media_type="image/png", content=b"%d" % n),),
        )
        for n in range(3)
    ]
    first = (await home.arrive(photos[0]))[0]
    rest = [(await home.arrive(one))[0] for one in photos[1:]]
    assert {one.message_id for one in rest} == {first.message_id}
    found = await message(home, first.message_id)
    assert [one.name for one in found.attachments] == ["0.png", "1.png", "2.png"]
    assert found.text == "Look"
    assert (await home.user.dialog(first.dialog_id)).message_count == 1
    # A repeat changes nothing; an answer to a part is an answer to the entry.
    again = (await home.arrive(photos[1]))[0]
    assert (again.message_id, again.new) == (first.message_id, False)
    answer = (await home.arrive(says("9", "that one", in_reply_to="in-1")))[0]
    assert (await message(home, answer.message_id)).reply_to == first.message_id
    # All at once, as a poll brings them, with another sender's album of the same name between.
    other = [says(f"o{n}", f"{n}", who="coco", album="a1") for n in range(2)]
    mixed = await home.runtime.receive(
        await home.system.account(home.account),
        [other[0], says("p0", album="a2"), other[1], says("p1", album="a2")],
        mark="m1",
    )
    assert len({one.message_id for one in mixed[:4]}) == 2


async def test_a_pressed_button_stands_in_the_dialog_of_its_message(lively: Aviary) -> None:
    given = (await lively.arrive(says("1")))[0]
    buttons = (Button(label="Yes, please", payload="y"), Button(label="No", payload="n"))
    asked = await sent(lively, given.dialog_id, "More?", buttons=buttons)
    assert lively.perch.sent[-1].buttons == buttons
    press = ButtonPressed(
        dedupe_key="b1", external_id=f"out-{asked}", sender=parrot("polly"), payload="y"
    )
    await lively.arrive(press)
    await lively.arrive(press)
    thread = await lively.user.thread(given.dialog_id)
    pressed = thread.messages[-1]
    assert (pressed.text, pressed.reply_to, len(thread.messages)) == ("Yes, please", asked, 3)
    assert pressed.extra == {"button": "y"}
    # The vendor has no message of the press: what is quoted is that whose button it was, and
    # nothing can be put on it.
    await sent(lively, given.dialog_id, "Gladly", reply_to=pressed.id)
    assert lively.perch.sent[-1].quotes == f"out-{asked}"
    with pytest.raises(Conflict, match="no such message"):
        await lively.user.do(ReactToMessage(message_id=pressed.id, emoji="🦜"))
    # Where a press is a message there too, its own id is what counts.
    await lively.arrive(
        ButtonPressed(
            dedupe_key="b2",
            external_id=f"out-{asked}",
            press_id="p-2",
            sender=parrot("polly"),
            payload="n",
        )
    )
    pressed = (await lively.user.thread(given.dialog_id)).messages[-1]
    assert pressed.text == "No"
    await lively.user.do(ReactToMessage(message_id=pressed.id, emoji="🦜"))
    await until(lambda: lively.perch.made("react") == [("polly", "p-2", "🦜")])
    await sent(lively, given.dialog_id, "A pity", reply_to=pressed.id)
    assert lively.perch.sent[-1].quotes == "p-2"
    too_many = (Button(label="x"),) * 4
    with pytest.raises(Invalid, match="at most 3 buttons"):
        await lively.user.do(SendMessage(dialog_id=given.dialog_id, text="?", buttons=too_many))


async def test_our_message_is_changed_taken_back_and_reacted_to(lively: Aviary) -> None:
    given = (await lively.arrive(says("1")))[0]
    mine = await sent(lively, given.dialog_id, "See yuo")
    await lively.user.do(EditMessage(message_id=mine, text="See you"))

    async def says_now(text: str) -> bool:
        return (await message(lively, mine)).text == text

    await until(lambda: says_now("See you"))
    assert lively.perch.made("edit") == [(f"out-{mine}", "See you")]
    versions = await lively.user.read(message_reads.versions, mine)
    assert [text for _, text in versions] == ["See yuo"]
    # A busy provider is asked again; one that refuses leaves the text, and says why.
    lively.perch.outcomes["edit"] = [TemporaryFailure("busy"), PermanentFailure(text="too old")]
    await lively.user.do(EditMessage(message_id=mine, text="See you never"))

    async def failed() -> bool:
        act = (await message(lively, mine)).extra.get("acts", {}).get("edit", {})
        return act.get("error") == "too old"

    await until(failed)
    assert await says_now("See you")
    await lively.user.do(ReactToMessage(message_id=given.message_id, emoji="🦜"))

    async def reacted() -> bool:
        return (await message(lively, given.message_id)).reactions == (("🦜", "us"),)

    await until(reacted)
    assert lively.perch.made("react") == [("polly", "in-1", "🦜")]
    await lively.user.do(RetractMessage(message_id=mine))

    async def gone() -> bool:
        return bool((await message(lively, mine)).extra.get("taken_back"))

    await until(gone)
    assert lively.perch.made("delete") == [("polly", f"out-{mine}")]


async def test_what_cannot_be_done_to_a_message_is_refused_at_once(lively: Aviary) -> None:
    given = (await lively.arrive(says("1")))[0]
    mine = await sent(lively, given.dialog_id, "one")
    with pytest.raises(Invalid, match="at most 300"):
        await lively.user.do(EditMessage(message_id=mine, text="x" * 301))
    with pytest.raises(Invalid, match="only a message of ours"):
        await lively.user.do(EditMessage(message_id=given.message_id, text="x"))
    with pytest.raises(Invalid, match="takes 👍"):
        await lively.user.do(ReactToMessage(message_id=mine, emoji="💩"))
    long = await sent(lively, given.dialog_id, "word " * 100)
    with pytest.raises(Invalid, match="several parts"):
        await lively.user.do(EditMessage(message_id=long, text="x"))
    lively.perch.offset_us += 2 * HOUR
    with pytest.raises(Conflict, match="too late"):
        await lively.user.do(EditMessage(message_id=mine, text="two"))
    queued = SendMessage(
        dialog_id=given.dialog_id, text="later", due_at=Micros(lively.user.now() + HOUR)
    )
    waits = (await lively.user.do(queued))[0]
    with pytest.raises(Conflict, match="not with the person"):
        await lively.user.do(RetractMessage(message_id=waits))


async def test_a_channel_that_cannot_says_so(tmp_path: Path, database_url: str) -> None:
    async with aviary(tmp_path, database_url, channel="dumb", workers=True) as home:
        given = (await home.arrive(says("1")))[0]
        mine = await sent(home, given.dialog_id, "one")
        for command in (
            EditMessage(message_id=mine, text="x"),
            RetractMessage(message_id=mine),
            ReactToMessage(message_id=given.message_id, emoji="👍"),
            SendMessage(
                dialog_id=given.dialog_id, text="x", buttons=(Button(label="a", payload="b"),)
            ),
            SendMessage(dialog_id=given.dialog_id, template="hello"),
        ):
            with pytest.raises(Unsupported):
                await home.user.do(command)


async def test_the_window_closes_and_only_a_template_goes_out(lively: Aviary) -> None:
    given = (await lively.arrive(says("1")))[0]
    dialog = await lively.user.dialog(given.dialog_id)
    assert abs(dialog.window_until - lively.user.now() - 24 * HOUR) < 60 * US
    answer = SendMessage(dialog_id=given.dialog_id, text="late")
    # Planned for after the window: refused now, not then.
    after = Micros(lively.user.now() + 25 * HOUR)
    planned = SendMessage(dialog_id=given.dialog_id, text="later", due_at=after)
    with pytest.raises(Conflict) as refused:
        await lively.user.do(planned)
    assert refused.value.what == "window_closed"
    lively.perch.offset_us += 25 * HOUR
    with pytest.raises(Conflict, match="only a template"):
        await lively.user.do(answer)
    catalogue = (
        Template(
            name="back",
            language="en",
            header="Hello {{name}}",
            body="Your order {{2}} is here, {{name}}.",
            footer="Parrots Ltd",
            variables=("name", "2"),
            buttons=(Button(label="Stop", payload="stop"),),
            reference="HX1",
        ),
        Template(name="sale", language="en", body="Buy!", state=TemplateState.REJECTED),
    )
    # The same from the provider: the jump of the clock makes a reading of the catalogue due.
    lively.perch.catalogue = catalogue
    await lively.system.do(SaveTemplates(account_id=lively.account, templates=catalogue))
    filled = SendMessage(
        dialog_id=given.dialog_id,
        template="back",
        template_values=(("name", "Polly"), ("2", "17")),
    )
    made = (await lively.user.do(filled))[0]
    await until(lambda: lively.perch.sent)
    one = lively.perch.sent[0]
    words = "Hello Polly\n\nYour order 17 is here, Polly.\n\nParrots Ltd"
    assert (await message(lively, made)).text == one.text == words
    assert (one.template, one.template_language, one.template_reference) == ("back", "en", "HX1")
    assert dict(one.template_values) == {"name": "Polly", "2": "17"}
    for wrong, why in (
        (SendMessage(dialog_id=given.dialog_id, template="back"), "needs name, 2"),
        (SendMessage(dialog_id=given.dialog_id, template="sale"), "not approved"),
        (SendMessage(dialog_id=given.dialog_id, template="none"), "no such template"),
    ):
        with pytest.raises(Invalid, match=why):
            await lively.user.do(wrong)
    # The person writes: the window is open again.
    await lively.arrive(says("2"))
    await lively.user.do(answer)


async def test_what_waited_too_long_is_failed_before_the_wire(home: Aviary) -> None:
    given = (await home.arrive(says("1")))[0]
    waits = (await home.user.do(SendMessage(dialog_id=given.dialog_id, text="hi")))[0]
    home.perch.offset_us += 25 * HOUR
    loops = Workers(home.runtime)
    loops.start()
    try:

        async def failed() -> bool:
            one = await message(home, waits)
            return (one.status, one.reason) == ("failed", "window_closed")

        await until(failed)
    finally:
        await loops.stop()
    assert home.perch.sent == []


async def test_writing_first_over_a_window_takes_a_template(home: Aviary) -> None:
    started = (await home.user.do(StartDialog(account_id=home.account, to=parrot("coco"))))[0]
    with pytest.raises(Conflict, match="only a template"):
        await home.user.do(SendMessage(dialog_id=started, text="hello?"))


async def test_who_blocked_us_is_not_written_to_until_he_writes(lively: Aviary) -> None:
    given = (await lively.arrive(says("1")))[0]
    lively.perch.outcomes["send"] = [PermanentFailure(RejectReason.BLOCKED, "403 blocked")]
    answer = SendMessage(dialog_id=given.dialog_id, text="hi")
    made = (await lively.user.do(answer))[0]

    async def failed() -> bool:
        return (await message(lively, made)).reason == "blocked"

    await until(failed)
    with pytest.raises(Conflict, match="does not take messages"):
        await lively.user.do(answer)
    await lively.arrive(says("2"))
    await sent(lively, given.dialog_id, "welcome back")
    for n, change in enumerate((PeerChange.BLOCKED, PeerChange.ALLOWED)):
        event = PeerEvent(dedupe_key=f"p{n}", sender=parrot("polly"), change=change)
        assert await lively.arrive(event) == [True]
        if change is PeerChange.BLOCKED:
            with pytest.raises(Conflict):
                await lively.user.do(answer)
    await lively.user.do(answer)


async def test_who_joins_a_group_is_an_entry_of_its_dialog(home: Aviary) -> None:
    group = {"thread_key": "g1", "group": True, "profile": {"group_name": "Flock"}}
    given = (await home.arrive(says("1", **group)))[0]
    joined = PeerEvent(
        dedupe_key="p", sender=parrot("coco"), change=PeerChange.JOINED, thread_key="g1"
    )
    await home.arrive(joined)
    thread = await home.user.thread(given.dialog_id)
    entry = thread.messages[-1]
    assert (entry.author_name, entry.extra) == ("Coco", {"peer": "joined"})


async def test_a_call_is_one_entry_in_whatever_order_it_is_told(home: Aviary) -> None:
    states = (("ringing", 0), ("answered", 0), ("ended", 42))
    for n, order in enumerate(permutations(states)):
        for state, seconds in order:
            event = CallEvent(
                dedupe_key=f"{n}{state}",
                external_id=f"call-{n}",
                caller=parrot(f"caller{n}"),
                state=state,
                duration_seconds=seconds,
            )
            await home.arrive(event)
    page = await home.user.read(_calls)
    assert [(one["call"], one["seconds"]) for one in page] == [("ended", 42)] * 6


def _calls(reader: Any) -> list[dict[str, Any]]:
    rows = reader.conn.execute(select(message_table).where(message_table.c.direction == "call"))
    return [row.extra for row in rows]


async def test_a_missed_call_waits_for_us_and_keeps_its_recording(home: Aviary) -> None:
    def call(key: str, state: str, **more: Any) -> CallEvent:
        return CallEvent(
            dedupe_key=key, external_id="c1", caller=parrot("polly"), state=state, **more
        )

    await home.arrive(call("1", "ringing"))
    dialogs = (await home.user.read(_dialogs))[0]
    assert not dialogs.waiting_since
    await home.arrive(call("2", "missed"))
    dialogs = (await home.user.read(_dialogs))[0]
    assert dialogs.waiting_since
    assert dialogs.preview == "📞"
    voice = Attachment(name="voicemail.mp3", media_type="audio/mpeg", reference="RE1")
    await home.arrive(call("3", "missed", recording_file=voice, recording="javascript:alert(1)"))
    await home.arrive(call("4", "missed", recording_file=voice))
    thread = await home.user.thread(dialogs.id)
    entry = thread.messages[0]
    assert [one.name for one in entry.attachments] == ["voicemail.mp3"]
    assert "recording" not in entry.extra


def _dialogs(reader: Any) -> Any:
    return dialog_reads.page(reader, DialogQuery()).dialogs


async def test_files_are_refused_before_they_are_queued(home: Aviary) -> None:
    given = (await home.arrive(says("1")))[0]

    async def upload(name: str, media_type: str, size: int = 10) -> Any:
        blob = home.runtime.blobs.put(b"x" * size)
        file = Attachment(name=name, media_type=media_type)
        return (await home.user.do(UploadAttachment(file=file, blob=blob)))[0]

    async def send(*files: Any) -> None:
        await home.user.do(SendMessage(dialog_id=given.dialog_id, attachments=files))

    with pytest.raises(Invalid, match="does not take files like this"):
        await send(await upload("a.exe", "application/x-msdownload"))
    with pytest.raises(Invalid, match="up to 1 MB"):
        await send(await upload("a.png", "image/png", 1_000_001))
    with pytest.raises(Invalid, match=r"image/gif up to 0.001 MB"):
        await send(await upload("a.gif", "image/gif", 1_001))
    with pytest.raises(Invalid, match=r"1.5 MB of files in one message"):
        await send(*[await upload(f"{n}.png", "image/png", 800_000) for n in range(2)])
    with pytest.raises(Invalid, match="at most 3 files"):
        await send(*[await upload(f"{n}.png", "image/png") for n in range(4)])
    await send(await upload("a.png", "image/png; charset=binary"))


async def test_an_unknown_kind_is_shown_and_its_bytes_are_kept(home: Aviary) -> None:
    raw = b'{"view_once": true}'
    given = (await home.arrive(says("1", "", unsupported="view-once image", raw=raw)))[0]
    found = await message(home, given.message_id)
    assert found.unsupported == "view-once image"
    assert (await home.user.read(message_reads.raw, given.message_id))[0] == raw
    assert (await home.user.dialog(given.dialog_id)).preview == "⚠ view-once image"

"""Retention: off at first, counted before it removes, batch by batch, and on record."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select

from crm_store import retention as store
from crm_store.tables.dialogs import attachments, blobs, messages
from crm_store.tables.journal import cursors, journal
from crm_store.tables.objects import leads, object_tags
from crm_store.tables.people import merges
from crm_store.tables.requests import notices
from crm_store.tables.rules import rule_effects, rule_hours, rule_marks, rule_runs
from crm_store.unit_of_work import UnitOfWork
from hub import (
    SYSTEM,
    Attachment,
    Conflict,
    ContactId,
    CreateLead,
    DeliveryId,
    Invalid,
    LeadId,
    MailingClicked,
    MailingOpened,
    MergeLeads,
    RejectLead,
    RemoveRetention,
    RetentionId,
    RunRetention,
    SaveRetention,
    SendSteered,
    SetDialogStatus,
    UndoMergeLeads,
)
from hub.retaining import sweep
from tests.houses import US, House, house, message

DAY = 86_400 * US


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


async def rule(home: House, subject: str, days: int, **more: Any) -> RetentionId:
    command = SaveRetention(subject=subject, days=days, **more)
    return RetentionId((await home.user.do(command))[0])


async def due(home: House, subject: str, days: int, account_id: int = 0) -> int:
    return await home.user.read(store.preview, subject, account_id, days)


async def texts(home: House) -> set[str]:
    return await home.runtime.database.read(
        lambda conn: set(conn.execute(select(messages.c.text)).scalars())
    )


async def test_nothing_is_removed_before_a_rule_is_switched_on(home: House) -> None:
    await home.receive(message("1", text="old words"))
    home.world.offset_us += 40 * DAY
    await home.receive(message("2", "boris", text="new words"))
    one = await rule(home, "messages", 30)
    assert await due(home, "messages", 30) == 1
    assert await due(home, "messages", 30, home.letter) == 0
    assert await sweep(home.system, one) == 0
    with pytest.raises(Conflict):
        await home.user.do(RunRetention(rule_id=one))
    assert await texts(home) == {"old words", "new words"}
    await home.user.do(SaveRetention(rule_id=one, days=30, active=True))
    assert await sweep(home.system, one) == 1
    assert await texts(home) == {"", "new words"}
    assert await sweep(home.system, one) == 0
    found = await home.user.read(store.one_rule, one)
    assert (found.last_counts, found.running_since) == ({"removed": 0}, 0)
    kinds = await home.runtime.database.read(
        lambda conn: dict(
            conn.execute(
                select(journal.c.type, func.count())
                .where(journal.c.type.like("retention.%"))
                .group_by(journal.c.type)
            ).all()  # type: ignore[arg-type]
        )
    )
    assert kinds == {"retention.changed": 2, "retention.finished": 1}
    await home.user.do(RemoveRetention(rule_id=one))
    assert await home.user.read(store.all_rules) == []


async def test_files_go_and_the_words_stay(home: House, tmp_path: Path) -> None:
    file = Attachment(name="plan.txt", media_type="text/plain", content=b"boats")
    await home.receive(message("1", text="see the plan", attachments=(file,)))
    home.world.offset_us += 40 * DAY
    one = await rule(home, "files", 30, active=True)
    assert await sweep(home.system, one) == 1
    assert await texts(home) == {"see the plan"}

    def kept(conn: Any) -> tuple[Any, int]:
        row = conn.execute(select(attachments)).one()
        return row, conn.execute(select(func.count()).select_from(blobs)).scalar_one()

    row, count = await home.runtime.database.read(kept)
    assert (row.blob_id, row.state, count) == ("", "failed", 0)
    assert [one for one in (tmp_path / "data" / "blobs").rglob("*") if one.is_file()] == []


async def test_closed_dialogs_and_rejected_leads_lose_their_words(home: House) -> None:
    sent = (await home.receive(message("1", text="old words")))[0]
    await home.receive(message("2", "boris", text="open words"))
    await home.user.do(SetDialogStatus(dialog_id=sent.dialog_id, status="closed"))
    lead_id = LeadId((await home.user.do(CreateLead(values={"title": "Secret"})))[0])
    # One that had words of its own was merged into one that was merged into this one.
    chain = [lead_id]
    for _ in range(2):
        said = {"title": "Secret", "name": "Secret", "message": "Secret", "tags": ["Secret"]}
        chain.append(LeadId((await home.user.do(CreateLead(values=said)))[0]))
    for survivor, other in ((chain[1], chain[2]), (chain[0], chain[1])):
        (merge_id,) = await home.user.do(MergeLeads(survivor_id=survivor, merged_id=other))
    await home.user.do(RejectLead(lead_id=lead_id, reason="no money"))
    home.world.offset_us += 40 * DAY
    for subject in ("dialogs", "leads"):
        assert await due(home, subject, 30) == 1
        assert await due(home, subject, 50) == 0
        assert await sweep(home.system, await rule(home, subject, 30, active=True)) == 1
        assert await due(home, subject, 30) == 0
    assert await texts(home) == {"", "open words"}
    assert (await home.user.dialog(sent.dialog_id)).preview == ""

    def kept(conn: Any) -> str:
        tables = (leads, merges, object_tags)
        return repr([conn.execute(select(one)).all() for one in tables])

    assert "Secret" not in await home.runtime.database.read(kept)
    with pytest.raises(Conflict):
        await home.user.do(UndoMergeLeads(merge_id=merge_id))


async def test_traces_of_rules_and_notices_go_by_their_age(home: House) -> None:
    now = home.world.now()
    old, new = now - 40 * DAY, now - 2 * DAY
    run = {"rule_id": 1, "step": 0, "occurrence": 0, "reason": "", "why": {}, "steps": []}
    told = {"user_id": 1}

    def fill(tx: Any, items: list[Any]) -> list[Any]:
        conn = tx.conn
        conn.execute(delete(cursors))
        conn.execute(insert(cursors).values(name="all", event_id=50))
        # The last of the runs and of the notices answers a fact that somebody has yet to read.
        for number, at, event in ((1, old, 50), (2, new, 50), (3, old, 51)):
            conn.execute(
                insert(rule_runs).values(**run, id=number, cause=str(number), at=at, event_id=event)
            )
            conn.execute(insert(rule_effects).values(kind="task", object_id=9, run_id=number))
            conn.execute(
                insert(notices).values(
                    **told, id=number, key=str(number), created_at=at, event_id=event
                )
            )
        for number, at in ((1, old), (2, new)):
            conn.execute(insert(rule_marks).values(rule_id=1, mark=str(number), at=at))
            conn.execute(insert(rule_hours).values(rule_id=1, hour=at // (3600 * US)))
        return items

    await home.runtime.database.write(fill, None)
    for subject in ("rule_runs", "rule_marks", "rule_hours", "notices"):
        assert await due(home, subject, 30) == 1, subject
        one = await rule(home, subject, 30, active=True, account_id=home.letter)
        assert (await home.user.read(store.one_rule, one)).account_id == 0
        assert await sweep(home.system, one) == 1
        assert await due(home, subject, 30) == 0

    def left(conn: Any) -> list[list[Any]]:
        columns = (
            rule_runs.c.id,
            rule_effects.c.run_id,
            notices.c.id,
            rule_marks.c.mark,
            rule_hours.c.hour,
        )
        return [sorted(conn.execute(select(one)).scalars()) for one in columns]

    assert await home.runtime.database.read(left) == [
        [2, 3],
        [2, 3],
        [2, 3],
        ["2"],
        [new // (3600 * US)],
    ]


async def test_what_a_mailing_s_people_did_leaves_the_journal_by_its_age(home: House) -> None:
    who = {"mailing_id": 1, "delivery_id": DeliveryId(1), "contact_id": ContactId(1)}
    opened, clicked = MailingOpened(**who), MailingClicked(**who, link=1)  # type: ignore[arg-type]
    steered = SendSteered(mailing_id=1, send_id=1, state="paused")

    def fill(tx: Any, items: list[Any]) -> list[Any]:
        uow = UnitOfWork(tx, actor=SYSTEM)
        for one in (opened, clicked, steered):
            uow.record(one)
        tx.conn.execute(delete(cursors))
        tx.conn.execute(insert(cursors).values(name="all", event_id=1_000_000))
        return items

    await home.runtime.database.write(fill, None)
    home.world.offset_us += 40 * DAY
    await sweep(home.system, await rule(home, "journal", 30, active=True))
    kept = select(journal.c.type).where(journal.c.type.like("mailing.%"))
    found = await home.runtime.database.read(lambda conn: list(conn.execute(kept).scalars()))
    assert found == ["mailing.steered"]


async def test_a_rule_is_one_of_its_kind_and_never_hasty(home: House) -> None:
    await rule(home, "messages", 30)
    for wrong in (
        SaveRetention(subject="messages", days=60),
        SaveRetention(subject="messages", days=1, account_id=home.letter),
        SaveRetention(subject="people", days=60),
    ):
        with pytest.raises(Invalid):
            await home.user.do(wrong)
    await rule(home, "messages", 60, account_id=home.letter)

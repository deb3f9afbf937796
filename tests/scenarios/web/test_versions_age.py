"""Earlier versions of what marketers and agents write go by a rule of retention, and not before."""

from __future__ import annotations

from pathlib import Path

import plugins.mailings
import plugins.quick_replies
from hub import Actor, ActorKind, RetentionId
from hub.retaining import sweep
from plugins.mailings.commands import SaveMailing
from plugins.quick_replies.commands import SaveQuickReply
from plugins.quick_replies.earlier import bring_back, versions_of
from plugins.quick_replies.replies import QuickReply, one_reply
from tests.houses import US, World, plugin_of
from tests.scenarios.http_api.world import World as Programs
from tests.scenarios.web.house import open_house

DAY = 86_400 * US


async def test_earlier_versions_go_by_a_rule(tmp_path: Path, database_url: str) -> None:
    world = World()
    parts = (
        ("pigeons", plugin_of(world)),
        ("mailings", plugins.mailings),
        ("quick_replies", plugins.quick_replies),
    )
    async with open_house(tmp_path, database_url, *parts) as house:
        house.runtime.now = world.now
        house.runtime.database.set_clock(world.now)
        replies = house.runtime.handle(Actor(kind=ActorKind.PLUGIN, name="quick_replies"))
        mailings = house.runtime.handle(Actor(kind=ActorKind.PLUGIN, name="mailings"))
        (reply_id,) = await replies.do(
            SaveQuickReply(
                title="Price",
                texts={"en": {"text": "One"}},
                add_files=(("old.txt", "text/plain", b"old"), ("kept.txt", "text/plain", b"kept")),
            )
        )
        (mailing_id,) = await mailings.do(SaveMailing(title="Spring", plan={}))

        async def now() -> QuickReply:
            found = await one_reply(replies, reply_id, None)
            assert found is not None
            return found

        async def saved(text: str, *dropped: int) -> None:
            words = {"en": {"text": text}}
            await replies.do(
                SaveQuickReply(reply_id=reply_id, title="Price", texts=words, drop_files=dropped)
            )
            await mailings.do(
                SaveMailing(mailing_id=mailing_id, title=f"Spring {text}", plan={"files": []})
            )

        old, kept = [number for number, _, _ in (await now()).files]
        await saved("Two", old)
        world.offset_us += 40 * DAY
        # Written long ago, replaced today: who regrets it finds it.
        await saved("Three", kept)

        programs = Programs(house)
        program = await programs.program()
        for subject in ("quick_replies.versions", "mailings.versions"):
            rule = await program.ok(
                "POST", "/retention", json={"subject": subject, "days": 30, "active": True}
            )
            preview = await program.ok("GET", f"/retention/{rule['id']}/preview")
            assert preview == {"count": 1}, subject
            assert await sweep(house.system, RetentionId(int(rule["id"]))) == 1
            assert (await program.ok("GET", f"/retention/{rule['id']}/preview")) == {"count": 0}
        await program.refused(
            422, "invalid", "POST", "/retention", json={"subject": "nobody.things", "days": 30}
        )
        browser = house.browser()
        await browser.log_in("administrator@example.org")
        page = (await browser.get("/settings/retention")).text
        assert "Earlier versions of quick replies" in page
        assert "Earlier versions of mailings and letters" in page

        [left] = await versions_of(replies, await now())
        assert left.texts == {"en": {"text": "Two"}}
        assert left.more["files"] == ["kept.txt"]
        await bring_back(replies, await now(), str(left.version))
        assert [name for _, name, _ in (await now()).files] == ["kept.txt"]
        for each in programs.programs:
            await each.aclose()

"""Buttons of a mailing: written one a line, looked at before, checked against each channel, sent."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path

import plugins.mailings
from hub import CreateAccount, SaveSegment
from plugins.mailings.checking import findings
from plugins.mailings.contents import contents_of, steps_of
from plugins.mailings.doing import mailing_of
from plugins.mailings.plans import Step, Variant, read_plan
from tests import parrots
from tests.houses import World, plugin_of
from tests.scenarios.http_api.world import World as Programs
from tests.scenarios.web.house import open_house
from tests.scenarios.web.test_mailings import _own

AD = {"ad_kind": "own", "advertiser": "Sail"}
FULL = {
    "subject": "S", "text": "T", "short": "s", "plain": "p", "erid": "X1", "short_erid": "X2",
    "buttons": [{"label": "Yes"}],
}  # fmt: skip
STEP = {**{name: one for name, one in FULL.items() if name != "plain"}, "days": 2}
PARTS = {
    "subject": "S2", "text": "T2", "short": "s2", "plain": "p2", "erid": "X3", "short_erid": "X4",
    "buttons": [{"label": "Yes", "url": "https://x.example/"}],
}  # fmt: skip
assert {one.name for one in fields(Variant)} == {*PARTS, "letter"}
assert {one.name for one in fields(Step)} == {*STEP}
WORDS = "Order {n} https://x.example/{{{{ contact.first_name }}}}?a=1\r\nNot now\r\n\r\n"


async def test_buttons_are_written_looked_at_checked_and_kept(
    tmp_path: Path, database_url: str
) -> None:
    parts = (
        ("pigeons", plugin_of(World())),
        ("parrots", parrots.plugin_of(parrots.Perch())),
        ("mailings", plugins.mailings),
    )
    async with open_house(tmp_path, database_url, *parts) as house:
        hub = house.system
        accounts = [
            (await hub.do(CreateAccount(channel=one, title=one.title())))[0]
            for one in ("letter", "parrot", "pigeon")
        ]
        letter, parrot, pigeon = map(str, accounts)
        (segment,) = await hub.do(SaveSegment(name="Everybody"))
        browser = await house.logged_in("marketer")
        form = {
            "do": "save", "title": "Spring", "segment_id": str(segment), "utm": "utm_source=bot",
            f"account_{parrot}": "1", "text_0": "Come!", "buttons_0": WORDS.format(n=1),
            "step_days_0": "2", "step_text_0": "More", "step_buttons_0": "Later",
        }  # fmt: skip
        saved = await browser.submit("/p/mailings/new", data=form)
        assert saved.status_code == 303, saved.text
        address = saved.headers["location"].partition("#")[0]
        number = address.rpartition("/")[2]
        page = (await browser.get(address)).text
        assert "Order 1 https://x.example/{{ contact.first_name }}?a=1\nNot now</textarea>" in page
        looks = page[page.index("as-message") :]
        assert re.search(r'title="https://x.example/Ann\?a=1&amp;utm_source=bot">Order 1', looks)
        mailing = await mailing_of(_own(house), number)
        [made] = await contents_of(_own(house), mailing.plan)
        assert [(one.label, one.payload, bool(one.url)) for one in made.buttons] == [
            ("Order 1", "", True),
            ("Not now", "Not now", False),
        ]
        [[later]] = await steps_of(_own(house), mailing.plan)
        assert [one.label for one in later.buttons] == ["Later"]
        # What is no address is refused, and stays as it was typed.
        wrong = await browser.submit(address, data={**form, "buttons_0": "Order https://"})
        assert wrong.status_code == 422
        assert "Order https://</textarea>" in wrong.text
        # By the API, in an order of channels: each says what it does not show.
        program = await Programs(house).program("administrator")
        given = [{"label": "Yes, I should like to come"}, *({"label": f"{n}"} for n in range(3))]
        plan = {
            "accounts": [letter, parrot, pigeon],
            "variants": [{"subject": "News", "text": "Come!", "buttons": given}],
        }
        one = f"/mailings/mailings/{number}"
        answer = await program.ok("PUT", one, json={"plan": plan})
        assert answer["plan"]["variants"][0]["buttons"][0] == {**given[0], "url": ""}
        kinds = house.runtime.database.channels
        kinds["parrot"] = replace(kinds["parrot"], button_label=10, button_bytes=8)
        found = await findings(_own(house), await mailing_of(_own(house), number))
        assert {(each.level, each.text, each.detail) for each in found} >= {
            ("bad", "This channel shows fewer buttons", "Parrot: 3"),
            ("warn", "This channel cuts the words of a button", "Parrot: Yes, I sho"),
            (
                "bad",
                "This channel takes shorter words on a button that answers",
                "Parrot: Yes, I should like to come",
            ),
            ("warn", "Over this channel it goes without its buttons", "Pigeon"),
        }
        await program.aclose()
        # Every part of a wording changes what leaves; where it began only says so (a version).
        for name, one in {**PARTS, "letter": ""}.items():
            before, after = (
                read_plan({**AD, **plan, "variants": [{**FULL, name: value}], "steps": [STEP]})
                for value in (FULL.get(name, ""), one)
            )
            same = await contents_of(_own(house), before) == await contents_of(_own(house), after)
            assert same == (name == "letter"), name
        for name, one in {**PARTS, "days": 3}.items():
            if name == "plain":
                continue
            before, after = (
                read_plan({**AD, **plan, "steps": [{**STEP, name: value}]})
                for value in (STEP[name], one)
            )
            same = await steps_of(_own(house), before) == await steps_of(_own(house), after)
            # The day is kept with the run (tests/scenarios/web/test_mailing_settings.py).
            assert same == (name == "days"), name

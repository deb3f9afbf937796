"""What waits for one browser: the newest of each key, and never without a bound."""

from __future__ import annotations

import json
from typing import cast

from crm_store.viewer import Viewer
from hub import AccountId, TeamId, UserId
from hub.handle import BoundHub
from hub.web.live_connection import (
    FLUSH_LONGEST,
    MAX_PENDING,
    Connection,
    Place,
    Written,
    flush_pause,
    read_opened,
    write_frame,
    write_item,
)


def connection(**rights: object) -> Connection:
    viewer = Viewer(user_id=UserId(1), role="agent", **rights)  # type: ignore[arg-type]
    hub = cast(BoundHub, None)
    return Connection(
        id="one", hub=hub, viewer=viewer, language="en", session="s", address="192.0.2.1"
    )


def items(one: Connection) -> list[dict[str, object]]:
    taken = one.take()
    assert not any(isinstance(item, Written) for item in taken)
    return cast(list[dict[str, object]], taken)


def place(account: int) -> Place:
    return Place(account_id=AccountId(account), assignee_id=UserId(0), team_id=TeamId(0))


def test_the_newest_item_of_a_key_wins_and_stands_last() -> None:
    one = connection()
    one.put("row:1", {"k": "row", "id": "1", "html": "old"})
    one.put("row:2", {"k": "row", "id": "2", "html": "other"})
    one.put("row:1", {"k": "row", "id": "1", "html": "new"})
    assert [(item["id"], item["html"]) for item in items(one)] == [("2", "other"), ("1", "new")]
    assert one.take() == []


def test_a_browser_that_is_far_too_slow_reads_its_page_again() -> None:
    one = connection()
    for number in range(MAX_PENDING + 1):
        one.put(f"row:{number}", {"k": "row", "id": str(number)})
    one.put("msg:1", {"k": "msg", "id": "1"})
    one.put("session", {"k": "session"})
    assert one.take() == [{"k": "resync"}, {"k": "session"}]


def test_many_items_at_once_are_queued_as_each_of_them_would_be() -> None:
    one = connection()
    one.put("row:1", {"k": "row", "id": "1", "html": "old"})
    one.put("row:2", {"k": "row", "id": "2"})
    one.put_all({"row:1": {"k": "row", "id": "1", "html": "new"}, "row:3": {"k": "row", "id": "3"}})
    assert [item["id"] for item in items(one)] == ["2", "1", "3"]
    one.wake.clear()
    one.put_all({})
    assert not one.wake.is_set()
    one.put_all({f"row:{n}": {"k": "row", "id": str(n)} for n in range(MAX_PENDING + 1)})
    one.put_all({"row:1": {"k": "row", "id": "1"}})
    assert items(one) == [{"k": "resync"}]


def test_urgent_items_wake_sooner_only_until_they_are_taken() -> None:
    one = connection()
    one.put("row:1", {"k": "row"})
    assert not one.urgent
    one.put("msg:1", {"k": "msg"}, urgent=True)
    assert one.urgent
    assert one.wake.is_set()
    one.take()
    assert not one.urgent


def test_nothing_of_a_hidden_account_or_without_the_right_is_told() -> None:
    sees = connection(permissions=frozenset({"dialogs.view"}))
    assert sees.sees(place(5))
    hidden = connection(
        permissions=frozenset({"dialogs.view"}), hidden_accounts=frozenset({AccountId(5)})
    )
    assert not hidden.sees(place(5))
    assert hidden.sees(place(6))
    assert not connection(permissions=frozenset({"contacts.view"})).sees(place(6))


def test_a_frame_is_one_numbered_event_whatever_is_in_it() -> None:
    text = write_frame([{"k": "msg", "html": "два\n\nконца"}], "e1", 42).decode()
    assert text.startswith("id: e1-42\ndata: [")
    assert text.endswith("]\n\n")
    assert text.count("\n\n") == 1


def test_open_dialogs_are_read_out_of_an_address() -> None:
    assert read_opened("12:e1-5,13:,x:1,14") == {12: "e1-5", 13: "", 14: ""}
    assert len(read_opened(",".join(str(one) for one in range(200)))) == 50


def test_what_was_written_once_stands_in_every_frame_as_it_is() -> None:
    row = write_item({"k": "row", "html": 'два\n\n"конца"'})
    frame = write_frame([row, {"k": "session"}], "e1", 7).decode()
    body = frame.removeprefix("id: e1-7\ndata: ").removesuffix("\n\n")
    assert json.loads(body) == [{"k": "row", "html": 'два\n\n"конца"'}, {"k": "session"}]
    assert "\n" not in body


def test_more_browsers_get_fuller_frames_but_never_late_ones() -> None:
    assert flush_pause(1) == flush_pause(100) == 0.1
    assert flush_pause(500) == 0.25
    assert flush_pause(5_000) == FLUSH_LONGEST < 0.5

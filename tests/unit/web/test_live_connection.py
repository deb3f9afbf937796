"""What waits for one browser: the newest of each key, and never without a bound."""

from __future__ import annotations

from crm_store.viewer import Viewer
from hub import SYSTEM, AccountId, UserId
from hub.web.live_connection import MAX_PENDING, Connection, read_opened, write_frame


def connection(**rights: object) -> Connection:
    viewer = Viewer(user_id=UserId(1), role="agent", **rights)  # type: ignore[arg-type]
    return Connection(id="one", actor=SYSTEM, viewer=viewer, language="en", session="s")


def test_the_newest_item_of_a_key_wins_and_stands_last() -> None:
    one = connection()
    one.put("row:1", {"k": "row", "id": "1", "html": "old"})
    one.put("row:2", {"k": "row", "id": "2", "html": "other"})
    one.put("row:1", {"k": "row", "id": "1", "html": "new"})
    assert [(item["id"], item["html"]) for item in one.take()] == [("2", "other"), ("1", "new")]
    assert one.take() == []


def test_a_browser_that_is_far_too_slow_reads_its_page_again() -> None:
    one = connection()
    for number in range(MAX_PENDING + 1):
        one.put(f"row:{number}", {"k": "row", "id": str(number)})
    one.put("msg:1", {"k": "msg", "id": "1"})
    one.put("session", {"k": "session"})
    assert one.take() == [{"k": "resync"}, {"k": "session"}]


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
    assert sees.sees(AccountId(5))
    hidden = connection(
        permissions=frozenset({"dialogs.view"}), hidden_accounts=frozenset({AccountId(5)})
    )
    assert not hidden.sees(AccountId(5))
    assert hidden.sees(AccountId(6))
    assert not connection(permissions=frozenset({"contacts.view"})).sees(AccountId(6))


def test_a_frame_is_one_numbered_event_whatever_is_in_it() -> None:
    text = write_frame([{"k": "msg", "html": "два\n\nконца"}], "e1", 42).decode()
    assert text.startswith("id: e1-42\ndata: [")
    assert text.endswith("]\n\n")
    assert text.count("\n\n") == 1


def test_open_dialogs_are_read_out_of_an_address() -> None:
    assert read_opened("12:e1-5,13:,x:1,14") == {12: "e1-5", 13: "", 14: ""}
    assert len(read_opened(",".join(str(one) for one in range(200)))) == 50

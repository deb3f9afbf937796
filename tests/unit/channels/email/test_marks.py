"""How far a mailbox was read, whatever wrote the mark."""

from __future__ import annotations

import pytest

from channels.email.marks import AGAIN_US, DAY_US, Mark, begun, renumbered
from hub import MalformedPayload, Micros

NOW = Micros(1_790_000_000_000_000)


def test_a_mark_reads_back_equal() -> None:
    mark = begun(7, 100, days=3, now=NOW).upto(42, Micros(NOW + 5))
    assert Mark.read(mark.text()) == mark
    assert Mark.read("") is None


def test_marks_of_the_first_version_are_read() -> None:
    found = Mark.read('{"schema": 1, "uidvalidity": 5, "uid": 9}')
    assert found == Mark(uidvalidity=5, uid=9)


@pytest.mark.parametrize("text", ["x", "[]", "{}", '{"schema": 99, "uidvalidity": 1}', '"a"'])
def test_a_mark_nobody_can_read_is_an_error_in_words(text: str) -> None:
    with pytest.raises(MalformedPayload, match="mark"):
        Mark.read(text)


def test_a_new_account_begins_now_or_some_days_back() -> None:
    assert begun(7, 100, days=0, now=NOW).uid == 99
    mark = begun(7, 100, days=2, now=NOW)
    assert mark.uid == 0
    assert not mark.wants(50, NOW - 3 * DAY_US)
    assert mark.wants(50, NOW - DAY_US)
    assert mark.wants(100, NOW - 3 * DAY_US), "a letter moved in later counts, however old"
    assert mark.wants(50, 0), "a server that does not say when gives everything"


def test_a_renumbered_mailbox_is_read_again_but_not_from_before_the_account() -> None:
    young = renumbered(begun(7, 100, days=0, now=NOW), 8, 60, now=NOW)
    assert (young.uidvalidity, young.uid) == (8, 0)
    assert not young.wants(10, NOW - DAY_US)
    old = begun(7, 100, days=0, now=Micros(NOW - 100 * DAY_US)).upto(300, Micros(NOW - 40 * DAY_US))
    again = renumbered(old, 8, 60, now=NOW)
    assert again.wants(10, NOW - 40 * DAY_US), "also after a long silence nothing is missed"
    assert not again.wants(10, NOW - 40 * DAY_US - AGAIN_US - DAY_US)

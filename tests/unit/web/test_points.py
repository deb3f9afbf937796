"""Points to tick in a text: found, ticked, added; what changed meanwhile is not overwritten."""

from __future__ import annotations

import pytest

from hub import Conflict, Invalid
from hub.web.points import TextPoint, points_of, ticked, with_point

TEXT = "By Friday:\n☐ Call\n  ☑ Write \n\nThen rest"


def test_points_are_lines_that_begin_with_a_box() -> None:
    assert points_of(TEXT) == [TextPoint(1, "Call", False), TextPoint(2, "Write", True)]
    assert points_of("Nothing ☐ here") == []


def test_a_point_is_ticked_and_unticked_and_the_rest_stays() -> None:
    once = ticked(TEXT, 1, "Call")
    assert once == "By Friday:\n☑ Call\n  ☑ Write \n\nThen rest"
    assert ticked(once, 1, "Call") == TEXT


@pytest.mark.parametrize(("line", "words"), [(1, "Write"), (9, "Call"), (0, "By Friday:")])
def test_words_that_stand_there_no_more_are_refused(line: int, words: str) -> None:
    with pytest.raises(Conflict):
        ticked(TEXT, line, words)


def test_a_new_point_comes_after_the_last_one() -> None:
    assert with_point(TEXT, " Sleep\n") == TEXT.replace("\n\n", "\n☐ Sleep\n\n")
    assert with_point("", "Sleep") == "☐ Sleep"
    with pytest.raises(Invalid):
        with_point(TEXT, "  ")

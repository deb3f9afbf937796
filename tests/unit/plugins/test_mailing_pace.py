"""How fast a mailing goes and when it ends, said of what was seen of it lately."""

from __future__ import annotations

from plugins.mailings.pace import MINUTE_US, SEEN_US, Pace, Paces, told

SECOND = MINUTE_US // 60


def test_a_pace_is_that_of_the_last_two_minutes() -> None:
    paces = Paces()
    assert paces.look((1, 0), 0, 0, 1_000) is None, "one look says nothing"
    assert paces.look((1, 0), 30 * SECOND, 60, 940) == Pace(
        per_minute=120.0, ends_at=(30 + 470) * SECOND
    )
    for n in range(60, 1_000, 30):
        seen = paces.look((1, 0), n * SECOND, 60, 940)
    assert seen == Pace(per_minute=0.0, ends_at=0), "it stands still now, whatever it did before"
    assert paces.look((2, 0), 0, 5, 5) is None, "each mailing by itself"
    # Nobody looked for long, or it begins anew: what was seen then says nothing.
    assert paces.look((1, 0), 1_000 * SECOND + SEEN_US, 900, 100) is None


def test_a_pace_is_said_in_words() -> None:
    def said(rate: float, minutes: int) -> str:
        return told(Pace(per_minute=rate, ends_at=minutes * MINUTE_US), 0, str)

    assert said(0.5, 0) == "0.5 a minute"
    assert said(120.0, 35) == "120 a minute · about 35 min to go"
    assert said(120.0, 200) == "120 a minute · about 3 h 20 min to go"
    assert said(120.0, 1_500) == "120 a minute · about 25 h to go"

"""Counting what became of a send: a small one whenever somebody asks, a large one now and then."""

from collections.abc import Mapping, Sequence
from typing import Any

from hub.testing import FakeHub
from plugins.mailings.counting import REST_US, SMALL, Counts


class Counting(FakeHub):
    """A hub whose sends have so many rows."""

    rows = 0
    asked = 0

    async def send_counts(self, send_ids: Sequence[int]) -> Mapping[tuple[str, str], int]:
        self.asked += 1
        return {("queued", ""): self.rows}


async def test_a_large_send_rests_after_it_was_counted() -> None:
    hub: Any = Counting()
    counts = Counts()
    hub.rows = SMALL
    for _ in range(3):
        assert await counts.lately(hub, [1]) == {("queued", ""): SMALL}
    assert hub.asked == 3

    hub.rows, hub.asked = SMALL + 1, 0
    await counts.lately(hub, [1])
    hub.turn_clock(REST_US * hub.rows - 1)
    hub.rows += 1
    assert await counts.lately(hub, [1]) == {("queued", ""): SMALL + 1}
    assert hub.asked == 1
    # What is told to somebody is never from a moment ago; another send is another matter.
    assert await counts.exactly(hub, [1]) == {("queued", ""): SMALL + 2}
    await counts.lately(hub, [1, 2])
    assert hub.asked == 3
    hub.turn_clock(REST_US * hub.rows)
    await counts.lately(hub, [1])
    assert hub.asked == 4
    # A clock that was set back.
    hub.turn_clock(-1_000_000)
    await counts.lately(hub, [1])
    assert hub.asked == 5

"""The counter at doors that are open to everybody."""

from __future__ import annotations

from hub import Micros, RateLimit


class Clock:
    now = 1_000_000

    def __call__(self) -> Micros:
        return Micros(self.now)


def test_a_caller_may_call_so_often_and_then_waits() -> None:
    clock = Clock()
    limit = RateLimit(3, 60, clock)
    assert [limit.wait("a") for _ in range(3)] == [0, 0, 0]
    assert 19 < limit.wait("a") <= 20
    assert limit.wait("b") == 0
    clock.now += 20_000_001
    assert limit.wait("a") == 0
    assert limit.wait("a") > 0


def test_a_clock_that_steps_back_gives_nothing_away() -> None:
    clock = Clock()
    limit = RateLimit(1, 60, clock)
    limit.wait("a")
    clock.now -= 500_000
    assert limit.wait("a") > 0


def test_a_flood_of_invented_callers_cannot_fill_the_memory() -> None:
    limit = RateLimit(1, 60, Clock(), max_keys=100)
    for number in range(1_000):
        limit.wait(str(number))
    assert len(limit._left) == 100

"""What is remembered of colleagues is never older than the last change to one of them."""

from __future__ import annotations

from typing import Any

import pytest

from hub import TeamChanged, UserChanged
from hub import colleagues as colleagues_module
from hub.colleagues import LONGEST_US, Colleagues
from hub.ids import Micros

NOW = Micros(1_000)


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The teams of the database, the last one counts; each read takes one away."""
    found: list[Any] = []

    def load(reader: Any) -> Any:
        answer = found.pop(0)
        return answer() if callable(answer) else answer

    monkeypatch.setattr(colleagues_module, "all_teams", load)
    monkeypatch.setattr(colleagues_module, "all_users", lambda reader: [])
    return found


def read(colleagues: Colleagues, now: Micros = NOW) -> Any:
    return colleagues.read(None, now).teams  # type: ignore[arg-type]


@pytest.mark.parametrize("fact", [UserChanged, TeamChanged])
def test_they_are_remembered_until_one_of_them_changes(stored: list[Any], fact: type) -> None:
    colleagues = Colleagues()
    stored.append(["before"])
    assert colleagues.known(NOW) is None
    assert read(colleagues) == ("before",)
    known = colleagues.known(NOW)
    assert known is not None
    assert known.teams == ("before",)
    colleagues.forget([fact.__new__(fact)])
    assert colleagues.known(NOW) is None


def test_they_are_not_remembered_for_long(stored: list[Any]) -> None:
    colleagues = Colleagues()
    stored.append(["early"])
    read(colleagues)
    assert colleagues.known(Micros(NOW + LONGEST_US - 1)) is not None
    assert colleagues.known(Micros(NOW + LONGEST_US)) is None


def test_a_reader_with_an_old_snapshot_is_not_believed(stored: list[Any]) -> None:
    colleagues = Colleagues()

    def slow() -> list[str]:
        # The change is committed while this reader still looks at the world before it.
        colleagues.forget([UserChanged.__new__(UserChanged)])
        return ["old"]

    stored += [slow, ["new"]]
    assert read(colleagues) == ("old",)
    assert colleagues.known(NOW) is None
    assert read(colleagues) == ("new",)
    assert colleagues.known(NOW) is not None

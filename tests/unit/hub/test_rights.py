"""What is remembered of a user's rights is never older than the last change to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crm_store.viewer import Viewer
from hub import Actor, ActorKind, UserChanged
from hub import rights as rights_module
from hub.rights import Rights

VERA = Actor(kind=ActorKind.USER, id=7)
Load = Callable[[], Viewer]


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> list[Viewer]:
    """The database, as `load_viewer` reads it: the last one counts; each read takes one away."""
    found: list[Any] = []

    def load(conn: Any, actor: Actor, scopes: Any) -> Viewer:
        answer = found.pop(0)
        return answer() if callable(answer) else answer

    monkeypatch.setattr(rights_module, "load_viewer", load)
    return found


def changed() -> UserChanged:
    return UserChanged.__new__(UserChanged)


def test_rights_are_read_once_and_again_after_a_change(stored: list[Any]) -> None:
    rights = Rights()
    before, after = Viewer.system(), Viewer.system()
    stored += [before, after]
    assert rights.read(None, VERA) is before  # type: ignore[arg-type]
    assert rights.read(None, VERA) is before  # type: ignore[arg-type]
    rights.forget([changed()])
    assert rights.known(VERA) is None
    assert rights.read(None, VERA) is after  # type: ignore[arg-type]


def test_a_reader_with_an_old_snapshot_is_not_believed(stored: list[Any]) -> None:
    rights = Rights()
    old, new = Viewer.system(), Viewer.system()

    def slow() -> Viewer:
        # The change is committed while this reader still looks at the world before it.
        rights.forget([changed()])
        return old

    stored += [slow, new]
    assert rights.read(None, VERA) is old  # type: ignore[arg-type]
    assert rights.known(VERA) is None
    assert rights.read(None, VERA) is new  # type: ignore[arg-type]

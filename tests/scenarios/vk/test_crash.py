"""Killed at VK's wire: the answer leaves once, or is left to a person when VK has forgotten."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests import warm
from tests.servers.vk import Vk


def run(*args: object) -> subprocess.CompletedProcess[str]:
    """Run the child to its end, or to its death."""
    return warm.run("tests.scenarios.vk.crash_child", *map(str, args), env=os.environ)


@pytest.mark.parametrize(
    ("hop", "minutes", "status", "left"),
    [
        ("before_wire", 5, "sent", 1),
        ("after_wire", 5, "sent", 1),
        ("after_wire", 180, "unknown", 1),
    ],
)
def test_a_kill_at_the_wire_never_doubles(
    tmp_path: Path, empty_database_url: str, vk: Vk, hop: str, minutes: int, status: str, left: int
) -> None:
    vk.allow()
    killed = run(tmp_path, empty_database_url, vk.url, hop, 0)
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-3000:]
    again = run(tmp_path, empty_database_url, vk.url, "none", minutes)
    assert again.returncode == 0, again.stderr[-3000:]
    assert again.stdout.strip() == f"dialogs=1 out={status}"
    assert [one["text"] for one in vk.sent()] == ["answer"] * left

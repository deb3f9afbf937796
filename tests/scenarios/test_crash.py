"""Killed at every hop of the path in and out: no loss, no double, and an honest unknown."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scenarios.crash_child import HOPS

ROOT = Path(__file__).parent.parent.parent


def run(folder: Path, url: str, hop: str, hours: int) -> subprocess.CompletedProcess[str]:
    """Run the child to its end, or to its death."""
    return subprocess.run(
        [sys.executable, "-m", "tests.scenarios.crash_child", str(folder), url, hop, str(hours)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


@pytest.mark.parametrize("hop", HOPS)
def test_a_kill_at_any_hop_loses_and_doubles_nothing(
    tmp_path: Path, empty_database_url: str, hop: str
) -> None:
    killed = run(tmp_path, empty_database_url, hop, 0)
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-3000:]
    # Three hours later every lease of the dead process is over.
    again = run(tmp_path, empty_database_url, "none", 3)
    assert again.returncode == 0, again.stderr[-3000:]
    book = tmp_path / "provider.txt"
    left = book.read_text().split() if book.exists() else []
    assert len(left) == len(set(left)), "something was sent twice"
    assert "dialogs=1 inbound=1" in again.stdout
    status = again.stdout.split("out=")[1].split()[0]
    if hop in ("before_wire", "after_wire", "before_settle"):
        # The wire was called (or was about to be) and the answer was never learned.
        assert status == "unknown"
    else:
        assert status == "sent"
        assert len(left) == 1

"""A disk of its own, as small as a test needs it, and a hub on it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.scenarios.cli.processes import CommandLine, Running

SIZE = 48_000_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, as small as a test needs it: only an administrator may mount one."""
    folder = tmp_path / "data"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a small disk can be mounted by an administrator of this machine only")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def run() -> Iterator[Callable[[CommandLine], Running]]:
    """Start a hub that is ended with the test, before its disk is."""
    started: list[Running] = []

    def start(hub: CommandLine) -> Running:
        started.append(Running.__new__(Running))
        started[-1].__init__(hub)  # type: ignore[misc]
        return started[-1]

    yield start
    for one in started:
        if getattr(one, "process", None) is not None:
            one.stop()

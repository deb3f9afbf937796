"""`dialoghub new-channel` in a folder of its own: generated, installed, tested, loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hub.errors import Invalid
from hub.new_channel import write_channel
from tests.contract.outside import ROOT, install, outside


@pytest.mark.slow
def test_a_new_channel_works_as_it_is_written(tmp_path: Path) -> None:
    folder, site = tmp_path / "carrier_dove", tmp_path / "site"
    written = write_channel("carrier_dove", folder)
    channel = next(one for one in written if one.name == "__init__.py")
    lines = [one for one in channel.read_text().splitlines() if one.strip()]
    assert len(lines) < 60
    install(folder, site)
    tests = outside(site, "-m", "pytest", "-q", "tests", cwd=folder)
    assert tests.returncode == 0, tests.stdout + tests.stderr
    assert " passed" in tests.stdout
    assert "skipped" not in tests.stdout
    shown = outside(
        site, "-m", "hub", "plugins", "--data", str(tmp_path / "data"), "--json", cwd=tmp_path
    )
    assert '"carrier_dove"' in shown.stdout
    assert shown.returncode == 0, shown.stdout


@pytest.mark.parametrize("name", ["Pigeon", "2pigeons", "class", "pi-geon", "", "p"])
def test_a_name_that_cannot_be_a_channel_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid):
        write_channel(name, tmp_path / "new")


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("mine")
    command = [sys.executable, "-m", "hub", "new-channel", "pigeon", "--folder", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert ended.returncode == 1
    assert "is not empty" in ended.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["mine.py"]

"""Files that pass: nothing of them stays."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import anyio
import pytest
from starlette.types import Message

from hub.scratch import NAME, Scratch, passing_file

HOLDER = """
import sys, tempfile
from pathlib import Path
from hub.scratch import Scratch
Scratch(Path(sys.argv[1])).take()
Path(tempfile.mkdtemp(), "list.csv").write_text("Anna")
print(tempfile.gettempdir(), flush=True)
sys.stdin.read()
"""


def test_what_a_killed_process_left_goes_and_what_a_living_one_has_stays(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        theirs = Path(other.stdout.readline().strip())
        scratch = Scratch(tmp_path)
        scratch.take()
        assert Path(tempfile.gettempdir()).parent == tmp_path / NAME
        scratch.drop()
        assert list(theirs.rglob("list.csv")), "it is still at work"
        other.kill()
    scratch.take()
    assert not theirs.exists()
    scratch.drop()
    assert list((tmp_path / NAME).iterdir()) == []


def test_a_data_directory_without_a_folder_of_it_does_not_keep_the_hub_from_starting(
    tmp_path: Path,
) -> None:
    (tmp_path / NAME).write_text("in the way")
    before = tempfile.gettempdir()
    scratch = Scratch(tmp_path)
    scratch.take()
    assert tempfile.gettempdir() == before
    scratch.drop()


@pytest.mark.parametrize("goes_away", [False, True], ids=["sent", "gone"])
async def test_a_file_goes_once_it_was_sent(
    goes_away: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    async def write(path: Path) -> None:
        await anyio.Path(path).write_bytes(b"x" * 300_000)

    sent = 0
    began = anyio.Event()

    async def send(message: Message) -> None:
        nonlocal sent
        sent += len(message.get("body", b""))
        if goes_away and sent:
            began.set()
            await anyio.sleep_forever()

    async def receive() -> Message:
        await began.wait()
        return {"type": "http.disconnect"}

    answer = await passing_file(write, name="list.xlsx", media_type="text/plain")
    assert os.listdir(tmp_path)
    await answer({"type": "http", "method": "GET", "headers": []}, receive, send)
    assert (sent == 300_000) is not goes_away
    assert os.listdir(tmp_path) == []


async def test_nothing_stays_of_a_file_that_could_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    async def write(path: Path) -> None:
        await anyio.Path(path).write_bytes(b"half")
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        await passing_file(write, name="list.xlsx", media_type="text/plain")
    assert os.listdir(tmp_path) == []

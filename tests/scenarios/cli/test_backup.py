"""A backup comes back as it was, and nobody is written to twice."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.carrier import CLAIM_LEASE
from tests.scenarios.cli.processes import CommandLine, Running, until, write

Run = Callable[..., Running]


def furnish(hub: CommandLine, *settings: str) -> None:
    hub(
        "user",
        "create",
        "ada@hub.example",
        "--role",
        "administrator",
        "--password-stdin",
        given="correct horse battery\n",
    )
    hub("account", "add", "pigeon", "ring=secret-ring", *settings, "--title", "Loft")


def test_what_was_sent_after_a_backup_is_not_sent_again(
    hub: CommandLine, run: Run, tmp_path: Path
) -> None:
    furnish(hub)
    archive = tmp_path / "hub.tar.gz"
    # Nothing carries the outbox yet: the backup finds both messages waiting.
    write(hub, "one", "two")
    write(hub, "planned", later_hours=24)
    hub("backup", archive)
    running = run(hub)
    until(lambda: hub.flown() == ["one", "two"], f"{hub.flown()}")
    assert running.stop() == 0

    said = hub("restore", archive, "--force")
    assert "3 message(s)" in said

    running = run(hub)
    write(hub, "three")
    until(lambda: len(hub.flown()) == 3, f"{hub.flown()}")
    assert running.stop() == 0
    assert hub.flown() == ["one", "two", "three"]


def test_a_restore_starts_an_epoch_and_logs_everybody_out(
    hub: CommandLine, run: Run, tmp_path: Path
) -> None:
    furnish(hub)
    archive = tmp_path / "hub.tar.gz"
    hub("backup", archive)
    epochs = []
    for _ in range(2):
        running = run(hub)
        epochs += re.findall(r"epoch=(\w+)", running.said())
        assert running.stop() == 0
        hub("restore", archive, "--force")
    assert len(set(epochs)) == 2


@pytest.mark.slow
@pytest.mark.long
def test_a_backup_of_a_running_hub_holds_it_all(hub: CommandLine, run: Run, tmp_path: Path) -> None:
    furnish(hub)
    running = run(hub)
    write(hub, *(f"message {n}" for n in range(50)))
    archive = tmp_path / "hub.tar.gz"
    hub("backup", archive)
    until(lambda: len(hub.flown()) == 50)
    assert running.stop() == 0
    with tarfile.open(archive) as tar:
        manifest = json.load(tar.extractfile("manifest.json"))  # type: ignore[arg-type]
        assert manifest["counts"]["messages"] == 50
        assert "keys.json" not in tar.getnames()
    assert archive.stat().st_mode & 0o077 == 0


def test_a_hub_that_is_there_is_not_replaced_by_accident(
    hub: CommandLine, run: Run, tmp_path: Path
) -> None:
    furnish(hub)
    archive = tmp_path / "hub.tar.gz"
    hub("backup", archive)
    assert "--force" in hub.refused("restore", archive)
    assert "exists already" in hub.refused("backup", archive)
    running = run(hub)
    assert "run" in hub.refused("restore", archive, "--force")
    running.stop()


def test_a_damaged_or_cut_archive_changes_nothing(hub: CommandLine, tmp_path: Path) -> None:
    furnish(hub)
    archive = tmp_path / "hub.tar.gz"
    hub("backup", archive)
    whole = archive.read_bytes()
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(whole[: len(whole) // 2])
    # In the middle of a file, or between two: where the cut falls is chance.
    said = hub.refused("restore", cut, "--force")
    assert "cannot be read" in said or "its end is missing" in said
    other = tmp_path / "other.tar.gz"
    with tarfile.open(other, "w:gz") as tar:
        tar.add(archive, "../../etc/passwd")
    assert "not a backup" in hub.refused("restore", other, "--force")
    junk = tmp_path / "junk"
    junk.write_bytes(os.urandom(5000))
    assert "cannot be read" in hub.refused("restore", junk, "--force")
    assert "ada@hub.example" in hub("user", "list")


def test_without_its_key_ring_a_hub_starts_and_says_what_is_missing(
    hub: CommandLine, run: Run, tmp_path: Path
) -> None:
    furnish(hub)
    archive = tmp_path / "hub.tar.gz"
    hub("backup", archive)
    elsewhere = CommandLine(tmp_path / "elsewhere" / "data", hub.database)
    assert "Loft" in _restored(elsewhere, archive)
    running = run(elsewhere)
    found = json.loads(elsewhere("account", "list", "--json"))
    assert found[0]["state"] == "needs_secret"
    assert running.stop() == 0
    done = elsewhere.try_out("check")
    assert done.returncode == 1
    assert "enter them again: Loft" in done.stdout


def _restored(hub: CommandLine, archive: Path) -> str:
    """Restore on another machine; a server's database is the same one."""
    return hub("restore", archive, *(["--force"] if hub.database else []))


def test_the_key_ring_travels_only_when_asked(hub: CommandLine, tmp_path: Path) -> None:
    furnish(hub)
    archive = tmp_path / "hub.tar.gz"
    done = hub.try_out("backup", archive, "--with-keys")
    assert done.returncode == 0
    assert "WARNING" in done.stderr
    elsewhere = CommandLine(tmp_path / "elsewhere" / "data", hub.database)
    _restored(elsewhere, archive)
    assert json.loads(elsewhere("account", "list", "--json"))[0]["state"] != "needs_secret"
    assert "enter them again" not in elsewhere.try_out("check").stdout
    # A ring that is there already stays, and reads what the backup brings.
    third = CommandLine(tmp_path / "third" / "data", "")
    if not hub.database:
        third("keys", "rotate")
        assert "reads with the keys of the backup too" in third("restore", archive, "--force")
        assert json.loads(third("account", "list", "--json"))[0]["state"] != "needs_secret"


def test_rows_of_either_database_come_back_in_sqlite(hub: CommandLine, tmp_path: Path) -> None:
    furnish(hub)
    write(hub, "one", "Стоимость доставки")
    archive = tmp_path / "rows.tar.gz"
    hub("backup", archive, "--portable", "--with-keys")
    moved = CommandLine(tmp_path / "moved" / "data", "")
    moved("restore", archive)
    assert json.loads(moved("account", "list", "--json"))[0]["title"] == "Loft"
    with sqlite3.connect(moved.data / "hub.db") as conn:
        texts = [row[0] for row in conn.execute("SELECT text FROM messages ORDER BY id")]
        indexed = conn.execute("SELECT count(*) FROM message_terms").fetchone()[0]
    conn.close()
    assert texts == ["one", "Стоимость доставки"]
    assert indexed == 2


def test_who_was_erased_after_the_backup_stays_erased(hub: CommandLine, tmp_path: Path) -> None:
    furnish(hub)
    write(hub, "hello Vera")
    archive = tmp_path / "hub.tar.gz"
    hub("backup", archive)
    handed_over = tmp_path / "vera.zip"
    hub("export", "vera", handed_over)
    with zipfile.ZipFile(handed_over) as found:
        data = json.loads(found.read("data.json"))
    assert [one["text"] for one in data["messages"]] == ["hello Vera"]
    hub("erase", "vera", "--yes")
    listed = tmp_path / "erasures.jsonl"
    listed.write_text(hub("erasures"))
    assert "erased again" in hub("restore", archive, "--force")
    assert "nobody has the address" in hub.refused("export", "vera", tmp_path / "again.zip")

    # The machine is lost: the list alone must do.
    elsewhere = CommandLine(tmp_path / "elsewhere" / "data", "")
    if not hub.database:
        said = elsewhere("restore", archive, "--erasures", listed)
        assert "1 person(s)" in said


@pytest.mark.slow
@pytest.mark.long
def test_a_kill_in_the_middle_of_a_send_never_sends_it_again(
    hub: CommandLine, run: Run, tmp_path: Path
) -> None:
    furnish(hub, "seconds=2")
    write(hub, "in flight")
    running = run(hub)
    until(lambda: hub.flown() == ["in flight"])
    running.stop(signal.SIGKILL)
    running = run(hub)
    write(hub, "behind it")
    # Nobody else can have it in hands on an embedded database; elsewhere its lease must end first.
    lease = 0 if not hub.database else CLAIM_LEASE.total_seconds()
    until(lambda: hub.flown() == ["in flight", "behind it"], f"{hub.flown()}", beyond=lease)
    assert running.stop() == 0
    hub("export", "vera", tmp_path / "vera.zip")
    with zipfile.ZipFile(tmp_path / "vera.zip") as found:
        told = {
            one["text"]: one["status"] for one in json.loads(found.read("data.json"))["messages"]
        }
    assert told == {"in flight": "unknown", "behind it": "sent"}

"""The command line does what it says, and says what it cannot do."""

from __future__ import annotations

import json
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scenarios.cli.processes import CommandLine, Running, until, write

Run = Callable[..., Running]
PASSWORD = "correct horse battery\n"


def create_ada(hub: CommandLine) -> None:
    hub(
        "user",
        "create",
        "ada@hub.example",
        "--role",
        "administrator",
        "--password-stdin",
        given=PASSWORD,
    )


def test_both_names_of_the_command_start_from_nothing(hub: CommandLine) -> None:
    # Every other test forks a process that has imported everything already.
    script = str(Path(sys.executable).parent / "dialoghub")
    for command in ([script], [sys.executable, "-m", "hub"]):
        done = subprocess.run(
            [*command, "plugins"], env=hub.env(), capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        assert "web_chat" in done.stdout


def test_a_second_hub_on_the_same_folder_is_refused_in_words(hub: CommandLine, run: Run) -> None:
    # Several processes may share PostgreSQL; the embedded database has one writer.
    embedded = CommandLine(hub.data, "")
    running = run(embedded)
    said = embedded.refused("run", "--port", str(running.port + 1))
    assert "already runs" in said
    assert str(running.process.pid) in said
    assert running.stop() == 0


def test_web_and_worker_share_the_work_on_a_server_s_database(
    tmp_path: Path, postgres_url: str, run: Run
) -> None:
    hub = CommandLine(tmp_path / "data", postgres_url)
    # The core's tables are there; those of the plugins are steps still to be taken.
    assert "run `dialoghub migrate`" in hub.refused("user", "list")
    hub("migrate")
    create_ada(hub)
    hub("account", "add", "pigeon", "ring=x", "--title", "Loft")
    web = run(hub, "--only", "web")
    write(hub, "who carries this?")
    worker = run(hub, "--only", "worker")
    until(lambda: hub.flown() == ["who carries this?"])
    with pytest.raises(urllib.error.HTTPError, match="404"):
        worker.get("/login")
    assert web.stop() == 0
    assert worker.stop() == 0


def test_a_killed_hub_leaves_no_lock_behind(hub: CommandLine, run: Run) -> None:
    run(hub).stop(signal.SIGKILL)
    assert run(hub).stop() == 0


def test_a_taken_port_is_named(hub: CommandLine) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"127.0.0.1:{port}" in hub.refused("run", "--port", port)


def test_the_first_start_prints_its_address_and_the_set_up_link_once(
    hub: CommandLine, run: Run
) -> None:
    running = run(hub)
    until(lambda: "/setup/" in running.said())
    assert f"http://127.0.0.1:{running.port}" in running.said()
    assert running.stop() == 0
    create_ada(hub)
    running = run(hub)
    until(lambda: "is ready at" in running.said())
    assert "/setup/" not in running.said()


def test_a_stop_does_not_wait_for_what_never_ends(hub: CommandLine, run: Run) -> None:
    create_ada(hub)
    hub.environment["HUB_STOP_SECONDS"] = "50"
    running = run(hub)
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    at = f"http://127.0.0.1:{running.port}"
    browser.open(f"{at}/login", timeout=10).close()
    form = urllib.parse.urlencode({"email": "ada@hub.example", "password": PASSWORD.strip()})
    login = urllib.request.Request(f"{at}/login", form.encode(), {"Origin": at})
    browser.open(login, timeout=10).close()
    with (
        browser.open(f"{at}/live", timeout=10) as stream,
        socket.create_connection(("127.0.0.1", running.port)) as idle,
    ):
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert b"hello" in stream.readline() + stream.readline()
        idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        asked = time.monotonic()
        assert running.stop(signal.SIGINT) == 0
        assert time.monotonic() - asked < 40
    assert "Traceback" not in running.said()


def test_the_key_ring_is_readable_by_its_owner_only(hub: CommandLine) -> None:
    create_ada(hub)
    assert stat.S_IMODE((hub.data / "keys.json").stat().st_mode) == 0o600
    (hub.data / "keys.json").chmod(0o644)
    done = hub.try_out("check")
    assert done.returncode == 1
    assert "chmod 600" in done.stdout


def test_colleagues_are_made_listed_and_kept_out(hub: CommandLine) -> None:
    create_ada(hub)
    assert "e-mail address already" in hub.refused(
        "user", "create", "ADA@hub.example", "--password-stdin", given=PASSWORD
    )
    assert "10 characters" in hub.refused(
        "user", "create", "bob@hub.example", "--password-stdin", given="short\n"
    )
    hub("user", "create", "bob@hub.example", "--password-stdin", given=PASSWORD)
    hub("user", "deactivate", "bob@hub.example")
    found = {one["email"]: one for one in json.loads(hub("user", "list", "--json"))}
    assert found["bob@hub.example"]["active"] is False
    assert "last administrator" in hub.refused("user", "deactivate", "ada@hub.example")
    assert "no colleague" in hub.refused("user", "password", "eve@hub.example")


def test_whoever_is_locked_out_opens_every_network_again(hub: CommandLine) -> None:
    create_ada(hub)
    assert "is no network" in hub.refused("networks", "set", "10.0.0.0/40")
    hub("networks", "set", "10.1.2.3/8", "2001:db8::/32")
    assert json.loads(hub("networks", "show", "--json")) == ["10.0.0.0/8", "2001:db8::/32"]
    hub("networks", "clear")
    assert "everywhere" in hub("networks", "show")


def test_a_token_is_shown_once_and_ends_when_revoked(hub: CommandLine) -> None:
    create_ada(hub)
    made = json.loads(
        hub("token", "create", "ada@hub.example", "--scope", "dialogs.view", "--json")
    )
    assert made["token"].startswith("hub_")
    assert made["token"] not in hub("token", "list")
    hub("token", "revoke", made["id"])
    assert json.loads(hub("token", "list", "--json"))[0]["revoked"] is True
    assert "no right" in hub.refused("token", "create", "ada@hub.example", "--scope", "fly")


def test_accounts_are_connected_paused_and_removed(hub: CommandLine) -> None:
    create_ada(hub)
    assert "there is no channel" in hub.refused("account", "add", "owl", "--title", "x")
    assert "no setting" in hub.refused("account", "add", "pigeon", "rng=1", "--title", "x")
    hub("account", "add", "pigeon", "--title", "Loft", given="from-the-prompt\n")
    listed = hub("account", "list", "--json")
    assert "from-the-prompt" not in listed
    assert json.loads(listed)[0]["secrets_set"] == ["ring"]
    hub("account", "pause", "Loft")
    assert json.loads(hub("account", "list", "--json"))[0]["state"] == "paused"
    assert hub("account", "check", "Loft").startswith("ok")
    assert "nothing was done" in hub.refused("account", "remove", "Loft")
    hub("account", "remove", "Loft", "--yes")
    assert json.loads(hub("account", "list", "--json")) == []


def test_rotated_keys_still_open_every_secret(hub: CommandLine, run: Run) -> None:
    create_ada(hub)
    hub("account", "add", "pigeon", "ring=x", "--title", "Loft")
    running = run(hub)
    hub("keys", "rotate")
    if hub.database:
        assert "still run" in hub.refused("keys", "rotate", "--forget-old")
    # The hub that runs takes the new keys over by itself.
    hub("account", "add", "pigeon", "ring=y", "--title", "Second loft")
    assert running.stop() == 0
    hub("keys", "rotate", "--forget-old")
    assert "2 readable" in hub.try_out("check").stdout


def test_check_speaks_plainly_and_counts_failures(hub: CommandLine, tmp_path: Path) -> None:
    create_ada(hub)
    assert hub.try_out("check").returncode in (0, 1)
    found = {one["what"]: one for one in json.loads(hub.try_out("check", "--json").stdout)}
    assert found["migrations"]["state"] == "ok"
    assert found["public address"]["state"] == "warn"
    away = CommandLine(hub.data, "postgresql://nobody@127.0.0.1:1/none")
    done = away.try_out("check")
    assert done.returncode == 1
    assert "FAIL  database" in done.stdout


def test_check_calls_the_public_address(hub: CommandLine, run: Run) -> None:
    running = run(hub)
    hub.environment["HUB_PUBLIC_URL"] = f"http://127.0.0.1:{running.port}"
    assert "leads to this hub" in hub.try_out("check").stdout
    hub.environment["HUB_PUBLIC_URL"] = "http://127.0.0.1:9"
    assert "does not lead here" in hub.try_out("check").stdout


def test_a_database_out_of_reach_is_said_in_one_line(tmp_path: Path) -> None:
    away = CommandLine(tmp_path / "data", "postgresql://nobody@127.0.0.1:1/none")
    said = away.refused("user", "list")
    assert said.splitlines()[-1].startswith("dialoghub: the database refused")


def test_a_damaged_setting_names_itself(hub: CommandLine) -> None:
    hub.environment["HUB_PORT"] = "eighty"
    assert "HUB_PORT" in hub.refused("user", "list")


def test_metrics_are_for_this_machine_only(hub: CommandLine, run: Run) -> None:
    running = run(hub)
    url = f"http://127.0.0.1:{running.port}/metrics"
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert b"hub_journal_last" in answer.read()
    forwarded = urllib.request.Request(url, headers={"X-Forwarded-For": "203.0.113.9"})
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(forwarded, timeout=10)


def test_migrate_shows_its_plan_first(hub: CommandLine) -> None:
    assert "to do" in hub("migrate", "--plan")
    assert "done: 0001" in hub("migrate")
    assert "nothing to do" in hub("migrate", "--plan")


def test_a_file_is_imported_after_a_dry_run(hub: CommandLine, tmp_path: Path) -> None:
    file, bad = tmp_path / "people.csv", tmp_path / "bad.csv"
    file.write_text("Name;Phone;Mail\nAnna;+79120000001;a@example.org\nBad;;nonsense\n")
    chosen = ("--map", "Name=name", "--map", "Mail=email", "--key", "email")
    dry = json.loads(hub("import", str(file), *chosen, "--dry-run", "--json"))
    assert (dry["state"], dry["created"], dry["bad"]) == ("checked", 1, 1)
    said = hub("import", str(file), *chosen, "--yes", "--bad-rows", str(bad))
    assert "1 created" in said
    assert "nonsense" in bad.read_text("utf-8-sig")
    again = json.loads(hub("import", str(file), *chosen, "--yes", "--json"))
    assert (again["created"], again["duplicates"]) == (0, 1)
    assert "no heading" in hub.refused("import", str(file), "--map", "Age=name")


def test_the_tree_of_teams_is_set_up_from_a_shell(hub: CommandLine) -> None:
    create_ada(hub)
    hub("team", "create", "Support", "--member", "ada@hub.example")
    hub("team", "create", "Desk", "--under", "support")
    lines = [line.split() for line in hub("team", "list").splitlines()[1:]]
    assert [line[0] for line in lines] == ["Support", "Desk"]
    assert lines[0][1] == "ada@hub.example"
    hub("team", "rename", "Desk", "First")
    hub("team", "move", "First")
    assert "cannot stand under itself" in hub.refused("team", "move", "First", "--under", "First")
    found = {one["name"]: one for one in json.loads(hub("team", "list", "--json"))}
    assert found["First"]["parent_id"] == "0"
    assert "--into" in hub.refused("team", "remove", "Support")
    assert "member 1" in hub.refused("team", "remove", "Support")
    hub("team", "remove", "Support", "--into", "First")
    (left,) = json.loads(hub("team", "list", "--json"))
    assert (left["id"], len(left["members"])) == (found["First"]["id"], 1)
    assert "team list" in hub.refused("team", "rename", "Nobody", "X")

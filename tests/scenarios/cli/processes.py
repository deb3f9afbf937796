"""Real processes of the command line, on the database that --db chose."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests import warm

PATIENCE = 60.0
PIGEONS = Path(__file__).parent / "plugins"


@dataclass
class CommandLine:
    """`dialoghub` with one installation's options in its environment."""

    data: Path
    database: str
    environment: dict[str, str] = field(default_factory=dict)

    def env(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("HUB_") or name == "HUB_CACHE"
        }
        return kept | {
            "HUB_DATA": str(self.data),
            "HUB_DATABASE_URL": self.database,
            "HUB_PLUGINS_DIR": str(PIGEONS),
            "PIGEON_LOFT": str(self.loft),
            **self.environment,
        }

    @property
    def loft(self) -> Path:
        """The file that shows what has left."""
        return self.data.parent / "loft.txt"

    def flown(self) -> list[str]:
        return self.loft.read_text().splitlines() if self.loft.exists() else []

    def try_out(self, *arguments: object, given: str = "") -> subprocess.CompletedProcess[str]:
        return warm.run("hub", *map(str, arguments), env=self.env(), given=given)

    def __call__(self, *arguments: object, given: str = "") -> str:
        done = self.try_out(*arguments, given=given)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def refused(self, *arguments: object, given: str = "") -> str:
        """The words of an expected failure: never a traceback."""
        done = self.try_out(*arguments, given=given)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr


class Running:
    """A hub that serves."""

    def __init__(self, hub: CommandLine, *options: str) -> None:
        self.hub = hub
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.log = hub.data.parent / f"run-{self.port}.log"
        self.process = warm.WarmProcess(
            "hub", "run", "--port", str(self.port), *options, env=hub.env(), output=self.log
        )
        self.wait()

    def wait(self) -> None:
        until(self._is_ready, f"the hub is not ready: {self.said()}")

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, self.said()
        try:
            return bool(self.get("/readyz")["ready"])
        except OSError:
            return False

    def get(self, path: str) -> dict[str, object]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            found: dict[str, object] = json.loads(answer.read())
            return found

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def stop(self, how: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(timeout=PATIENCE)


def until(
    condition: Callable[[], bool], words: str = "waited in vain", *, beyond: float = 0
) -> None:
    """Wait until something is so: as long as anything may take, `beyond` what must pass first."""
    deadline = time.monotonic() + beyond + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, words
        time.sleep(0.05)


def write(hub: CommandLine, *texts: str, later_hours: float = 0) -> None:
    """Let an agent write, from a process of its own."""
    hours = str(later_hours)
    done = warm.run("tests.scenarios.cli.writing", hours, *texts, env=hub.env())
    assert done.returncode == 0, done.stderr

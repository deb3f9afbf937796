"""Follows docs/plugin-author.md: every fenced block is run or written, in order, in a fresh place.

`console` blocks are typed into a shell; a block with `file=` is a new file, `append=` goes to its
end, `replace=` holds what stands there and, under a line of dashes, what stands there afterwards.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
import venv
from dataclasses import dataclass, field
from pathlib import Path

from tests.contract.outside import ROOT

_BLOCK = re.compile(r"^```(\w+)(?: (\w+)=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PATIENCE = 120


@dataclass
class Reader:
    """An author with an empty folder, an environment of his own and the document."""

    folder: Path
    port: int
    said: list[tuple[str, str]] = field(default_factory=list)
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.environment = self.folder / "environment"
        venv.create(self.environment, with_pip=False, symlinks=True)
        [site] = self.environment.glob("lib/python*/site-packages")
        parents = [one for one in sys.path if one.endswith("site-packages")]
        # What the product needs is installed already; the path file shows it to the new place.
        (site / "product.pth").write_text("\n".join([str(ROOT), *parents]) + "\n")
        self._command("pip", "from pip._internal.cli.main import main")
        self._command("dialoghub", "from hub.cli import main")

    def _command(self, name: str, line: str) -> None:
        file = self.environment / "bin" / name
        python = self.environment / "bin" / "python"
        file.write_text(f"#!{python}\nimport sys\n{line}\nsys.exit(main())\n")
        file.chmod(0o755)

    def shell(self) -> dict[str, str]:
        """The shell's variables: this environment first, no index, this port."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTEST", "PYTHON", "HUB_"))
        }
        return {
            **kept,
            "PATH": f"{self.environment / 'bin'}:{kept['PATH']}",
            "VIRTUAL_ENV": str(self.environment),
            "PIP_NO_INDEX": "1",
            "PIP_NO_BUILD_ISOLATION": "0",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "HUB_PORT": str(self.port),
        }

    def follow(self, document: Path) -> None:
        """Do what the document says, block by block."""
        text = document.read_text(encoding="utf-8").replace("8000", str(self.port))
        for kind, act, name, body in _BLOCK.findall(text):
            if kind == "console":
                for line in body.splitlines():
                    assert line.startswith("$ "), line
                    self.type(line[2:])
            else:
                self.write(act, self.folder / name, body)

    def write(self, act: str, file: Path, body: str) -> None:
        """Write, append to or change a file."""
        file.parent.mkdir(parents=True, exist_ok=True)
        if act == "file":
            file.write_text(body, encoding="utf-8")
        elif act == "append":
            file.write_text(file.read_text(encoding="utf-8") + body, encoding="utf-8")
        else:
            before, after = (part.strip("\n") for part in body.split("\n---\n"))
            text = file.read_text(encoding="utf-8")
            assert text.count(before) == 1, f"{file.name} holds {text.count(before)} of {before!r}"
            file.write_text(text.replace(before, after), encoding="utf-8")

    def type(self, line: str) -> None:
        """Run a line of a console; one that ends in & runs on, and its port is waited for."""
        if line.endswith(" &"):
            with (self.folder / "hub.log").open("wb") as log:
                command = ["bash", "-c", f"exec {line[:-2]}"]
                started = subprocess.Popen(
                    command, cwd=self.folder, env=self.shell(), stdout=log, stderr=subprocess.STDOUT
                )
            self.running.append(started)
            self._answers()
            return
        ended = subprocess.run(
            ["bash", "-c", line],
            cwd=self.folder,
            env=self.shell(),
            capture_output=True,
            text=True,
            timeout=PATIENCE * 3,
            check=False,
        )
        assert ended.returncode == 0, f"$ {line}\n{ended.stdout}\n{ended.stderr}"
        self.said.append((line, ended.stdout))

    def _answers(self) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/login", timeout=30).close()
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                assert self.running[-1].poll() is None, (self.folder / "hub.log").read_text()
                time.sleep(0.1)
        raise AssertionError((self.folder / "hub.log").read_text())

    def heard(self, start: str) -> str:
        """What was answered to the line that starts so."""
        return next(answer for line, answer in self.said if line.startswith(start))

    def close(self) -> None:
        """End what runs on."""
        for one in self.running:
            one.terminate()
        for one in self.running:
            one.wait(60)

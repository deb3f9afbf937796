"""Real processes of ours that start at once: forks of a parent that has imported everything.

    process = WarmProcess("hub", "user", "list", env={...}, output=path)
    code = process.wait(60)

What `python -m <module> <arguments>` does, without the second of imports that each of some
hundred commands of the suite would pay. One cold start remains in the tests of the command line.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.warm_parent"])
# Under `make test` that parent is itself a fork of one that has imported everything.
if "HUB_TEST_PYTHON" in os.environ:
    _context.set_executable(os.environ["HUB_TEST_PYTHON"])


class WarmProcess:
    """A running `python -m module`; both streams go into `output`, or the errors into `errors`."""

    def __init__(
        self,
        module: str,
        *arguments: str,
        env: Mapping[str, str],
        output: Path,
        errors: Path | None = None,
        given: Path | None = None,
    ) -> None:
        output.touch()
        self._output = output
        paths = (str(given or os.devnull), str(output), str(errors or output))
        self._process = _context.Process(
            target=_run, args=(module, arguments, dict(env), paths), daemon=True
        )
        self._process.start()

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    def poll(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, how: int) -> None:
        os.kill(self.pid, how)

    def kill(self) -> None:
        """End it at once where it still runs, and wait until it is gone."""
        self._process.kill()
        self._process.join()

    def said(self) -> str:
        """What it wrote so far."""
        return self._output.read_text()

    def wait_until_said(self, line: str, timeout: float) -> None:
        """Wait for this line of its output."""
        until = time.monotonic() + timeout
        while line not in self.said().splitlines():
            assert self.poll() is None, f"it ended before it said {line!r}: {self.said()[-3000:]}"
            assert time.monotonic() < until, f"it did not say {line!r} within {timeout:g} s"
            time.sleep(0.005)

    def wait(self, timeout: float) -> int:
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired(str(self._process), timeout)
        return code


def run(
    module: str, *arguments: str, env: Mapping[str, str], given: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run to the end; what is given and said passes through files."""
    with tempfile.TemporaryDirectory(dir=os.environ["HUB_TEST_FOLDER"]) as folder:
        said, complained, heard = (Path(folder, name) for name in ("out", "err", "in"))
        heard.write_text(given)
        process = WarmProcess(
            module, *arguments, env=env, output=said, errors=complained, given=heard
        )
        try:
            code = process.wait(120)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            raise
        return subprocess.CompletedProcess(
            [module, *arguments], code, said.read_text(), complained.read_text()
        )


def _run(
    module: str, arguments: tuple[str, ...], env: dict[str, str], paths: tuple[str, str, str]
) -> None:
    # A daemon in the sense of multiprocessing may have no children; a hub may.
    multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined]
    os.environ.clear()
    os.environ.update(env)
    given, output, errors = paths
    for number, path, mode in ((0, given, "r"), (1, output, "w"), (2, errors, "w")):
        if number == 2 and errors == output:
            os.dup2(1, 2)
        else:
            with open(path, mode) as opened:
                os.dup2(opened.fileno(), number)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - lives as long as the process
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)

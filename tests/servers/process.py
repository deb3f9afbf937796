"""What every private server shares: a directory, free ports, a process that cannot outlive us."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

# A test process that is killed cannot clean up. Its end closes this shell's input, and the shell
# ends the server and whatever it started; a word on the input says that there is nothing to end.
# (The kernel's own parent-death signal is lost when a server changes between users, as Postfix does.)
GUARD = """
read -r word && exit
kill -s "$2" -- "-$1"
sleep 2
kill -s KILL -- "-$1"
rm -rf -- "$3"
"""
START_SECONDS = 20.0
KILL_SECONDS = 10.0


class ServerMissing(Exception):
    """The server is not installed here, or cannot run as this user; the text says what to do."""


class ServerFailed(Exception):
    """The server is installed but did not start; the text holds the end of its log."""


def ids_of(user: str) -> tuple[int, int]:
    entry = pwd.getpwnam(user)
    return entry.pw_uid, entry.pw_gid


def find_binary(name: str, *folders: str, package: str) -> str:
    path = shutil.which(name, path=os.pathsep.join([*folders, os.environ.get("PATH", "")]))
    if path is None:
        raise ServerMissing(f"{name} is not installed (Debian package {package})")
    return path


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now; taken all at once, so that they differ."""
    with contextlib.ExitStack() as stack:
        ports = []
        for _ in range(count):
            probe = stack.enter_context(socket.socket())
            probe.bind(("127.0.0.1", 0))
            ports.append(probe.getsockname()[1])
        return ports


def wait_until(is_true: Callable[[], bool], what: str, seconds: float = START_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > deadline:
            raise ServerFailed(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.02)


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class PrivateServer:
    """One server process in a directory of its own; a context manager.

    You implement `configure` (write files into `self.directory`, once) and `command` (the argument
    list of the server in the foreground) and set `ports` to those it listens on.
    """

    name: str = "server"
    user: str | None = None
    ports: Sequence[int] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10.0

    def __init__(self) -> None:
        # Not pytest's directory: that one is closed to the users that servers change to.
        self.directory = Path(tempfile.mkdtemp(prefix=f"hub-{self.name}-"))
        self.directory.chmod(0o755)
        self.log_file = self.directory / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._is_configured = False

    def configure(self) -> None:
        raise NotImplementedError

    def command(self) -> list[str]:
        raise NotImplementedError

    def is_ready(self) -> bool:
        return all(is_listening(port) for port in self.ports)

    def log(self) -> str:
        """The server's own words so far."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} is not running"
        return self._process.pid

    def start(self) -> None:
        if self.is_running:
            return
        if not self._is_configured:
            self.configure()
            self._is_configured = True
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self.user,
                group=ids_of(self.user)[1] if self.user else None,
                extra_groups=[] if self.user else None,
                start_new_session=True,
            )
        self._guard = self._guarded_by(self._process.pid)
        self._wait_ready()

    def _guarded_by(self, pid: int) -> subprocess.Popen[bytes]:
        number = str(int(self.stop_signal))
        return subprocess.Popen(
            ["/bin/sh", "-c", GUARD, "guard", str(pid), number, str(self.directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            if not self.is_running or time.monotonic() > deadline:
                self.stop()
                raise ServerFailed(f"{self.name} did not start:\n{self.log()[-3000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Ends the server as an orderly shutdown does; nothing it stored is lost."""
        if self._process is None:
            return
        self.resume()
        self._process.send_signal(self.stop_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(self.stop_seconds)
        # Children may stay behind while another server still holds a connection to them.
        self.kill()

    def kill(self) -> None:
        """Ends the server and its children at once, as a power cut does."""
        self._signal_all(signal.SIGKILL)
        if self._process is not None:
            self._process.wait(KILL_SECONDS)
            self._process = None
        if self._guard is not None:
            self._guard.communicate(b"done\n")
            self._guard = None

    def restart(self) -> None:
        """The same server with the same data on the same ports."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Freezes the server: connections stay open and nothing answers, until `resume`."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: signal.Signals) -> None:
        # The server leads a session of its own, so its children share its group.
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

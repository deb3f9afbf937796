"""A Python that starts at once: forks of one process that has imported everything.

    python -m tests.warm_python FOLDER     makes FOLDER/python, says so, and serves until its input ends
    FOLDER/python -c "..."                 what `python -c` does, with all of that imported already

The workers of pytest-xdist, three times four of them, and the parents of their warm processes would
import the hub, its libraries and the vendors' anew, some seconds of the processor each. Whatever the
caller has open is open in the fork under the same number; the caller waits for its end.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import importlib
import json
import os
import pkgutil
import select
import shlex
import signal
import socket
import struct
import sys
import types
import warnings
from pathlib import Path

PRODUCT = ("hub", "crm_store", "dialogs", "triggers", "channels", "plugins")
# What the tests import beside the hub, and takes long.
LIBRARIES = (
    "_pytest.assertion",
    "_pytest.python",
    "maxapi",
    "playwright.async_api",
    "pytest",
    "pywa",
    "telegram",
    "vkbottle",
)
HEAD = struct.Struct("!I")
MOST_FILES = 200


def import_all(*packages: str) -> None:
    """Import packages with all of their modules."""
    for name in packages:
        package = importlib.import_module(name)
        for found in pkgutil.walk_packages(getattr(package, "__path__", ()), f"{name}."):
            if "migrations" not in found.name and not found.name.endswith("__main__"):
                importlib.import_module(found.name)


def keep() -> None:
    """A child would look through all of this for rubbish, and so copy it."""
    gc.collect()
    gc.freeze()


# The caller's side


def call(address: str, arguments: list[str]) -> int:
    """Have a fork do what `python <arguments>` would, and wait; gives its exit code."""
    files = [int(name) for name in os.listdir("/proc/self/fd")]
    # One of them was the listing itself.
    files = [one for one in files if is_open(one)]
    at = arguments.index("-c")
    wanted = {
        "code": arguments[at + 1],
        "arguments": arguments[at + 2 :],
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "files": files,
    }
    said = json.dumps(wanted).encode()
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(address)
        socket.send_fds(server, [HEAD.pack(len(said))], files)
        server.sendall(said)
        answer = server.recv(HEAD.size)
    return HEAD.unpack(answer)[0] if answer else 1


def is_open(file: int) -> bool:
    with contextlib.suppress(OSError):
        os.fstat(file)
        return True
    return False


# The forks' side


def serve(folder: Path) -> None:
    """Import everything, and fork for whoever calls."""
    with warnings.catch_warnings():
        as_in_tests()
        import_all(*PRODUCT)
        for name in LIBRARIES:
            importlib.import_module(name)
    keep()
    tasks = os.listdir("/proc/self/task")
    assert len(tasks) == 1, "what has threads cannot be forked"
    address = folder / "python.socket"
    launcher = folder / "python"
    command = shlex.join([sys.executable, "-IS", __file__, str(address)])
    launcher.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    launcher.chmod(0o755)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        listener.listen(64)
        print("ready", flush=True)
        while True:
            ready, _, _ = select.select([listener, 0], [], [])
            if 0 in ready:
                return
            caller, _ = listener.accept()
            if os.fork() == 0:
                break
            caller.close()
    # A fork from here on: with nothing of the parent's but what it imported.
    answer(caller)


def as_in_tests() -> None:
    """What may not warn in a test may not warn here either."""
    import tomllib

    from _pytest.config import parse_warning_filter

    settings = tomllib.loads(Path("pyproject.toml").read_text())
    for one in settings["tool"]["pytest"]["ini_options"]["filterwarnings"]:
        warnings.filterwarnings(*parse_warning_filter(one, escape=False))


def answer(caller: socket.socket) -> None:
    """Do what is wanted in a child, and tell the caller how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    head, files, _, _ = socket.recv_fds(caller, HEAD.size, MOST_FILES)
    left = HEAD.unpack(head)[0]
    said = b""
    while len(said) < left:
        part = caller.recv(left - len(said))
        if not part:
            os._exit(1)
        said += part
    wanted = json.loads(said)
    child = os.fork()
    if child:
        for one in (0, 1, 2, *files):
            os.close(one)
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        with contextlib.suppress(OSError):
            caller.sendall(HEAD.pack(code if code >= 0 else 128 - code))
        os._exit(0)
    caller.close()
    take(files, wanted["files"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(wanted["environment"])
    os.chdir(wanted["folder"])
    sys.argv = ["-c", *wanted["arguments"]]
    sys.orig_argv = [sys.executable, "-c", wanted["code"], *wanted["arguments"]]
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    exec(wanted["code"], main.__dict__)


def take(files: list[int], numbers: list[int]) -> None:
    """Have open files under the numbers they had, and nothing else."""
    above = max([*files, *numbers]) + 1
    moved = [fcntl.fcntl(one, fcntl.F_DUPFD, above) for one in files]
    os.closerange(0, above)
    for one, number in zip(moved, numbers, strict=True):
        os.dup2(one, number)
        os.close(one)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.exit(call(sys.argv[1], sys.argv[2:]))
    serve(Path(sys.argv[1]))

"""Runs the whole test suite in the passes that `make test` promises, and sums them up.

1. everything on SQLite;  2. what touches the store again on PostgreSQL;  3. the browser tests.
A later pass runs even if an earlier one failed, and the exit code tells whether all of them
passed. Further arguments go to every pytest call. Something may be late where tests, the servers,
browsers and processes that they start share two cores: a few failures of a pass are looked at once
more, one after the other with nothing beside them, and the summary names them as unsteady, for a
test that fails now and then is work to be done. What fails again has failed.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NO_TESTS_COLLECTED = 5
ROOM = 4_000_000_000
# "==== 12 passed in 3.4s ====", and under -q the same without its frame.
COUNTS = re.compile(r"^(=+ )?\d+ [a-z]+\b.* in [\d.]+s\b")

# "FAILED tests/a.py::b[c] - why"; a test that failed and whose fixture then complained is one.
BAD = re.compile(r"^(?:FAILED|ERROR) (\S+::.+?)(?: - |$)")
FEW = 3

# In more processes than there are cores: tests also wait, for servers, browsers and leases.
PASSES = (
    (
        "everything on SQLite",
        ("architecture", "unit", "store", "contract", "wire", "scenarios"),
        ("--db=sqlite", "-m", "not soak and not browser"),
        6,
    ),
    (
        "store and scenarios on PostgreSQL",
        ("store", "scenarios"),
        ("--db=postgres", "-m", "not soak and not browser"),
        5,
    ),
    ("the browser", ("browser",), ("--db=sqlite", "-m", "not soak"), 4),
)


def main() -> int:
    with warm_python() as python:
        return run_passes(python)


def run_passes(python: str) -> int:
    started = time.monotonic()
    lines = []
    all_passed = True
    for title, folders, options, processes in PASSES:
        existing = [f"tests/{name}" for name in folders if has_tests(name)]
        if not existing:
            lines.append(f"{title}: no tests yet")
            continue
        print(f"\n### {title}\n", flush=True)
        run = [*existing, *options, *sys.argv[1:]]
        beside = [f"--tx={processes}*popen//python={python}", "--dist=loadgroup"]
        code, counts, bad = run_pytest(python, [*run, *beside])
        if code == 1 and 0 < len(bad) <= FEW:
            print("\n### what failed, alone\n", flush=True)
            code, alone, _ = run_pytest(python, [*run, "--last-failed", "-v"])
            counts = f"{counts}\nunsteady, looked at once more alone: {alone}"
        passed = code in (0, NO_TESTS_COLLECTED)
        all_passed = all_passed and passed
        outcome = counts or f"pytest ended with code {code} and no summary"
        lines.append(f"{title}: {'passed' if passed else 'FAILED'}\n{outcome}")
    print("\n### summary\n")
    print("\n".join(lines))
    print(f"{'all passed' if all_passed else 'FAILED'} in {time.monotonic() - started:.0f} s")
    return 0 if all_passed else 1


def has_tests(folder: str) -> bool:
    return any((ROOT / "tests" / folder).rglob("test_*.py"))


@contextlib.contextmanager
def warm_python() -> Iterator[str]:
    """A Python for the workers of all passes that has imported everything already."""
    environment = plain_environment()
    with tempfile.TemporaryDirectory(prefix="hub-python-") as folder:
        command = [sys.executable, "-m", "tests.warm_python", folder]
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            if server.stdout.readline() != "ready\n":
                sys.exit("what the tests need could not be imported; the lines above say why")
            try:
                yield f"{folder}/python"
            finally:
                server.stdin.close()


def plain_environment() -> dict[str, str]:
    environment = {**os.environ, **in_memory()}
    # Hundreds of processes are started; each would compile the hub anew.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


def in_memory() -> dict[str, str]:
    """Put what the tests write into memory where there is room: nobody pulls the plug here, and
    every commit of every test would wait for the disk."""
    shared = Path("/dev/shm")
    if "TMPDIR" in os.environ or not os.access(shared, os.W_OK):
        return {}
    return {"TMPDIR": str(shared)} if shutil.disk_usage(shared).free > ROOM else {}


def run_pytest(python: str, arguments: list[str]) -> tuple[int, str, set[str]]:
    """Shows pytest's output as it comes and returns its exit code, its last line of counts, and
    the tests that failed."""
    # What a warm Python has imported keeps its asserts as they are.
    known = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"
    command = [sys.executable, "-m", "pytest", "--durations=10", "-W", known, *arguments]
    # A missing server is a failure here, not a skip: see tests/servers/__init__.py.
    environment = {
        **plain_environment(),
        "HUB_TEST_REQUIRE_SERVERS": "1",
        "HUB_TEST_PYTHON": python,
        "HUB_TEST_CACHE": str(Path(python).parent / "cache"),
    }
    counts, bad = "", set()
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, errors="replace"
    ) as pytest:
        assert pytest.stdout is not None
        for line in pytest.stdout:
            print(line, end="", flush=True)
            if COUNTS.match(line.strip()):
                counts = line.strip()
            if failed := BAD.match(line):
                bad.add(failed[1])
    return pytest.returncode, counts, bad


if __name__ == "__main__":
    sys.exit(main())

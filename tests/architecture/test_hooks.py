"""A hook ships with its heading, a test, and somebody bundled who uses it: all three are compared."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import hook_reference  # noqa: E402

# Hooks without a bundled user: the list stays empty, a new hook brings its user with it.
WAITING: set[str] = set()


def test_the_reference_is_current() -> None:
    ended = subprocess.run(
        [sys.executable, "tools/hook_reference.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout


def test_every_hook_has_a_bundled_user() -> None:
    bundled = {
        name
        for name, who in hook_reference.users().items()
        if any(not one.startswith("examples/") for one in who)
    }
    names = {name for name, *_ in hook_reference.hooks()}
    assert names - bundled <= WAITING
    assert not WAITING & bundled, "these have a user now: take them off the list"


def test_every_hook_is_tested_and_has_words() -> None:
    texts = [path.read_text() for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)]
    texts.append((ROOT / "docs" / "plugin-author.md").read_text())
    for name, _, _, says in hook_reference.hooks():
        assert says, name
        assert any(name in one for one in texts), f"no test speaks of {name}"


def test_no_plugin_implements_what_is_no_hook() -> None:
    names = {name for name, *_ in hook_reference.hooks()}
    assert set(hook_reference.users()) <= names

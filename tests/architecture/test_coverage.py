"""docs/coverage.md names tests that are there and run; every bundled channel has its table."""

import ast
import re
import subprocess
import sys
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from hub import Channel

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
_NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
_ROW = re.compile(r"^\| (.+) \| (.+) \|$", re.MULTILINE)
# A customer of the demo is no channel to connect.
APART = {"demo_customer"}


@cache
def collected_from(file: str) -> frozenset[str]:
    """What pytest collects from a file: functions test_*, classes Test* with tests of some kind."""
    path = ROOT / file
    if not path.exists() or not path.name.startswith("test_"):
        return frozenset()
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if node.name.startswith("test_") and not skipped(node):
                found.add(node.name)
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test") and not skipped(node):
            inner = [one.name for one in node.body if hasattr(one, "name")]
            if node.bases or any(name.startswith("test_") for name in inner):
                found.add(node.name)
    return frozenset(found)


def skipped(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """A test that never runs shows nothing."""
    marks = " ".join(ast.unparse(one) for one in node.decorator_list)
    return "mark.skip(" in marks or "xfail" in marks


@pytest.mark.parametrize(("file", "name"), sorted(set(_NAMED.findall(PAGE))))
def test_a_named_test_exists_and_is_collected(file: str, name: str) -> None:
    assert name in collected_from(file), f"docs/coverage.md names {file}::{name}, which is no test"


def test_every_line_names_a_test_or_a_reason() -> None:
    rows = [row for row in _ROW.findall(PAGE) if row[0] not in ("feature", "---")]
    assert len(rows) > 50
    for feature, shown in rows:
        reason = shown.removeprefix("not yet:").strip() if shown.startswith("not yet:") else ""
        assert _NAMED.search(shown) or len(reason) > 10, f"{feature}: {shown}"


def test_every_bundled_channel_has_its_table() -> None:
    titles = set(re.findall(r"^## (.+)$", PAGE, re.MULTILINE))
    for point in entry_points(group="hub"):
        if point.dist is None or point.dist.name != "dialoghub" or point.name in APART:
            continue
        module = import_module(point.value)
        for channel in getattr(module, "register_channels", list)():
            assert issubclass(channel, Channel)
            name = channel.title.split(" (")[0]
            assert any(name.startswith(one) for one in titles), f"{channel.title} has no table"


def test_the_table_of_channels_in_the_readme_is_current() -> None:
    ended = subprocess.run(
        [sys.executable, "tools/channel_matrix.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr

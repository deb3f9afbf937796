"""Every example is a distribution of its own: installed outside the tree, found, tested there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.contract.outside import ROOT, install, outside

EXAMPLES = sorted(path.parent.name for path in (ROOT / "examples").glob("*/pyproject.toml"))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_installed_and_keeps_its_promises(name: str, tmp_path: Path) -> None:
    # A copy: building leaves files beside the sources.
    folder, site = tmp_path / name, tmp_path / "site"
    shutil.copytree(ROOT / "examples" / name, folder)
    install(folder, site)
    for package in folder.glob("*/__init__.py"):
        # What is tested is what was installed.
        shutil.rmtree(package.parent)
    ended = outside(site, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests", cwd=folder)
    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-2000:]
    assert " passed" in ended.stdout
    assert "skipped" not in ended.stdout


def test_there_are_examples() -> None:
    assert "matrix" in EXAMPLES

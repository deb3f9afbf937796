"""Distributions outside the tree: installed by pip into a folder, found by their entry points."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def install(distribution: Path, site: Path) -> None:
    """Install a distribution with pip, without asking any index: its needs are here already."""
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation"]
    command += ["--no-index", "--disable-pip-version-check", "--target", str(site)]
    subprocess.run([*command, str(distribution)], check=True, timeout=300)


def outside(
    site: Path, *arguments: str, cwd: Path, timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """Run Python where the product is installed and the distributions of `site` are too."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**kept, "PYTHONPATH": os.pathsep.join((str(site), str(ROOT)))},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )

"""docs/plugin-author.md, followed to the letter: from nothing to a message in the inbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.testing.channel_case import free_port
from tests.contract.outside import ROOT
from tests.scenarios.author_guide import Reader


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_guide_for_authors_is_true(tmp_path: Path) -> None:
    reader = Reader(folder=tmp_path, port=free_port())
    try:
        reader.follow(ROOT / "docs" / "plugin-author.md")
    finally:
        reader.close()
    assert " passed" in reader.heard("python -m pytest -q pigeon/tests")
    [line] = [one for one in reader.heard("dialoghub plugins").splitlines() if "pigeon" in one]
    assert "loaded" in line
    assert reader.heard("python inbox.py").strip() == "1001 writes: Where is my pigeon?"
    assert "done: desk:" in reader.heard("HUB_PLUGINS_DIR=plugins dialoghub migrate")
    assert "Prices at once: ok, 2 example(s)" in reader.heard(
        "HUB_PLUGINS_DIR=plugins dialoghub rules"
    )
    assert " passed" in reader.heard("python -m pytest -q test_desk.py")

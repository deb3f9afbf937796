"""A house for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.scenarios.web.house import House, open_house
from tests.scenarios.web.pigeons import plugin


@pytest.fixture
async def hub(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """A hub with the pigeons' channels."""
    async with open_house(tmp_path, database_url, ("pigeons", plugin())) as house:
        yield house

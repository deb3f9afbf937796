"""A world for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.scenarios.http_api.world import World, open_world


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """A hub with the pigeons' channels and programs."""
    async with open_world(tmp_path, database_url, api_per_minute=100_000) as one:
        yield one

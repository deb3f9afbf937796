"""Fixtures for authors: `pytest_plugins = ["hub.testing.fixtures"]` in your conftest.py.

An entry point of pytest would load the hub into every test run of the environment, and have
pytest rewrite the product's own modules; so they are named where they are wanted.
"""

from __future__ import annotations

import pytest

from hub.testing.fake_hub import FakeHub


@pytest.fixture
def fake_hub() -> FakeHub:
    """An in-memory hub that keeps what it is told."""
    return FakeHub()

"""The loop that browser tests share: the browser lives longer than a test."""

from __future__ import annotations

from functools import partial

import pytest_asyncio

in_session = partial(pytest_asyncio.fixture, loop_scope="session")
"""The decorator of an asynchronous fixture of a browser test."""

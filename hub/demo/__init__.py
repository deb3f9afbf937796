"""The demo: a believable company whose customers write and answer, without any account."""

from __future__ import annotations

from hub.demo.company import seed, start_demo

__all__ = ["seed", "start_demo"]

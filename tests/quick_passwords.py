"""Hashes of passwords that cost a test nothing: argon2 as ever, with the least time and memory.

Imported by the tests and by the parent of their warm processes. `recommended` is what the hub
really takes; one test shows that.
"""

from __future__ import annotations

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

recommended = PasswordHash.recommended


def _quick() -> PasswordHash:
    return PasswordHash([Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)])


PasswordHash.recommended = _quick  # type: ignore[method-assign]

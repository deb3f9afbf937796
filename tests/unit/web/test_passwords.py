"""What a password becomes."""

import pytest
from pwdlib import PasswordHash

from hub.web.login import hash_password, hasher
from tests import quick_passwords


async def test_a_password_is_hashed_with_what_the_library_recommends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(PasswordHash, "recommended", quick_passwords.recommended)
    hasher.cache_clear()
    try:
        hashed = await hash_password("correct horse battery staple")
        assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
        assert hasher().verify("correct horse battery staple", hashed)
        assert not hasher().verify("incorrect horse", hashed)
    finally:
        hasher.cache_clear()

"""Keys: secrets stay readable over rotations, links prove themselves, nothing lies open."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
import time_machine
from cryptography.fernet import InvalidToken
from hypothesis import given
from hypothesis import strategies as st

from hub import UntrustedRequest
from hub.keyring import KeyRing


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "keys.json"


def test_the_ring_is_made_readable_by_its_owner_only(path: Path) -> None:
    KeyRing.open(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    KeyRing.open(path).rotate()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_second_process_reads_what_the_first_one_wrote(path: Path) -> None:
    first, second = KeyRing.open(path), KeyRing.open(path)
    assert second.decrypt(first.encrypt("пароль")) == "пароль"
    assert second.unsign("file", first.sign("file", "7")) == "7"


def test_a_secret_is_not_in_its_token_and_no_two_tokens_are_alike(path: Path) -> None:
    ring = KeyRing.open(path)
    assert "secret" not in ring.encrypt("secret")
    assert ring.encrypt("secret") != ring.encrypt("secret")


def test_old_secrets_are_read_after_a_rotation_and_renewed_to_the_newest_key(path: Path) -> None:
    ring = KeyRing.open(path)
    token = ring.encrypt("secret")
    ring.rotate()
    assert ring.decrypt(token) == "secret"
    renewed = ring.renew(token)
    ring.forget_old_secrets()
    assert ring.decrypt(renewed) == "secret"
    with pytest.raises(InvalidToken):
        ring.decrypt(token)


def test_a_ring_reads_with_the_keys_of_another_one_until_they_are_forgotten(path: Path) -> None:
    ring, other = KeyRing.open(path), KeyRing.open(path.with_name("other.json"))
    theirs = other.encrypt("secret")
    assert ring.adopt(other.path)
    assert not ring.adopt(other.path)
    assert KeyRing.open(path).decrypt(theirs) == "secret"
    with pytest.raises(InvalidToken):
        other.decrypt(ring.encrypt("mine"))
    ring.rotate()
    renewed = ring.renew(theirs)
    ring.forget_old_secrets()
    assert ring.decrypt(renewed) == "secret"


def test_a_process_that_was_running_learns_of_a_rotation(path: Path) -> None:
    running, command = KeyRing.open(path), KeyRing.open(path)
    command.rotate()
    assert running.decrypt(command.encrypt("new")) == "new"
    assert running.unsign("file", command.sign("file", "8")) == "8"


def test_another_ring_reads_nothing(tmp_path: Path) -> None:
    ours, theirs = KeyRing.open(tmp_path / "a.json"), KeyRing.open(tmp_path / "b.json")
    with pytest.raises(InvalidToken):
        ours.decrypt(theirs.encrypt("x"))
    with pytest.raises(UntrustedRequest):
        ours.unsign("file", theirs.sign("file", "1"))


def test_a_link_is_good_for_its_purpose_only(path: Path) -> None:
    ring = KeyRing.open(path)
    token = ring.sign("invitation", "7")
    assert ring.unsign("invitation", token) == "7"
    for purpose in ("file", "", "invitation ", "invitatio"):
        with pytest.raises(UntrustedRequest):
            ring.unsign(purpose, token)


def test_a_purpose_and_a_value_cannot_be_shifted_into_each_other(path: Path) -> None:
    ring = KeyRing.open(path)
    with pytest.raises(UntrustedRequest):
        ring.unsign("a\x00b", ring.sign("a", "b"))


@given(st.text(max_size=200))
def test_any_value_makes_the_round_trip_in_a_url(value: str) -> None:
    ring = KeyRing(Path("/nonexistent"), {"schema": 1, "secrets": [], "links": [_KEY]})
    token = ring.sign("p", value)
    assert ring.unsign("p", token) == value
    assert all(one.isascii() and (one.isalnum() or one in "._-") for one in token)


_KEY = {"id": 1, "key": "00" * 32, "made": 0}


def test_no_letter_of_a_link_can_be_changed(path: Path) -> None:
    ring = KeyRing.open(path)
    token = ring.sign("file", "12345")
    parts = token.split(".")
    for place, part in enumerate(parts):
        for at in range(len(part)):
            other = "0" if part[at] != "0" else "1"
            # The last letter of base64 holds bits that mean nothing; skip what decodes alike.
            changed = [*parts]
            changed[place] = part[:at] + other + part[at + 1 :]
            if place >= 2 and at == len(part) - 1:
                continue
            with pytest.raises(UntrustedRequest):
                ring.unsign("file", ".".join(changed))


@pytest.mark.parametrize(
    "token", ["", ".", "...", "a.b.c.d", "1.2.3", "1.1.!!.!!", "9.1.AA.AA", "1." * 500, "é.é.é.é"]
)
def test_what_is_no_link_is_refused_in_one_way(path: Path, token: str) -> None:
    with pytest.raises(UntrustedRequest):
        KeyRing.open(path).unsign("file", token)


def test_a_link_grows_too_old(path: Path) -> None:
    ring = KeyRing.open(path)
    with time_machine.travel("2026-01-01", tick=False):
        token = ring.sign("file", "1")
    with time_machine.travel("2026-01-08", tick=False):
        assert ring.unsign("file", token, max_age_days=7) == "1"
    with time_machine.travel("2026-01-09", tick=False):
        with pytest.raises(UntrustedRequest):
            ring.unsign("file", token, max_age_days=7)
        assert ring.unsign("file", token) == "1"


def test_a_retired_link_key_verifies_for_three_years(path: Path) -> None:
    with time_machine.travel("2026-01-01", tick=False):
        ring = KeyRing.open(path)
        token = ring.sign("unsubscribe", "1")
        ring.rotate()
        fresh = ring.sign("unsubscribe", "1")
        assert fresh.split(".")[0] != token.split(".")[0]
    with time_machine.travel("2028-12-01", tick=False):
        ring.rotate()
        assert ring.unsign("unsubscribe", token) == "1"
        assert KeyRing.open(path).unsign("unsubscribe", token) == "1"
    with time_machine.travel("2029-02-01", tick=False):
        with pytest.raises(UntrustedRequest):
            ring.unsign("unsubscribe", token)
        ring.rotate()
        assert len(json.loads(path.read_text())["links"]) == 3

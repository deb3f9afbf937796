"""Keys that others give: bounded, and two of them never become one."""

from __future__ import annotations

import pytest

from hub import Address, bounded_key


@pytest.mark.parametrize("key", ["", "k1", "я" * 400, "x" * 400])
def test_a_key_that_fits_stays_what_it_is(key: str) -> None:
    assert bounded_key(key) == key


@pytest.mark.parametrize("most", [200, 400])
def test_long_keys_that_begin_alike_stay_two(most: int) -> None:
    one, other = (bounded_key("x" * 5000 + end, most) for end in ("1", "2"))
    assert one != other
    assert len(one) == len(other) == most
    assert one.startswith("x" * 100)


def test_the_form_of_a_form_is_the_form() -> None:
    once = bounded_key("я" * 1000)
    assert bounded_key(once) == once


def test_half_a_surrogate_pair_is_no_obstacle() -> None:
    assert len(bounded_key("\ud83d" * 500)) == 400


def test_a_long_address_is_the_same_wherever_it_is_made() -> None:
    one = Address(kind="pigeon", value="x" * 500 + "1")
    assert one.value == bounded_key("x" * 500 + "1")
    assert Address(kind="pigeon", value=one.value) == one
    assert one != Address(kind="pigeon", value="x" * 500 + "2")

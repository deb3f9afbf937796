"""Addresses of a card as people write them in a cell, and as they are kept."""

from __future__ import annotations

import pytest

from hub.card_addresses import CardAddress, kept, read, written


def test_what_is_written_into_a_cell_is_read_again() -> None:
    given = read(
        [
            {"kind": "phone", "value": "+7 (495) 000-00-01", "label": "the (front); desk"},
            {"kind": "Email", "value": "Info@X.example"},
            {"kind": "telegram", "value": "@shop", "label": "приёмная"},
            {"kind": "site", "value": "https://x.example/a"},
        ]
    )
    assert [(one.kind, one.value, one.label) for one in given][:2] == [
        ("phone", "+7 (495) 000-00-01", "the front desk"),
        ("email", "info@x.example", ""),
    ]
    assert read(written(given)) == given


def test_the_kind_of_what_is_plain_to_see_need_not_be_said() -> None:
    said = "info@x.example; 8 (495) 000-00-01 (accounts)\nx.example; telegram: @shop"
    assert [(one.kind, one.label) for one in read(said)] == [
        ("email", ""),
        ("phone", "accounts"),
        ("site", ""),
        ("telegram", ""),
    ]
    for wrong in ("@shop", "nobody", [{"kind": "phone"}], [5], 7, "x" * 5000):
        with pytest.raises(ValueError, match=r"."):
            read(wrong)


def test_nothing_is_kept_twice() -> None:
    one = CardAddress(kind="phone", value="1", label="a")
    other = CardAddress(kind="phone", value="2", label="b", main=True)
    lines, more = kept([one, other])
    assert lines == {"phone": "2", "email": "", "site": ""}
    assert more == (CardAddress(kind="phone", value="", label="b"), one)

"""How many segments a text takes, at the very borders (3GPP TS 23.038, TS 23.040)."""

from __future__ import annotations

import pytest

from channels.sms.segments import EXTENSION, GSM, count
from channels.sms.words import change_of
from hub import PeerChange


@pytest.mark.parametrize(
    ("text", "encoding", "segments", "units", "limit"),
    [
        ("", "GSM-7", 1, 0, 160),
        ("a" * 160, "GSM-7", 1, 160, 160),
        ("a" * 161, "GSM-7", 2, 161, 306),
        ("a" * 306, "GSM-7", 2, 306, 306),
        ("a" * 307, "GSM-7", 3, 307, 459),
        # A sign of the extension table takes two septets ...
        ("€" * 80, "GSM-7", 1, 160, 160),
        ("€" * 81, "GSM-7", 2, 163, 306),
        # ... which no border of segments tears apart: one septet stays empty.
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 3, 153 + 153 + 1, 459),
        ("a" * 151 + "€" + "a" * 153, "GSM-7", 2, 306, 306),
        # One sign outside the alphabet makes all of it 16-bit.
        ("я" * 70, "UCS-2", 1, 70, 70),
        ("я" * 71, "UCS-2", 2, 71, 134),
        ("a" * 69 + "ё", "UCS-2", 1, 70, 70),
        ("a" * 70 + "`", "UCS-2", 2, 71, 134),
        ("😀" * 35, "UCS-2", 1, 70, 70),
        # A pair of surrogates is not torn apart either: 33 to a segment of 67.
        ("😀" * 67, "UCS-2", 3, 67 + 67 + 2, 201),
        ("ş", "UCS-2", 1, 1, 70),
        ("Ça va ? ÄÖÑÜ§¿äöñüà @£$¥", "GSM-7", 1, 24, 160),
        # Of the two letters only the capital is in the alphabet.
        ("ça va ?", "UCS-2", 1, 7, 70),
        ("ÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ", "GSM-7", 1, 19, 160),
    ],
)
def test_segments_at_the_borders(
    text: str, encoding: str, segments: int, units: int, limit: int
) -> None:
    found = count(text)
    assert (found.encoding, found.segments) == (encoding, segments)
    assert (found.units, found.limit) == (units, limit)


def test_the_alphabet_is_whole() -> None:
    # 128 septets: one is the escape to the extension table, which holds ten signs.
    assert len(GSM) == 127
    assert len(EXTENSION) == 10
    assert not GSM & EXTENSION


@pytest.mark.parametrize(
    ("text", "told", "change"),
    [
        ("STOP", "", PeerChange.BLOCKED),
        (" Стоп! ", "", PeerChange.BLOCKED),
        ("«отписка».", "", PeerChange.BLOCKED),
        ("halt", "STOP", PeerChange.BLOCKED),
        ("start", "", PeerChange.ALLOWED),
        ("да", "START", PeerChange.ALLOWED),
        ("please stop by at six", "", None),
        ("nonstop", "", None),
        ("HELP", "HELP", None),
        ("", "", None),
    ],
)
def test_a_word_counts_only_alone(text: str, told: str, change: PeerChange | None) -> None:
    assert change_of(text, told) is change

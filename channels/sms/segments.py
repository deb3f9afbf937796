"""What a text costs on the air: its alphabet, and into how many segments it is cut.

3GPP TS 23.038 6.2.1 (the 7-bit alphabet and its extension table) and TS 23.040 9.2.3.24.1 (the
concatenation header, which takes 6 of a segment's 140 octets). A character of the extension
table takes two septets, one outside the 16-bit plane two units; neither pair is torn apart by
the end of a segment. National shift tables are not counted with: Twilio does not use them, a
text in Turkish with ş leaves as UCS-2.
"""

from __future__ import annotations

from dataclasses import dataclass

GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("\f^{}\\[~]|€")
SINGLE = {"GSM-7": 160, "UCS-2": 70}
CONCATENATED = {"GSM-7": 153, "UCS-2": 67}


@dataclass(frozen=True, slots=True)
class Count:
    """How a text goes over the air; `units` are septets or 16-bit units, padding included."""

    encoding: str
    segments: int
    units: int
    limit: int


def count(text: str) -> Count:
    """Count the segments of a text; an empty one takes a segment too."""
    encoding = "GSM-7" if all(one in GSM or one in EXTENSION for one in text) else "UCS-2"
    sizes = [_size(one, encoding) for one in text]
    units = sum(sizes)
    if units <= SINGLE[encoding]:
        return Count(encoding, 1, units, SINGLE[encoding])
    room = CONCATENATED[encoding]
    segments, used = 1, 0
    for size in sizes:
        if used + size > room:
            segments, used = segments + 1, 0
        used += size
    return Count(encoding, segments, (segments - 1) * room + used, segments * room)


def _size(character: str, encoding: str) -> int:
    if encoding == "GSM-7":
        return 2 if character in EXTENSION else 1
    return 2 if ord(character) > 0xFFFF else 1

"""Files of the demo, made and not shipped: a photo, an invoice, an offer."""

from __future__ import annotations

import struct
import zlib

WIDTH, HEIGHT = 320, 220
TEXTS = {
    "rekvizity.txt": "ООО «Стройсервис»\nИНН 6900000000, КПП 690000001\nг. Тверь, ул. Садовая, 4\n",
    "offer.txt": "Offer 2291\n\n20 tablecloths, linen, 140 x 140, sand ... 20 x 34.00 = 680.00 EUR\n"
    "Delivery included. Three weeks from the order.\n",
    "invoice-4377.txt": "Invoice 4377\n\n1 wool blanket, grey ... 79.00 EUR\nPaid by card.\n",
}


def photo() -> bytes:
    """Give a PNG of a lamp, more or less: RFC 2083, one IDAT, no filter."""
    rows = bytearray()
    for y in range(HEIGHT):
        rows.append(0)
        for x in range(WIDTH):
            rows += _pixel(x, y)
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", head)
        + _chunk(b"IDAT", zlib.compress(bytes(rows), 9))
        + _chunk(b"IEND", b"")
    )


def _pixel(x: int, y: int) -> bytes:
    shade = 60 <= y < 120 and abs(x - 160) < 30 + (y - 60) * 2 // 3
    crack = shade and abs((x - 150) - (y - 60) // 2) < 2
    foot = (120 <= y < 185 and abs(x - 160) < 5) or (185 <= y < 192 and abs(x - 160) < 40)
    if crack:
        return bytes((70, 50, 40))
    if shade:
        return bytes((236, 190 + y // 4, 120))
    if foot:
        return bytes((96, 78, 66))
    return bytes((214 - y // 5, 220 - y // 6, 224 - y // 8)) if y < 192 else bytes((150, 120, 95))


def _chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def file_of(name: str) -> tuple[bytes, str]:
    """Give the bytes and the type of one of the demo's files."""
    if name.endswith(".png"):
        return photo(), "image/png"
    return TEXTS[name].encode(), "text/plain; charset=utf-8"

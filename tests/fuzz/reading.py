"""What a reader of letters must keep to, whatever bytes it is given."""

from __future__ import annotations

from pathlib import Path

from channels.email import mime
from hub import InboundMessage, MalformedPayload

SAMPLES = Path(__file__).parent.parent / "wire/email/samples"


def read_letter(data: bytes) -> None:
    """Read one input: it becomes an arrival that the store can take, or is refused in words."""
    try:
        found = mime.read(data, frozenset({"us@hub.example"}))
    except MalformedPayload:
        return
    if not isinstance(found, InboundMessage):
        return
    texts = [found.text, found.full_text, found.html, found.subject, found.sender.name]
    texts += [found.sender.value, found.external_id, found.dedupe_key, found.in_reply_to]
    texts += [*found.references, *found.headers.values(), *(one.name for one in found.attachments)]
    texts += [one.value for one in (*found.to, *found.cc)]
    for text in texts:
        text.encode("utf-8")
        assert "\x00" not in text
    for file in found.attachments:
        assert not {"/", "\\", "\n"} & set(file.name), file.name

"""Files that a provider fetches from us: links that open without a session, for a day.

Some providers take no bytes: they are told an address and call it. The link is signed over the
file it opens, so it opens nothing else, and nobody can make one.
"""

from __future__ import annotations

import json

from hub.errors import Unsupported, UntrustedRequest
from hub.keyring import KeyRing
from hub.messages import Attachment

PURPOSE = "shared_file"
PREFIX = "/shared/"
DAYS = 1


def share(keys: KeyRing, public_url: str, file: Attachment) -> str:
    """Give the public address of a file of an outgoing message; raises Unsupported."""
    if not public_url or not file.reference:
        raise Unsupported("files", "files can be sent here once the hub has a public address")
    value = json.dumps([file.reference, file.media_type, file.name[:200]])
    return f"{public_url}{PREFIX}{keys.sign(PURPOSE, value)}"


def opened(keys: KeyRing, token: str) -> tuple[str, str, str]:
    """Give the blob, media type and name behind a link; raises UntrustedRequest."""
    try:
        blob_id, media_type, name = json.loads(keys.unsign(PURPOSE, token, DAYS))
    except ValueError as error:
        raise UntrustedRequest("this link is not one of ours") from error
    return str(blob_id), str(media_type), str(name)

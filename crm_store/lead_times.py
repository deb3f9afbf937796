"""How long a lead waited for its first response: what its row says of it, out of its moments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def response_of(row: Mapping[str, Any]) -> dict[str, object]:
    """Give when a lead came in and the microseconds to its first response, 0 without one.

    A lead came in when it was written down, unless its words are known to be older.
    """
    received = row.get("received_at") or row["created_at"]
    responded = row.get("first_responded_at")
    lasted = max(1, responded - received) if responded else 0
    return {"received_at": received, "first_response_us": lasted}

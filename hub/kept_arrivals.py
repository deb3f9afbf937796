"""Arrivals that were read and put aside all the same: kept so that each can be read again as it was.

The bytes that the channel itself keeps and reads again come first: a mended channel may read more of
them. Anything else is kept whole in a form of the hub's own, files included.
"""

from __future__ import annotations

import logging
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticSerializationError

from hub.channel import Channel
from hub.commands import Quarantine
from hub.ids import AccountId
from hub.messages import Arrival
from hub.records.dialogs import QuarantineItem
from hub.storable import storable

log = logging.getLogger("hub.kept_arrivals")
METHOD = "arrival"
"""Stands where a webhook's verb would: no bytes that a stranger sends can claim it."""


class _Kept(BaseModel):
    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    arrival: Arrival


def put_aside(
    account_id: AccountId, channel: Channel, arrival: Arrival, error: str, source: str = "pull"
) -> Quarantine:
    """Make the command that keeps an arrival with the reason why it is not in the inbox."""
    raw = bytes(getattr(arrival, "raw", b""))
    values: dict[str, Any] = {"account_id": account_id, "error": error[:2000], "source": source}
    if raw and type(channel).replay is not Channel.replay:
        return Quarantine(raw=raw, **values)
    try:
        whole = _Kept.model_construct(arrival=storable(arrival))
        text = whole.model_dump_json(exclude_defaults=True)
    except (PydanticSerializationError, TypeError, ValueError) as failure:
        # A channel put something of its own there: a person can read it, the hub cannot.
        log.warning("arrival_not_kept_whole account=%d error=%s", account_id, failure)
        return Quarantine(raw=raw or repr(arrival).encode("utf-8", "replace"), **values)
    return Quarantine(raw=text.encode(), method=METHOD, **values)


def kept_arrival(item: QuarantineItem) -> Arrival | None:
    """Give the arrival that was kept whole; None where only the channel can read the bytes."""
    if item.source == "webhook" or item.method != METHOD:
        return None
    return _Kept.model_validate_json(item.raw).arrival

"""Values as the outside reads them, in the API, its event stream and outgoing webhooks alike.

Ids are strings, because JavaScript loses integers above 2**53; instants are RFC 3339 in UTC with
microseconds, and null where they are not set.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.events import Event
from hub.ids import Micros

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = int((datetime.max.replace(tzinfo=UTC) - _EPOCH) / timedelta(microseconds=1))
_INSTANTS = ("at", "until")
_INSTANT_ENDS = ("_at", "_since", "_until")


def rfc3339(at: int) -> str | None:
    """Give an instant as text; 0 is not set."""
    if not at:
        return None
    moment = _EPOCH + timedelta(microseconds=min(at, _LAST))
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def micros_of(moment: datetime) -> Micros:
    """Give an instant as it is stored; the moment has a zone."""
    return Micros((moment - _EPOCH) // timedelta(microseconds=1))


def event_json(event: Event, epoch: str) -> dict[str, Any]:
    """Give a fact: ids and values, never names and texts of people."""
    return {
        "id": f"{epoch}-{event.id}",
        "type": event.type,
        "schema": event.schema,
        "at": rfc3339(event.at),
        "actor": {
            "kind": event.actor.kind.value,
            "id": str(event.actor.id),
            "name": event.actor.name,
        },
        "cause": {"kind": event.cause.kind, "id": str(event.cause.id), "depth": event.cause.depth},
        "subject": {"kind": event.subject.kind, "id": str(event.subject.id)},
        "data": plain_values(event.to_data()),
    }


def plain_values(data: Mapping[str, Any]) -> dict[str, Any]:
    """Give the values of a fact: ids as strings, instants as text."""
    return {name: _plain(one, name) for name, one in data.items()}


def _plain(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _plain(one, key) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one, name) for one in value]
    if isinstance(value, bool) or not isinstance(value, int):
        return value
    if name in _INSTANTS or name.endswith(_INSTANT_ENDS):
        return rfc3339(value)
    is_id = name in ("id", "mentions") or name.endswith("_id") or abs(value) > 1 << 53
    return str(value) if is_id else value

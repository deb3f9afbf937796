"""Twilio Voice: what its callbacks say of a call.

Sources: "Call Status callbacks", "TwiML <Dial> action" and "Recording status callback" of Twilio's
documentation. Pure: same fields, same events.
"""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from hub import Address, Attachment, CallEvent, MalformedPayload, Micros, bounded_key

KIND = "phone"
STATES = {
    "queued": "ringing",
    "initiated": "ringing",
    "ringing": "ringing",
    "in-progress": "answered",
    "answered": "answered",
    "completed": "ended",
    "busy": "missed",
    "no-answer": "missed",
    "failed": "missed",
    "canceled": "missed",
}
"""Their word for a call, and ours."""
DIALLED = {"completed": "answered", "answered": "answered"} | dict.fromkeys(
    ("busy", "no-answer", "failed", "canceled"), "missed"
)
"""What became of the colleague's telephone that an incoming call was put through to."""
HIDDEN = {
    "anonymous", "restricted", "unavailable", "unknown", "private",
    "+266696687", "+7378742833", "+2562533", "+8656696",
}  # fmt: skip
"""Callers who hide their number: the words, and the digits that spell them."""


def call_events(fields: Mapping[str, str], received_at: Micros) -> list[CallEvent]:
    """Read one callback; gives nothing for what says nothing of the call with the person.

    Raises MalformedPayload for a callback that is about no call, or in no state we know.
    """
    sid = fields.get("CallSid", "")
    if not 0 < len(sid) <= 100 or not sid.isprintable():
        raise MalformedPayload("there is no CallSid")
    if fields.get("ParentCallSid"):
        # The leg to a colleague's telephone: the person's own leg tells the same call.
        return []
    outgoing = fields.get("Direction", "inbound").startswith("outbound")
    person = fields.get("To" if outgoing else "From", "") or fields.get("Caller", "")
    recording = _recording(fields)
    state, seconds = _state(fields)
    if not state and recording is None:
        return []
    return [
        CallEvent(
            dedupe_key=_key(fields, sid, state),
            external_id=sid,
            caller=_address(person),
            state=state or "answered",
            direction="out" if outgoing else "in",
            duration_seconds=seconds,
            recording_file=recording,
            at=_instant(fields, received_at),
        )
    ]


def _state(fields: Mapping[str, str]) -> tuple[str, int]:
    dialled = fields.get("DialCallStatus", "")
    if dialled:
        return DIALLED.get(dialled, ""), _number(fields.get("DialCallDuration", ""))
    status = fields.get("CallStatus", "")
    if not status and "RecordingSid" in fields:
        return "", 0
    if status not in STATES:
        raise MalformedPayload(f"a call is in a state that nobody knows: {status[:40]}")
    return STATES[status], _number(fields.get("CallDuration", ""))


def _key(fields: Mapping[str, str], sid: str, state: str) -> str:
    """Name the event: Twilio repeats a callback with the same fields."""
    parts = (
        sid,
        fields.get("RecordingSid", ""),
        fields.get("DialCallStatus", "") or fields.get("CallStatus", "") or state,
        fields.get("RecordingStatus", ""),
    )
    return bounded_key("call:" + ":".join(parts))


def _recording(fields: Mapping[str, str]) -> Attachment | None:
    """Give the recording as a file; fetching it takes the account's token, so it is no link."""
    sid = fields.get("RecordingSid", "")
    done = fields.get("RecordingStatus", "completed") == "completed"
    if not sid or not done or not fields.get("RecordingUrl"):
        return None
    return Attachment(name=f"{sid}.mp3", media_type="audio/mpeg", reference=sid)


def _address(person: str) -> Address:
    number = "".join(filter(str.isprintable, person)).strip()
    if number.lower() in HIDDEN or not number:
        return Address(kind=KIND, value="hidden", name="Hidden number")
    if number.startswith("whatsapp:"):
        number = number.removeprefix("whatsapp:")
    return Address(kind=KIND, value=number)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 8 else 0


def _instant(fields: Mapping[str, str], received_at: Micros) -> Micros:
    try:
        found = parsedate_to_datetime(fields.get("Timestamp", ""))
    except (TypeError, ValueError):
        return received_at
    return Micros(int(found.timestamp() * 1_000_000))

"""Who a WhatsApp user is: a number, or an id that is his towards one business only, or both.

Meta sends the business-scoped id (`US.13491208655302741918`) with every message and leaves the
number out once a person goes by a username. The number is the better address while it is known:
what is sent to it comes back with it. So the number is the person's address, the id his alias.
"""

from __future__ import annotations

import re

from hub import Address, MalformedPayload, PermanentFailure, RejectReason

KIND = "whatsapp"
PHONE = "phone"
SCOPED = re.compile(r"[A-Z]{2}\.(?:[A-Z]+\.)?[A-Za-z0-9]{1,128}")
NUMBER = re.compile(r"\+[1-9]\d{6,14}")


def is_scoped(value: str) -> bool:
    """Whether an address is a business-scoped user id."""
    return SCOPED.fullmatch(value) is not None


def plus(number: str) -> str:
    """Give a number as `+15551234567`, "" where there is none."""
    digits = re.sub(r"\D", "", number)
    return f"+{digits}" if digits else ""


def person(*found: str, name: str = "") -> tuple[Address, tuple[Address, ...]]:
    """Give a person's address and his aliases from numbers and ids; raises MalformedPayload."""
    scoped = list(dict.fromkeys(one for one in found if is_scoped(one)))
    numbers = list(dict.fromkeys(plus(one) for one in found if one and not is_scoped(one)))
    values = [one for one in (*numbers, *scoped) if one]
    if not values:
        raise MalformedPayload("the message names nobody")
    aliases = [Address(kind=KIND, value=one, name=name) for one in values[1:]]
    # WhatsApp has proved the number: who texts from it is the same person.
    aliases += [Address(kind=PHONE, value=one) for one in numbers if NUMBER.fullmatch(one)]
    return Address(kind=KIND, value=values[0], name=name), tuple(aliases)


def recipient(to: Address) -> str:
    """Give the number or id to send to; raises PermanentFailure."""
    value = to.value if is_scoped(to.value) else plus(to.value)
    if to.kind != KIND or not (is_scoped(value) or NUMBER.fullmatch(value)):
        raise PermanentFailure(RejectReason.INVALID_ADDRESS, "this is no WhatsApp user")
    return value

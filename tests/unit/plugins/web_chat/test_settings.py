"""The settings of a web chat: what administrators type is read generously and refused in words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from plugins.web_chat.hours import WorkingHours
from plugins.web_chat.settings import WebChatSettings


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    "hours",
    [
        "Mon-Fri 9:00-18:00, Sat 10-14",
        "пн–пт 9.00–18.00; сб 10-14",
        "Monday - friday 9-18\nsat 10-14",
    ],
)
@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-23T06:00", True),  # Monday 9:00 in Moscow
        ("2026-11-23T05:59", False),
        ("2026-11-23T15:00", False),
        ("2026-11-28T10:30", True),  # Saturday 13:30
        ("2026-11-29T10:30", False),
    ],
)
def test_hours_are_read_as_people_write_them(hours: str, moment: str, is_open: bool) -> None:
    settings = WebChatSettings(hours=hours, time_zone="Europe/Moscow")
    assert settings.is_open(at(moment)) is is_open


def test_lists_of_days_night_shifts_and_no_hours() -> None:
    hours = WorkingHours.read("mon, wed 9-18, fri 22-2")
    assert hours.spans == (
        (0, 540, 1080),
        (2, 540, 1080),
        (4, 1320, 1440),
        (5, 0, 120),
    )
    assert WebChatSettings().is_open(at("2026-11-29T03:00"))


@pytest.mark.parametrize(
    "values",
    [
        {"hours": "always"},
        {"hours": "Mon-Fry 9-18"},
        {"hours": "Mon 9:75-18"},
        {"hours": "Mon 9-25"},
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../etc/passwd"},
        {"color": "red;}"},
        {"questions": "a\nb\nc\nd"},
        {"consent_link": "javascript:alert(1)"},
        {"allowed_sites": "shop.example/%0d ***"},
        {"max_file_mb": 26},
    ],
)
def test_what_cannot_be_meant_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        WebChatSettings.model_validate(values)


def test_keys_are_made_and_never_shown() -> None:
    one, two = WebChatSettings(), WebChatSettings()
    assert one.visitor_key.get_secret_value() != two.visitor_key.get_secret_value()
    assert len(one.visitor_key.get_secret_value()) >= 43
    assert one.visitor_key.get_secret_value() not in repr(one)

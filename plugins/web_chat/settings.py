"""What an administrator sets for one web chat: looks, words, hours, what is asked, who may embed it."""

from __future__ import annotations

import re
import secrets
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, field_validator

from plugins.web_chat.hours import WorkingHours

MAX_TEXT = 4_000
MAX_FILES = 5
MAX_TOTAL = 25_000_000
"""All files of one message; a webhook takes no larger body."""
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]


def _new_key() -> SecretStr:
    return SecretStr(secrets.token_urlsafe(32))


class WebChatSettings(BaseModel):
    """The form of an account; an empty text means the built-in one in the visitor's language."""

    model_config = ConfigDict(extra="ignore")

    visitor_key: SecretStr = Field(
        default_factory=_new_key,
        title="Key of visitors",
        description="Made by the hub. A new one makes every visitor a stranger again.",
        json_schema_extra={"generated": True},
    )
    identity_secret: SecretStr = Field(
        default=SecretStr(""),
        title="Identity secret",
        description="Your site's server signs its logged-in users with it. Empty: nobody is known.",
    )
    allowed_sites: Text = Field(
        default="",
        title="Allowed sites",
        description="Addresses of the sites that may show the chat, one per line. Empty: any.",
        json_schema_extra={"multiline": True},
    )
    title: Line = Field(default="", title="Title")
    greeting: Text = Field(default="", title="Greeting", json_schema_extra={"multiline": True})
    questions: Text = Field(
        default="",
        title="Quick questions",
        description="Up to three, one per line. A visitor asks one with a click.",
        json_schema_extra={"multiline": True},
    )
    color: str = Field(default="#2457d6", pattern=r"^#[0-9a-fA-F]{6}$", title="Colour")
    theme: Literal["auto", "light", "dark"] = Field(default="auto", title="Theme")
    position: Literal["right", "left"] = Field(default="right", title="Side of the page")
    language: Literal["auto", "en", "ru"] = Field(
        default="auto", title="Language", description="auto: the language of the page"
    )
    hours: Text = Field(
        default="",
        title="Working hours",
        description="For example: Mon-Fri 9:00-18:00, Sat 10:00-14:00. Empty: always open.",
    )
    time_zone: Line = Field(default="UTC", title="Time zone")
    hours_text: Line = Field(default="", title="Working hours in words")
    away_text: Text = Field(
        default="", title="Text outside working hours", json_schema_extra={"multiline": True}
    )
    ask_name: bool = Field(default=False, title="Ask for the name")
    ask_email: Literal["never", "away", "always"] = Field(
        default="away",
        title="Ask for the e-mail address",
        description="away: only outside working hours, and there it is required",
    )
    consent_text: Text = Field(
        default="",
        title="Consent",
        description="Asked before the first message and kept with it. Empty: not asked.",
        json_schema_extra={"multiline": True},
    )
    consent_link: Line = Field(default="", title="Link of the consent text")
    files: bool = Field(default=True, title="Take files")
    max_file_mb: int = Field(default=10, ge=1, le=25, title="Largest file, MB")
    sound: bool = Field(default=False, title="Sound of a new answer")
    agent_names: bool = Field(default=True, title="Show names of agents")

    @field_validator("hours")
    @classmethod
    def _hours_are_readable(cls, value: str) -> str:
        WorkingHours.read(value)
        return value

    @field_validator("time_zone")
    @classmethod
    def _zone_is_known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"there is no time zone {value}") from error
        return value

    @field_validator("questions")
    @classmethod
    def _few_questions(cls, value: str) -> str:
        lines = [one.strip() for one in value.splitlines() if one.strip()]
        if len(lines) > 3:
            raise ValueError("three questions at most")
        if any(len(one) > 120 for one in lines):
            raise ValueError("a question has 120 characters at most")
        return "\n".join(lines)

    @field_validator("consent_link")
    @classmethod
    def _link_is_web(cls, value: str) -> str:
        if value and not re.match(r"https?://[^\s]+$", value):
            raise ValueError("a link starts with https://")
        return value

    @field_validator("allowed_sites")
    @classmethod
    def _sites_are_origins(cls, value: str) -> str:
        return "\n".join(_origin(one) for one in value.replace(",", " ").split())

    def allows(self, origin: str, hub_url: str = "") -> bool:
        """Whether a page of `origin` may use the chat; the hub's own sample page always may.

        A caller without an origin is no browser's page.
        """
        if not self.allowed_sites or origin.lower() in self.allowed_sites.split("\n"):
            return True
        return bool(origin) and f"{hub_url.rstrip('/')}/".startswith(f"{origin}/")

    def is_open(self, at_us: int) -> bool:
        """Whether somebody is at work at an instant."""
        return WorkingHours.read(self.hours).is_open(at_us, ZoneInfo(self.time_zone))

    @property
    def max_file_bytes(self) -> int:
        """The largest file in bytes, 0 where files are not taken."""
        return self.max_file_mb * 1_000_000 if self.files else 0


def _origin(value: str) -> str:
    """Bring what people type (`Shop.example/page`) to the form of an Origin header."""
    found = re.match(r"(?:(https?)://)?([a-z0-9.-]+|\[[0-9a-f:]+\])(:\d+)?(?:/.*)?$", value.lower())
    if not found:
        raise ValueError(f"{value} is not the address of a site")
    scheme, host, port = found[1] or "https", found[2], found[3] or ""
    default = {"https": ":443", "http": ":80"}[scheme]
    return f"{scheme}://{host}{'' if port == default else port}"

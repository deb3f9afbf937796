"""What an administrator sets for one web form."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
MAX_FILES = 5


class WebFormSettings(BaseModel):
    """The form of an account; an empty text means the built-in one in the reader's language."""

    model_config = ConfigDict(extra="ignore")

    title: Line = Field(default="", title="Title")
    intro: Text = Field(
        default="", title="Text above the form", json_schema_extra={"multiline": True}
    )
    thanks: Text = Field(
        default="", title="Text after sending", json_schema_extra={"multiline": True}
    )
    thanks_link: Line = Field(
        default="",
        title="Page after sending",
        description="The visitor is led there. Empty: a thank-you page of ours.",
    )
    language: Literal["auto", "en", "ru"] = Field(default="auto", title="Language")
    color: str = Field(default="#2457d6", pattern=r"^#[0-9a-fA-F]{6}$", title="Colour")
    ask_phone: bool = Field(default=True, title="Ask for the telephone number")
    more_fields: Text = Field(
        default="",
        title="More fields",
        description="One per line; a star at the end makes a field required: Size *",
        json_schema_extra={"multiline": True},
    )
    country: str = Field(
        default="RU",
        pattern=r"^[A-Z]{2}$",
        title="Country of telephone numbers",
        description="Two letters; tells how a number without + is meant",
    )
    field_names: Text = Field(
        default="",
        title="Names of your own form's fields",
        description="If your form calls them otherwise: email = user_mail, message = question",
        json_schema_extra={"multiline": True},
    )
    allowed_sites: Text = Field(
        default="",
        title="Allowed sites",
        description="Addresses of the sites that may send the form, one per line. Empty: any.",
        json_schema_extra={"multiline": True},
    )
    consent_text: Text = Field(default="", title="Consent", json_schema_extra={"multiline": True})
    consent_link: Line = Field(default="", title="Link of the consent text")
    subscribe_topic: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] = (
        Field(
            default="",
            title="Offer a subscription to",
            description="The name of a topic of the settings. The box is never ticked beforehand.",
        )
    )
    subscribe_text: Text = Field(
        default="",
        title="Words beside the box of the subscription",
        json_schema_extra={"multiline": True},
    )
    trap_field: str = Field(
        default="website",
        pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,40}$",
        title="Trap field",
        description="Hidden from people; what fills it in is a machine",
    )
    min_seconds: int = Field(default=3, ge=0, le=60, title="Shortest time to fill in, seconds")
    files: bool = Field(default=False, title="Take files")
    max_file_mb: int = Field(default=10, ge=1, le=25, title="Largest file, MB")

    @field_validator("thanks_link", "consent_link")
    @classmethod
    def _links_are_web(cls, value: str) -> str:
        if value and not re.match(r"https?://[^\s]+$", value):
            raise ValueError("a link starts with https://")
        return value

    @field_validator("field_names")
    @classmethod
    def _names_are_pairs(cls, value: str) -> str:
        for ours, theirs in _pairs(value):
            if ours not in PARTS or not theirs:
                raise ValueError(f"write for example: email = user_mail; not “{ours} = {theirs}”")
        return value

    @field_validator("allowed_sites")
    @classmethod
    def _sites_are_origins(cls, value: str) -> str:
        return "\n".join(_origin(one) for one in value.replace(",", " ").split())

    def allows(self, origin: str) -> bool:
        """Whether a page of `origin` may send the form."""
        return not self.allowed_sites or origin.lower() in self.allowed_sites.split("\n")

    def part_of(self, name: str) -> str:
        """What a field of the site's form means to us, "" where nothing special."""
        for ours, theirs in _pairs(self.field_names):
            if theirs.lower() == name.lower():
                return ours
        plain = re.sub(r"[^a-zа-яё]", "", name.lower())
        for ours, names in PARTS.items():
            if plain in names:
                return ours
        return ""

    def extra_fields(self) -> list[tuple[str, bool]]:
        """The further fields of our own form: (label, required)."""
        lines = [one.strip() for one in self.more_fields.splitlines() if one.strip()]
        return [(one.rstrip("* "), one.endswith("*")) for one in lines[:20]]

    @property
    def max_file_bytes(self) -> int:
        """The largest file in bytes, 0 where files are not taken."""
        return self.max_file_mb * 1_000_000 if self.files else 0


PARTS: dict[str, frozenset[str]] = {
    "name": frozenset({"name", "fullname", "yourname", "username", "имя", "фио", "вашеимя"}),
    "email": frozenset({"email", "mail", "youremail", "почта", "emailaddress", "электроннаяпочта"}),
    "phone": frozenset({"phone", "tel", "telephone", "mobile", "телефон", "ваштелефон"}),
    "subject": frozenset({"subject", "topic", "yoursubject", "тема"}),
    "message": frozenset({"message", "text", "comment", "question", "yourmessage", "сообщение"})
    | frozenset({"комментарий", "вопрос", "текст"}),
}
"""The parts of a submission with the names that forms usually give them (letters only)."""


def _pairs(text: str) -> list[tuple[str, str]]:
    found = []
    for line in re.split(r"[\n,;]", text):
        if line.strip():
            ours, _, theirs = line.partition("=")
            found.append((ours.strip().lower(), theirs.strip()))
    return found


def _origin(value: str) -> str:
    found = re.match(r"(?:(https?)://)?([a-z0-9.-]+)(:\d+)?(?:/.*)?$", value.lower())
    if not found:
        raise ValueError(f"{value} is not the address of a site")
    scheme, port = found[1] or "https", found[3] or ""
    default = {"https": ":443", "http": ":80"}[scheme]
    return f"{scheme}://{found[2]}{'' if port == default else port}"

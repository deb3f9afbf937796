"""What the endpoints of quick replies take and give, for whoever writes programs against them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hub import Body, GivenId, Id, Instant, Listing, Shape, Text, Word

Scope = Literal["mine", "team", "all"]


class Wording(Body):
    """A reply in one language: the whole text, a short one for short channels, HTML for letters."""

    text: Text = ""
    short: Text = ""
    html: Text = ""


class Button(Body):
    """A button under the message that opens an address."""

    label: Word
    url: Text = ""


class File(Shape):
    """A file that goes with the words."""

    id: Id
    name: str
    size: int


class GivenReply(Body):
    """A reply; what is left out of a change stays as it is."""

    title: Word = ""
    shortcut: Word = Field(default="", description="What is typed behind `/`.")
    folder: Word = ""
    scope: Scope = "mine"
    team_id: GivenId = 0
    slot: int = Field(default=0, description="The key that inserts it, 1 to 9; 0: none.")
    texts: dict[Literal["ru", "en"], Wording] = Field(default={}, description="By language.")
    buttons: list[Button] = Field(default=[])
    template: Word = Field(default="", description="A provider's approved template.")
    template_language: Word = ""
    channels: list[Word] = Field(default=[], description="Only on these; none: on every one.")


class Reply(Shape):
    """A ready text."""

    id: Id
    title: str
    shortcut: str
    folder: str
    scope: Scope
    owner_id: Id
    team_id: Id
    slot: int
    texts: dict[str, Wording]
    buttons: list[Button]
    template: str
    template_language: str
    channels: list[str]
    files: list[File]
    version: int
    uses: int
    last_used_at: Instant
    favourite: bool = Field(description="Whether it is a favourite of the caller's.")
    used_by: int | None = Field(default=None, description="How many colleagues use it.")
    dialogs: int | None = Field(default=None, description="In how many dialogs.")
    solved_percent: int | None = Field(
        default=None, description="Per cent of them that needed nothing more."
    )


class Template(Shape):
    """A provider's approved template."""

    name: str
    language: str


class Change(Shape):
    """One line that came (+), went (-) or stayed."""

    sign: str
    text: str


class Version(Shape):
    """What a reply said before, and what changed since."""

    version: int
    at: Instant
    user_id: Id
    title: str
    texts: dict[str, Wording]
    buttons: list[list[str]] | None = Field(default=None, description="Label and address of each.")
    template: Template | None = None
    channels: list[str] | None = None
    files: list[str] | None = Field(default=None, description="Names.")
    changes: list[Change]


class Versions(Shape):
    """The newest first."""

    items: list[Version]


class Restored(Body):
    """Which version comes back."""

    version: int


class Removed(Shape):
    """What was put away."""

    removed: Id


class BroughtIn(Shape):
    """How many replies of a file were made, and how many changed."""

    created: int
    changed: int


Replies = Listing[Reply]

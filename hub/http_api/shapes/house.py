"""Channels, accounts, colleagues, teams, tokens, views, the organisation."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from hub.shapes import Body, GivenId, GivenInstant, Id, Instant, OptionalId, Shape, Word

MAX_SIGNATURE = 10_000


class Channel(Shape):
    """A kind of channel: what it can do, and the JSON Schema of its accounts' settings."""

    name: str
    title: str
    plugin: str
    pushes: bool = Field(description="Its provider calls our webhook.")
    pulls: bool = Field(description="We listen at its provider.")
    capabilities: dict[str, Any]
    settings_schema: dict[str, Any]
    secrets: list[str] = Field(description="Settings that are never given back.")
    needs: list[str] = Field(description="What one must have before connecting it.")


class Account(Shape):
    """A connected channel; secrets are never given, `secrets_set` names those that are set."""

    id: Id
    brand_id: OptionalId
    channel: str
    title: str
    settings: dict[str, Any]
    secrets_set: list[str]
    capabilities: dict[str, Any] = Field(
        default_factory=dict, description="What this account can do; as of its channel, or more."
    )
    paused: bool
    removed: bool
    state: str
    last_error: str
    last_error_at: Instant
    last_in_at: Instant
    last_out_at: Instant
    webhook_state: str = Field(description="The webhook as its provider sees it, in words.")
    quota: str = Field(description="What is left of a limited resource, in the provider's words.")
    inspected_at: Instant
    templates_at: Instant
    templates_error: str
    signature: str
    thread_rule: str
    reopen_days: int
    team_id: OptionalId
    hook_url: str = Field(
        default="", description="Where the provider calls; shown to those who manage accounts."
    )
    members: list[Id]
    created_at: Instant
    version: int


class AccountHealth(Shape):
    """How an account is doing."""

    id: Id
    channel: str
    title: str
    state: str
    paused: bool
    last_error: str
    last_error_at: Instant
    last_in_at: Instant
    last_out_at: Instant
    webhook_state: str
    quota: str
    inspected_at: Instant
    templates_at: Instant
    templates_error: str


class TemplateButton(Shape):
    """A button of a template."""

    label: str
    payload: str
    url: str


class Template(Shape):
    """One language of a template of the provider's catalogue; only an approved one is sent.

    `header`, `body` and `footer` hold the `variables` as `{{name}}`.
    """

    name: str
    language: str
    category: str
    header: str
    media: str
    body: str
    footer: str
    variables: list[str]
    examples: dict[str, str]
    buttons: list[TemplateButton]
    state: str
    reason: str


class CheckLine(Shape):
    """One finding of a live check."""

    name: str
    ok: bool
    text: str


class CheckResult(Shape):
    """What a live check found; `ok` when every line is."""

    ok: bool
    lines: list[CheckLine]


class User(Shape):
    """A colleague, as every colleague may see him."""

    id: Id
    email: str
    name: str
    role: str
    active: bool
    language: str
    time_zone: str
    teams: list[Id]
    created_at: Instant
    last_seen_at: Instant
    version: int
    away_until: Instant = Field(description="When an absence of now ends; null for who is here.")


class Me(User):
    """Oneself, with what only oneself sees."""

    theme: str
    signature: str
    preferences: dict[str, Any]
    permissions: list[str] = Field(description="What this very caller may do.")


class Team(Shape):
    """A group of colleagues; whoever reaches its work reaches that of the teams below it."""

    id: Id
    name: str
    members: list[Id]
    parent_id: OptionalId = Field(description="The team above it.")


class Token(Shape):
    """A bearer token without its secret; no scopes means every right of its user."""

    id: Id
    user_id: Id
    name: str
    scopes: list[str]
    created_at: Instant
    expires_at: Instant
    last_used_at: Instant
    revoked: bool


class Passkey(Shape):
    """A passkey by which a colleague signs in to the pages."""

    id: Id
    name: str
    domain: str = Field(description="The name of the address that it was made for.")
    synced: bool = Field(description="It is on several devices of its owner.")
    created_at: Instant
    last_used_at: Instant


class NewToken(Token):
    """A token just made."""

    token: str = Field(description="Shown this once; only its hash is stored.")


class View(Shape):
    """A saved view of the inbox, or of the list of a kind."""

    id: Id
    owner_id: OptionalId
    name: str
    filter: dict[str, Any]
    sort: str
    shared: bool
    kind: str = Field("", description="The kind whose list it is; empty: the inbox.")
    columns: list[str] = Field(default_factory=list)
    team_id: OptionalId = None


class Tag(Shape):
    """A label of dialogs, with how many carry it."""

    id: Id
    name: str
    dialogs: int


class Brand(Shape):
    """The organisation as customers see it."""

    id: Id
    name: str
    public_url: str
    language: str
    time_zone: str
    version: int


class Networks(Shape):
    """From where people may come in."""

    networks: list[str] = Field(description="As 203.0.113.0/24; empty is from everywhere.")
    seen_from: str = Field(description="The address from which you call.")


# -- requests ------------------------------------------------------------------------------


class CreateAccount(Body):
    """A channel to connect; `settings` follow the channel's schema."""

    channel: Word = Field(examples=["web_chat"])
    title: Word = Field(min_length=1, examples=["Our site"])
    settings: dict[str, Any] = Field(default_factory=dict)


class UpdateAccount(Body):
    """What to change; a secret that is left out keeps its value."""

    title: Word | None = None
    settings: dict[str, Any] | None = None
    paused: bool | None = None
    signature: str | None = Field(default=None, max_length=MAX_SIGNATURE)
    thread_rule: Literal["always_one", "reopen", "always_new"] | None = None
    reopen_days: int | None = Field(default=None, ge=0, le=3650)
    team_id: GivenId | None = Field(default=None, description="`0`: no team.")
    members: list[GivenId] | None = Field(default=None, max_length=1000)
    version: int | None = Field(
        default=None, description="The version you saw; another is refused with 409."
    )


class CheckAccount(Body):
    """Settings to try against the provider before they are saved."""

    channel: Word
    title: Word = ""
    settings: dict[str, Any] = Field(default_factory=dict)


class CheckSaved(Body):
    """Changed settings to try; left out, the stored ones are tried."""

    settings: dict[str, Any] | None = None


class CreateUser(Body):
    """A new colleague; without a password nobody can log in as him until one is set."""

    email: Word = Field(examples=["ivan@example.org"])
    name: Word = Field(min_length=1)
    role: Word = Field(examples=["agent"])
    language: Literal["en", "ru"] = "en"
    password: str = Field(default="", max_length=200)


class UpdateUser(Body):
    """What to change; a field that is left out stays as it is."""

    name: Word | None = None
    email: Word | None = None
    role: Word | None = None
    active: bool | None = None
    teams: list[GivenId] | None = Field(default=None, max_length=1000)


class UpdateMe(Body):
    """What to change in the own profile."""

    name: Word | None = None
    language: Literal["en", "ru"] | None = None
    theme: Literal["system", "light", "dark"] | None = None
    signature: str | None = Field(default=None, max_length=MAX_SIGNATURE)
    time_zone: Word | None = Field(default=None, max_length=100)
    preferences: dict[str, Any] | None = Field(default=None, max_length=100)


class SaveTeam(Body):
    """A team with all its members."""

    name: Word = Field(min_length=1)
    members: list[GivenId] = Field(default_factory=list, max_length=1000)
    parent_id: GivenId | None = Field(
        default=None, description="The team above it; `0` or null: none. Left out: as it was."
    )


class CreateToken(Body):
    """A new token; without scopes it has every right of its user."""

    name: Word = Field(min_length=1, examples=["nightly export"])
    scopes: list[Word] = Field(default_factory=list, max_length=100, examples=[["dialogs.view"]])
    expires_at: GivenInstant | None = None
    user_id: GivenId | None = Field(
        default=None, description="Left out: oneself; others need users.manage."
    )


class SaveView(Body):
    """A saved view."""

    name: Word = Field(min_length=1)
    filter: dict[str, Any] = Field(default_factory=dict)
    sort: Word = "newest"
    shared: bool = False
    kind: Word = Field("", description="The kind whose list it is; empty: the inbox.")
    columns: list[Word] = Field(default_factory=list, max_length=100)
    team_id: GivenId | None = Field(None, description="The team that sees it.")

    @model_validator(mode="after")
    def _known_order(self) -> SaveView:
        if not self.kind and self.sort not in ("newest", "oldest", "oldest_waiting", "priority"):
            raise ValueError("the inbox is sorted by newest, oldest, oldest_waiting or priority")
        return self


class LimitNetworks(Body):
    """From where people may come in from now on."""

    networks: list[Word] = Field(
        max_length=200, description="As 203.0.113.0/24 or 2001:db8::/32; empty is from everywhere."
    )


class UpdateBrand(Body):
    """What to change in the organisation."""

    name: Word | None = None
    public_url: Word | None = None
    language: Literal["en", "ru"] | None = None
    time_zone: Word | None = None

"""Settings of the installation: the command line, else `HUB_*`, else `<data>/hub.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from hub.errors import Invalid

FILE = "hub.toml"


class HubSettings(BaseSettings):
    """Everything that must be known before the database can be opened.

    All else (accounts, users, roles, organisation) are rows with versions, changed while
    running.
    """

    model_config = SettingsConfigDict(env_prefix="HUB_", extra="ignore")

    data: Path = Field(default=Path("data"), description="data directory (database, files, keys)")
    database_url: str = Field(default="", description="empty: SQLite in the data directory")
    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=8000, description="port to listen on")
    public_url: str = Field(default="", description="address under which the outside reaches us")
    trusted_proxies: str = Field(default="", description="proxies whose forwarded headers count")
    key_file: Path | None = Field(default=None, description="key ring; default <data>/keys.json")
    ca_file: Path | None = Field(
        default=None, description="more authorities to trust at vendors, a file in PEM"
    )
    cache: Path | None = Field(
        default=None, description="what can be made again; default <data>/cache"
    )
    plugins_dir: Path | None = Field(default=None, description="folder with plugin modules")
    role: Literal["all", "web", "worker"] = Field(default="all", description="all, web or worker")
    hold_after_hours: float = Field(default=6.0, description="outgoing older than this is held")
    export_at_once: int = Field(
        default=5000, ge=0, description="longer lists are exported in the background"
    )
    max_body: int = Field(default=30_000_000, description="largest webhook body in bytes")
    max_file: int = Field(
        default=60_000_000,
        ge=1_000_000,
        description="largest file of a message of ours in bytes; it is held in memory",
    )
    api_per_minute: int = Field(
        default=3000, ge=1, description="how often one token may call the API in a minute"
    )
    webhooks_allow_private: bool = Field(
        default=True, description="outgoing webhooks may go to private addresses (never metadata)"
    )
    push_allow_private: bool = Field(
        default=False,
        description="push services may be at private addresses and on plain http (for tests)",
    )
    metrics_token: SecretStr = Field(
        default=SecretStr(""), description="bearer token of /metrics; empty: this machine only"
    )
    stop_seconds: int = Field(default=10, description="how long a stop waits for open requests")
    trace_hooks: bool = Field(default=False, description="log every hook call")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="debug, info, warning or error"
    )
    log_format: Literal["text", "json"] = Field(default="text", description="text or json")

    @classmethod
    def load(cls, **given: Any) -> HubSettings:
        """Read every source; an option of `given` that is None was not given.

        Raises Invalid, naming the setting and where it came from.
        """
        given = {name: value for name, value in given.items() if value is not None}
        try:
            first = cls(**given)
            known = first.model_fields_set
            kept = _read_file(first.data / FILE)
            return cls(**{n: v for n, v in kept.items() if n not in known}, **given)
        except ValidationError as error:
            wrong = error.errors()[0]
            name = str(wrong["loc"][0]) if wrong["loc"] else ""
            where = f"HUB_{name.upper()} or {name} in {FILE}"
            raise Invalid(f"{where}: {wrong['msg']}", field=name) from None

    @property
    def database(self) -> str:
        """The database's address as SQLAlchemy reads it."""
        if not self.database_url:
            return f"sqlite:///{(self.data / 'hub.db').resolve()}"
        return self.database_url.replace("postgres://", "postgresql://", 1)

    @property
    def keys(self) -> Path:
        """Where the key ring lies."""
        return self.key_file or self.data / "keys.json"

    @property
    def cache_folder(self) -> Path:
        """Where lies what can be made again; not part of a backup."""
        return self.cache or self.data / "cache"


def _read_file(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Invalid(f"{path} cannot be read: {error}", field=FILE) from None
    unknown = sorted(set(values) - set(HubSettings.model_fields) | ({"data"} & set(values)))
    if unknown:
        # A word that nobody reads is a typing mistake that would cost a night.
        raise Invalid(f"{path} has a setting that does not exist: {unknown[0]}", field=FILE)
    return values

"""Settings of the installation: environment variables `HUB_*`, overridden by the command line."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


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
    plugins_dir: Path | None = Field(default=None, description="folder with plugin modules")
    role: str = Field(default="all", description="all, web or worker")
    hold_after_hours: float = Field(default=6.0, description="outgoing older than this is held")
    max_body: int = Field(default=30_000_000, description="largest webhook body in bytes")
    trace_hooks: bool = Field(default=False, description="log every hook call")
    log_level: str = Field(default="info", description="debug, info, warning or error")
    log_format: str = Field(default="text", description="text or json")

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

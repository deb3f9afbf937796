"""Tables of the house itself: organisation, colleagues, accounts."""

from __future__ import annotations

from sqlalchemy import Column, Index, PrimaryKeyConstraint, String, Table, UniqueConstraint

from crm_store.tables.base import ID, data, flag, key, metadata, num, ref, word, words

brands = Table(
    "brands",
    metadata,
    key(),
    word("name"),
    word("public_url"),
    word("language", "en"),
    word("time_zone", "UTC"),
    data("settings"),
    # From where people may come in; empty is from everywhere.
    data("networks", "[]"),
    num("version", 1),
)

users = Table(
    "users",
    metadata,
    key(),
    word("email"),
    word("email_folded"),
    word("name"),
    word("role"),
    words("password_hash"),
    words("totp_secret"),
    flag("active", True),
    word("language", "en"),
    word("theme", "system"),
    word("time_zone"),
    words("signature"),
    data("preferences"),
    num("created_at"),
    num("last_seen_at"),
    num("version", 1),
    UniqueConstraint("email_folded"),
)

# The five of hub/roles.py are written at first start; custom roles are the same rows. `known`
# are the rights that were there when a custom role was last saved: what a release brings later
# is off in it, and shown as new.
roles = Table(
    "roles",
    metadata,
    Column("name", String(100), primary_key=True),
    data("permissions", "[]"),
    word("scope", "all"),
    flag("builtin"),
    data("scopes"),
    data("account_scopes"),
    word("based_on"),
    data("known", "[]"),
    num("version", 1),
)

# `parent_id` is the team above, 0 where there is none.
teams = Table("teams", metadata, key(), word("name"), ref("brand_id"), ref("parent_id"))

team_members = Table(
    "team_members",
    metadata,
    Column("team_id", ID, nullable=False),
    Column("user_id", ID, nullable=False),
    PrimaryKeyConstraint("team_id", "user_id"),
    Index("ix_team_members_user", "user_id"),
    sqlite_with_rowid=False,
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    ref("user_id"),
    num("created_at"),
    num("expires_at"),
    num("last_seen_at"),
    word("ip"),
    word("agent"),
    Index("ix_sessions_user", "user_id"),
)

tokens = Table(
    "tokens",
    metadata,
    key(),
    ref("user_id"),
    word("name"),
    Column("token_hash", String(64), nullable=False),
    data("scopes", "[]"),
    num("created_at"),
    num("expires_at"),
    num("last_used_at"),
    num("revoked_at"),
    UniqueConstraint("token_hash"),
)

# Stored windows of a rate limit, shared by all processes.
login_attempts = Table(
    "login_attempts",
    metadata,
    Column("bucket", String(200), primary_key=True),
    num("window_start"),
    num("count"),
)

# Answers of the API kept so that a repeated request with one key gets the first answer.
api_requests = Table(
    "api_requests",
    metadata,
    ref("user_id"),
    Column("key", String(200), nullable=False),
    word("fingerprint"),
    num("status"),
    words("answer"),
    num("created_at"),
    PrimaryKeyConstraint("user_id", "key"),
)

accounts = Table(
    "accounts",
    metadata,
    key(),
    ref("brand_id"),
    word("channel"),
    word("title"),
    data("settings"),
    words("secrets"),
    flag("paused"),
    flag("removed"),
    word("state", "new"),
    words("last_error"),
    num("last_error_at"),
    num("last_in_at"),
    num("last_out_at"),
    words("mark"),
    words("signature"),
    word("thread_rule", "reopen"),
    num("reopen_days", 30),
    ref("team_id"),
    word("hook_token"),
    data("memory"),
    word("connected_to"),
    words("webhook_state"),
    words("quota"),
    num("inspected_at"),
    num("templates_at"),
    words("templates_error"),
    num("created_at"),
    num("version", 1),
    UniqueConstraint("hook_token"),
)

# The provider's catalogue of an account, as it was last synchronised.
templates = Table(
    "templates",
    metadata,
    Column("account_id", ID, nullable=False),
    Column("name", String(400), nullable=False),
    Column("language", String(40), nullable=False),
    word("category"),
    words("header"),
    word("media"),
    words("body"),
    words("footer"),
    data("variables", "[]"),
    data("examples"),
    data("buttons", "[]"),
    word("state", "approved"),
    words("reason"),
    words("reference"),
    num("changed_at"),
    PrimaryKeyConstraint("account_id", "name", "language"),
    sqlite_with_rowid=False,
)

# Who may see an account; no rows mean everybody.
account_members = Table(
    "account_members",
    metadata,
    Column("account_id", ID, nullable=False),
    Column("user_id", ID, nullable=False),
    PrimaryKeyConstraint("account_id", "user_id"),
    Index("ix_account_members_user", "user_id"),
    sqlite_with_rowid=False,
)

views = Table(
    "views",
    metadata,
    key(),
    ref("owner_id"),
    word("name"),
    data("filter"),
    word("sort", "newest"),
    flag("shared"),
    # The kind whose list it is, "" for dialogs.
    word("kind"),
    data("columns", "[]"),
    ref("team_id"),
)

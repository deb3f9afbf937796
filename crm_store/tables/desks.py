"""Tables of who works now, and of how new dialogs find them."""

from __future__ import annotations

from sqlalchemy import Column, Index, PrimaryKeyConstraint, String, Table, text

from crm_store.tables.base import ID, data, flag, key, metadata, num, ref, word

# Statuses under the house's own names; what counts are the two flags.
desk_statuses = Table(
    "desk_statuses",
    metadata,
    key(),
    word("name"),
    flag("works"),
    flag("takes_new"),
    num("position"),
)

# One row for everybody who ever chose a status. It changes by hand only: a phone that falls
# asleep in a pocket changes nothing. Its lock is what keeps two dialogs from one free place.
desks = Table(
    "desks",
    metadata,
    key("user_id"),
    ref("status_id"),
    word("comment"),
    num("since"),
    num("capacity"),
    num("last_given_at"),
)

# How new dialogs of an account, or of a team, are given out; an account's own rule comes first.
routes = Table(
    "routes",
    metadata,
    Column("kind", String(20), nullable=False),
    Column("subject_id", ID, nullable=False),
    word("mode", "nobody"),
    flag("owner_first"),
    num("last_days"),
    num("idle_minutes"),
    ref("calendar_id"),
    ref("last_user_id"),
    num("version", 1),
    PrimaryKeyConstraint("kind", "subject_id"),
    sqlite_with_rowid=False,
)

# Dialogs that wait to be given out, and those that were given and may go on to the next.
routing = Table(
    "routing",
    metadata,
    key("dialog_id"),
    word("state", "waiting"),
    num("since"),
    num("forward_at"),
    ref("user_id"),
    ref("team_id"),
    word("mode"),
    num("last_days"),
    data("passed", "[]"),
    word("reason"),
    Index("ix_routing_state", "state", "since"),
    Index(
        "ix_routing_forward",
        "forward_at",
        sqlite_where=text("forward_at > 0"),
        postgresql_where=text("forward_at > 0"),
    ),
)
